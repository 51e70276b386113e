use clap::Args;
use hallpass_core::{Hallpass, Revision};

use crate::failure::Failure;
use crate::{secret, service};

#[derive(Args)]
pub(crate) struct Regenerate {
    /// The token's id.
    id: String,

    /// Another end. Without it the end stays; a token whose time is over needs one.
    #[arg(long)]
    expires: Option<String>,

    /// How long the old secret works beside the new one, until that is first used: `1h`, `7d`, at
    /// most 30 days. Without it the old one is dead at once.
    #[arg(long, value_name = "SPAN")]
    grace_period: Option<String>,

    /// Only if it is at this revision.
    #[arg(long, value_name = "NUMBER")]
    revision: Option<u64>,
}

impl Regenerate {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), Failure> {
        let expected = self.revision.map(Revision::new);
        let mut how = hallpass_core::RegenerateOptions::new().if_revision(expected);
        if let Some(expires) = self.expires {
            how = how.expires(expires);
        }
        if let Some(grace_period) = self.grace_period {
            how = how.grace_period(grace_period);
        }
        let issued = hallpass.regenerate(&service::operator(), service::id(&self.id)?, how).await?;
        secret::show_once(hallpass, &issued, json)
    }
}
