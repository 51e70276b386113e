//! `hallpass update`.

use clap::Args;
use hallpass_core::{Hallpass, Revision, TokenUpdate};
use serde_json::Value;

use super::show;
use crate::error::CliError;
use crate::service;

/// The arguments of the command.
#[derive(Args)]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true)))]
pub(crate) struct Update {
    /// The token's id.
    id: String,

    /// The new name.
    #[arg(long, group = "change")]
    name: Option<String>,

    /// The new description. An empty one clears it.
    #[arg(long, group = "change")]
    description: Option<String>,

    /// A scope. May be repeated. Replaces the scopes that the token holds.
    #[arg(long = "scope", value_name = "SCOPE", group = "change")]
    scopes: Vec<String>,

    /// Removes all scopes. The token then allows nothing.
    #[arg(long, group = "change", conflicts_with = "scopes")]
    no_scopes: bool,

    /// Adds a scope. May be repeated.
    #[arg(long = "add-scope", value_name = "SCOPE", group = "change", conflicts_with_all = ["scopes", "no_scopes"])]
    add: Vec<String>,

    /// Removes a scope. May be repeated.
    #[arg(long = "remove-scope", value_name = "SCOPE", group = "change", conflicts_with_all = ["scopes", "no_scopes"])]
    remove: Vec<String>,

    /// The new expiry.
    #[arg(long, group = "change")]
    expires: Option<String>,

    /// Sets a member of the token's metadata, such as `team=build`. May be repeated.
    #[arg(long = "metadata", value_name = "NAME=VALUE", group = "change")]
    metadata: Vec<String>,

    /// Removes a member of the token's metadata. May be repeated.
    #[arg(long = "remove-metadata", value_name = "NAME", group = "change")]
    remove_metadata: Vec<String>,

    /// Updates only if the token is at this revision.
    #[arg(long, value_name = "NUMBER")]
    revision: Option<u64>,
}

impl Update {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), CliError> {
        let (by, id) = (service::system_actor(), service::id(&self.id)?);
        let mut expected = self.revision.map(Revision::new);
        let mut update = TokenUpdate::new();
        if let Some(name) = self.name {
            update = update.name(name);
        }
        if let Some(description) = self.description {
            update = update.description(description);
        }
        if let Some(expires) = self.expires {
            update = update.expires(expires);
        }
        let mut metadata = service::metadata(&self.metadata)?;
        metadata.extend(self.remove_metadata.into_iter().map(|name| (name, Value::Null)));
        if !metadata.is_empty() {
            update = update.metadata(metadata);
        }
        if self.no_scopes {
            update = update.scopes::<String>([]);
        } else if !self.scopes.is_empty() {
            update = update.scopes(self.scopes);
        } else if !self.add.is_empty() || !self.remove.is_empty() {
            let record = hallpass.get(&by, id).await?;
            let mut scopes: Vec<_> = record.scopes.iter().map(ToString::to_string).collect();
            for scope in &self.remove {
                let index = scopes.iter().position(|held| held == scope).ok_or_else(|| {
                    CliError::NotFound(
                        "the token does not hold a scope of --remove-scope".to_owned(),
                    )
                })?;
                scopes.remove(index);
            }
            scopes.extend(self.add);
            update = update.scopes(scopes);
            // The scopes were computed from this revision, so the update must not apply to another
            // one.
            expected = expected.or(Some(record.revision));
        }
        let record = hallpass.update(&by, id, update, expected).await?;
        show::print(hallpass, &record, json)
    }
}
