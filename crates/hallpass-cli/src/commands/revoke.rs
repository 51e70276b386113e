use clap::Args;
use hallpass_core::{Error, Hallpass};
use serde_json::json;

use crate::failure::Failure;
use crate::{output, service};

#[derive(Args)]
#[command(group(clap::ArgGroup::new("which").required(true)))]
pub(crate) struct Revoke {
    /// The tokens' ids.
    #[arg(value_name = "ID", group = "which")]
    ids: Vec<String>,

    /// All of this owner's.
    #[arg(long, group = "which")]
    owner: Option<String>,
}

impl Revoke {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), Failure> {
        let by = service::operator();
        let (mut revoked, mut not_found) = (0, Vec::new());
        if let Some(owner) = &self.owner {
            revoked = hallpass.revoke_all(&by, &service::owner(owner)?).await?;
        }
        for id in service::ids(&self.ids)? {
            match hallpass.revoke(&by, id).await {
                Ok(_) => revoked += 1,
                Err(Error::NotFound) => not_found.push(id.to_string()),
                Err(error) => return Err(error.into()),
            }
        }
        if json {
            output::print_json(&json!({ "revoked": revoked, "not_found": not_found }))?;
        } else {
            output::remark(&format!("Revoked: {revoked}."));
        }
        super::delete::all_found(&not_found)
    }
}
