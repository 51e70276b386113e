//! `hallpass regenerate`.

use clap::Args;
use hallpass_core::{Hallpass, Revision};

use crate::error::CliError;
use crate::{secret, service};

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Regenerate {
    /// The token's id.
    id: String,

    /// The new expiry. By default the expiry stays. An expired token needs a new one.
    #[arg(long)]
    expires: Option<String>,

    /// The time for which the previous secret still works, such as `1h` or `7d`, at most 30 days.
    /// It ends earlier if the new secret is used. By default the previous secret stops working
    /// immediately.
    #[arg(long, value_name = "SPAN")]
    grace_period: Option<String>,

    /// Regenerates only if the token is at this revision.
    #[arg(long, value_name = "NUMBER")]
    revision: Option<u64>,
}

impl Regenerate {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), CliError> {
        let expected = self.revision.map(Revision::new);
        let mut options = hallpass_core::RegenerateOptions::new().if_revision(expected);
        if let Some(expires) = self.expires {
            options = options.expires(expires);
        }
        if let Some(grace_period) = self.grace_period {
            options = options.grace_period(grace_period);
        }
        let issued =
            hallpass.regenerate(&service::system_actor(), service::id(&self.id)?, options).await?;
        secret::show_once(hallpass, &issued, json)
    }
}
