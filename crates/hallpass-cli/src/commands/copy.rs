use clap::Args;
use hallpass_core::{Hallpass, TokenUpdate};

use crate::failure::Failure;
use crate::{secret, service};

#[derive(Args)]
pub(crate) struct Copy {
    /// The id of the token to copy.
    id: String,

    /// Another name.
    #[arg(long)]
    name: Option<String>,

    /// Another description.
    #[arg(long)]
    description: Option<String>,

    /// These scopes instead of the other's; again for each.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,

    /// Another end. Without it, the other's; 30 days if that is over.
    #[arg(long)]
    expires: Option<String>,
}

impl Copy {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), Failure> {
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
        let issued = hallpass.copy(&service::operator(), service::id(&self.id)?, different).await?;
        secret::show_once(hallpass, &issued, json)
    }
}
