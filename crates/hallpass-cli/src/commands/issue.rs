use clap::Args;
use hallpass_core::{Hallpass, Metadata, NewToken};

use crate::failure::Failure;
use crate::secret;
use crate::service::{self, DEFAULT_EXPIRES};

#[derive(Args)]
pub(crate) struct Issue {
    /// Whose token it is: the service's id of a person, a team or a program.
    #[arg(long)]
    owner: String,

    /// What it is called.
    #[arg(long)]
    name: String,

    /// What it is for.
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,

    /// What it may do, such as `projects:read:42`; again for each. Nothing without it. The
    /// service's catalog is not known here: see that it knows the scope.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,

    /// A member of the token's metadata, such as `team=build`. May be repeated.
    #[arg(long = "metadata", value_name = "NAME=VALUE")]
    metadata: Vec<String>,

    /// When it ends: `30d`, `12h`, `2w`, `1y`, a date that it is good through, an RFC 3339 instant,
    /// or `never`.
    #[arg(long, default_value = DEFAULT_EXPIRES)]
    expires: String,
}

impl Issue {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), Failure> {
        let by = service::operator_for(&service::owner(&self.owner)?);
        let metadata = Metadata::from_map(service::metadata(&self.metadata)?)
            .map_err(|error| Failure::Usage(format!("--metadata: {error}")))?;
        let new = NewToken::named(self.name)
            .description(self.description)
            .scopes(self.scopes)
            .metadata(metadata)
            .expires(self.expires);
        let issued = hallpass.issue(&by, new).await?;
        secret::show_once(hallpass, &issued, json)
    }
}
