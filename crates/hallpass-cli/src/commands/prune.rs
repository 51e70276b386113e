//! `hallpass prune`.

use clap::Args;
use hallpass_core::{Error, Hallpass, ListOptions, Status};
use serde_json::json;

use crate::arguments::Settings;
use crate::error::CliError;
use crate::{output, prompt, service};

/// The arguments of the command.
#[derive(Args)]
pub(crate) struct Prune {
    /// Deletes only tokens that were revoked or expired at least this long ago, such as `30d` or
    /// `2w`.
    #[arg(long, value_name = "SPAN", default_value = "30d")]
    ended: String,

    /// Skips the confirmation prompt.
    #[arg(long, short)]
    yes: bool,
}

impl Prune {
    pub(crate) async fn run(
        self,
        hallpass: &Hallpass,
        settings: &Settings,
    ) -> Result<(), CliError> {
        let before = service::ago("--ended", &self.ended, hallpass.now())?;
        let question = format!(
            "Permanently delete the tokens that were revoked or expired before {before:.0}, and \
             the entries of the audit trail that are older than {}?",
            settings.audit_retention
        );
        prompt::confirm(&question, self.yes)?;
        let maximum = count_ended(hallpass).await?;
        let by = service::system_actor();
        let mut deleted_so_far = 0;
        let progress = |deleted| {
            deleted_so_far = deleted;
            output::print_progress(&format!("{deleted} deleted of at most {maximum}"));
        };
        let pruned = hallpass.prune_with(&by, before, progress).await;
        output::print_progress("");
        let pruned = pruned.map_err(|error| match CliError::from(error) {
            CliError::System(message) => CliError::System(format!(
                "{message} ({deleted_so_far} tokens were deleted before the error)"
            )),
            error => error,
        })?;
        if settings.json {
            return output::print_json(&json!({ "pruned": pruned }));
        }
        output::print_note(&format!("Deleted: {pruned}."));
        Ok(())
    }
}

/// Counts all tokens that are revoked or expired. No more than these can be deleted, so the
/// progress shows this number as its maximum.
async fn count_ended(hallpass: &Hallpass) -> Result<u64, Error> {
    let mut count = 0;
    for status in [Status::Expired, Status::Revoked] {
        let listing = ListOptions::new().status(status).limit(1);
        count += hallpass.list(&service::system_actor(), &listing).await?.total;
    }
    Ok(count)
}
