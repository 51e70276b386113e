//! `hallpass revoke`.

use clap::Args;
use hallpass_core::Hallpass;
use serde_json::json;

use crate::error::CliError;
use crate::{output, service};

/// The arguments of the command.
#[derive(Args)]
#[command(group(clap::ArgGroup::new("which").required(true)))]
pub(crate) struct Revoke {
    /// The tokens' ids.
    #[arg(value_name = "ID", group = "which")]
    ids: Vec<String>,

    /// Revokes all tokens of this owner.
    #[arg(long, group = "which")]
    owner: Option<String>,

    /// Revokes the tokens of all owners, for an emergency.
    #[arg(long, group = "which")]
    everyone: bool,

    /// Revokes only tokens whose secret was issued before this RFC 3339 time.
    #[arg(long, value_name = "TIME")]
    issued_before: Option<String>,
}

impl Revoke {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), CliError> {
        let by = service::system_actor();
        let issued_before = self.issued_before.as_deref();
        let issued_before =
            issued_before.map(|text| service::time("--issued-before", text)).transpose()?;
        let mut not_found = Vec::new();
        let revoked = if self.everyone {
            hallpass.revoke_everyone(&by, issued_before).await?
        } else if let Some(owner) = &self.owner {
            hallpass.revoke_owner(&by, &service::owner(owner)?, issued_before).await?
        } else {
            let ids = service::ids(&self.ids)?;
            let result = hallpass.revoke_many(&by, &ids, issued_before).await?;
            not_found = result.not_found.iter().map(ToString::to_string).collect();
            result.revoked.len() as u64
        };
        if json {
            output::print_json(&json!({ "revoked": revoked, "not_found": not_found }))?;
        } else {
            output::print_note(&format!("Revoked: {revoked}."));
        }
        super::delete::all_found(&not_found)
    }
}
