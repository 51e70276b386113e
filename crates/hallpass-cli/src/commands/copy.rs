//! `hallpass copy`.

use clap::Args;
use hallpass_core::{Hallpass, TokenUpdate};

use crate::error::CliError;
use crate::{secret, service};

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Copy {
    /// The id of the token to copy.
    id: String,

    /// The name of the copy. By default it is that of the original.
    #[arg(long)]
    name: Option<String>,

    /// The description of the copy. By default it is that of the original.
    #[arg(long)]
    description: Option<String>,

    /// A scope of the copy. May be repeated. By default the copy has the scopes of the original.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,

    /// The expiry of the copy. By default it is that of the original, or 30 days if that has
    /// passed.
    #[arg(long)]
    expires: Option<String>,
}

impl Copy {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), CliError> {
        let mut different = TokenUpdate::new();
        if let Some(name) = self.name {
            different = different.name(name);
        }
        if let Some(description) = self.description {
            different = different.description(description);
        }
        if !self.scopes.is_empty() {
            different = different.scopes(self.scopes);
        }
        if let Some(expires) = self.expires {
            different = different.expires(expires);
        }
        let issued =
            hallpass.copy(&service::system_actor(), service::id(&self.id)?, different).await?;
        secret::show_once(hallpass, &issued, json)
    }
}
