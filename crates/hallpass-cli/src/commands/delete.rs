//! `hallpass delete`.

use clap::Args;
use hallpass_core::{Hallpass, ListOptions};
use serde_json::json;

use crate::error::CliError;
use crate::{output, prompt, service};

/// The arguments of the command.
#[derive(Args)]
#[command(group(clap::ArgGroup::new("which").required(true)))]
pub(crate) struct Delete {
    /// The tokens' ids.
    #[arg(value_name = "ID", group = "which")]
    ids: Vec<String>,

    /// Deletes all tokens of this owner.
    #[arg(long, group = "which")]
    owner: Option<String>,

    /// Skips the confirmation prompt.
    #[arg(long, short)]
    yes: bool,
}

impl Delete {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), CliError> {
        let (deleted, not_found) = match &self.owner {
            Some(owner) => (self.all_of(hallpass, owner).await?, Vec::new()),
            None => self.some(hallpass).await?,
        };
        if json {
            output::print_json(&json!({ "deleted": deleted, "not_found": not_found }))?;
        } else {
            output::print_note(&format!("Deleted: {deleted}."));
        }
        all_found(&not_found)
    }

    async fn all_of(&self, hallpass: &Hallpass, owner: &str) -> Result<u64, CliError> {
        let owner = service::owner(owner)?;
        let listing = ListOptions::new().owner(owner.clone()).limit(1);
        let total = hallpass.list(&service::system_actor(), &listing).await?.total;
        prompt::confirm(&format!("Permanently delete all {total} tokens of {owner}?"), self.yes)?;
        Ok(hallpass.delete_all(&service::system_actor_for(&owner)).await?)
    }

    async fn some(&self, hallpass: &Hallpass) -> Result<(u64, Vec<String>), CliError> {
        let ids = service::ids(&self.ids)?;
        let tokens = match ids.len() {
            1 => "this token".to_owned(),
            several => format!("these {several} tokens"),
        };
        prompt::confirm(&format!("Permanently delete {tokens}?"), self.yes)?;
        let outcome = hallpass.delete_many(&service::system_actor(), &ids).await?;
        let not_found = outcome.not_found.iter().map(ToString::to_string).collect();
        Ok((outcome.deleted.len() as u64, not_found))
    }
}

/// Returns an error that names the tokens that do not exist. The others have been changed.
pub(super) fn all_found(not_found: &[String]) -> Result<(), CliError> {
    if not_found.is_empty() {
        return Ok(());
    }
    Err(CliError::NotFound(format!("no such token: {}", not_found.join(", "))))
}
