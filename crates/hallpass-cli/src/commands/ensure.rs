use clap::Args;
use hallpass_core::{Digest, Ensured, Hallpass, KnownToken, NewToken};
use serde::Serialize;

use crate::failure::Failure;
use crate::view::TokenView;
use crate::{output, service, table};

#[derive(Args)]
pub(crate) struct Ensure {
    /// Whose token it is. The id must have been made for the same owner.
    #[arg(long)]
    owner: String,

    /// The token's id, as `hallpass inspect` shows it.
    #[arg(long)]
    id: String,

    /// The digest of its secret, as `hallpass inspect` shows it: `sha256:` and 64 hexadecimal
    /// digits. It is no secret.
    #[arg(long)]
    digest: String,

    /// What it is called.
    #[arg(long)]
    name: String,

    /// What it is for.
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,

    /// What it may do; again for each. Nothing without it.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,

    /// When it ends, if it has to be created: as with `issue`. A token that is there keeps its end.
    #[arg(long)]
    expires: String,
}

#[derive(Serialize)]
struct EnsuredView {
    outcome: &'static str,
    #[serde(flatten)]
    token: TokenView,
}

impl Ensure {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), Failure> {
        let by = service::operator_for(&service::owner(&self.owner)?);
        let digest = Digest::from_text(&self.digest)
            .map_err(|error| Failure::Usage(format!("--digest: {error}")))?;
        let known = KnownToken { id: service::id(&self.id)?, digest };
        let new = NewToken::named(self.name)
            .description(self.description)
            .scopes(self.scopes)
            .expires(self.expires);
        let ensured = hallpass.ensure(&by, &known, new).await?;
        let outcome = match ensured {
            Ensured::Created(_) => "created",
            Ensured::Updated(_) => "updated",
            _ => "unchanged",
        };
        let now = hallpass.now();
        if json {
            let token = TokenView::new(ensured.record(), now);
            return output::print_json(&EnsuredView { outcome, token });
        }
        output::print(&table::one(ensured.record(), now))?;
        output::remark(&format!("The token is there: {outcome}."));
        Ok(())
    }
}
