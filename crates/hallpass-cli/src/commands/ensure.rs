//! `hallpass ensure`.

use clap::Args;
use hallpass_core::{Digest, EnsureOutcome, Hallpass, KnownToken, NewToken};
use serde::Serialize;

use crate::error::CliError;
use crate::view::TokenView;
use crate::{output, service, table};

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Ensure {
    /// The owner. The id must have been generated for the same owner.
    #[arg(long)]
    owner: String,

    /// The token's id, as `hallpass inspect` shows it.
    #[arg(long)]
    id: String,

    /// The token's digest, as `hallpass inspect` shows it: the algorithm, such as `sha256-v1`, `:`
    /// and 64 hexadecimal digits. It is not secret.
    #[arg(long)]
    digest: String,

    /// The token's name.
    #[arg(long)]
    name: String,

    /// The token's description.
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,

    /// A scope. May be repeated. Without scopes the token allows nothing.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,

    /// The expiry of a new token, in the forms of `issue`. An existing token keeps its expiry.
    #[arg(long)]
    expires: String,
}

/// The result as JSON.
#[derive(Serialize)]
struct EnsuredView {
    outcome: &'static str,
    #[serde(flatten)]
    token: TokenView,
}

impl Ensure {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), CliError> {
        let by = service::system_actor_for(&service::owner(&self.owner)?);
        let digest = Digest::from_text(&self.digest)
            .map_err(|error| CliError::Usage(format!("--digest: {error}")))?;
        let known = KnownToken { id: service::id(&self.id)?, digest };
        let new = NewToken::named(self.name)
            .description(self.description)
            .scopes(self.scopes)
            .expires(self.expires);
        let ensured = hallpass.ensure(&by, &known, new).await?;
        let outcome = match ensured {
            EnsureOutcome::Created(_) => "created",
            EnsureOutcome::Updated(_) => "updated",
            _ => "unchanged",
        };
        let now = hallpass.now();
        if json {
            let token = TokenView::new(ensured.record(), now);
            return output::print_json(&EnsuredView { outcome, token });
        }
        output::print(&table::one(ensured.record(), now))?;
        output::print_note(&format!("The token exists: {outcome}."));
        Ok(())
    }
}
