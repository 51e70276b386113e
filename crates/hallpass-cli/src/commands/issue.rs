//! `hallpass issue`.

use clap::Args;
use hallpass_core::{Hallpass, Metadata, NewToken};

use crate::error::CliError;
use crate::secret;
use crate::service::{self, DEFAULT_EXPIRES};

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Issue {
    /// The owner: the service's id of a person, a team or a program.
    #[arg(long)]
    owner: String,

    /// The token's name.
    #[arg(long)]
    name: String,

    /// The token's description.
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,

    /// A scope, such as `projects:read:42`. May be repeated. Without scopes the token allows
    /// nothing. This command cannot read the service's catalog, so check that the catalog lists the
    /// scope.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,

    /// A member of the token's metadata, such as `team=build`. May be repeated.
    #[arg(long = "metadata", value_name = "NAME=VALUE")]
    metadata: Vec<String>,

    /// The expiry: `30d`, `12h`, `2w`, `1y`, a date (the token works through that day), an RFC 3339
    /// instant, or `never`.
    #[arg(long, default_value = DEFAULT_EXPIRES)]
    expires: String,
}

impl Issue {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), CliError> {
        let by = service::system_actor_for(&service::owner(&self.owner)?);
        let metadata = Metadata::from_map(service::metadata(&self.metadata)?)
            .map_err(|error| CliError::Usage(format!("--metadata: {error}")))?;
        let new = NewToken::named(self.name)
            .description(self.description)
            .scopes(self.scopes)
            .metadata(metadata)
            .expires(self.expires);
        let issued = hallpass.issue(&by, new).await?;
        secret::show_once(hallpass, &issued, json)
    }
}
