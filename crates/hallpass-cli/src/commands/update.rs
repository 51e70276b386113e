use clap::Args;
use hallpass_core::{Hallpass, Revision, TokenUpdate};
use serde_json::Value;

use super::show;
use crate::failure::Failure;
use crate::service;

#[derive(Args)]
#[command(group(clap::ArgGroup::new("change").required(true).multiple(true)))]
pub(crate) struct Update {
    /// The token's id.
    id: String,

    /// Another name.
    #[arg(long, group = "change")]
    name: Option<String>,

    /// Another description; the empty one clears it.
    #[arg(long, group = "change")]
    description: Option<String>,

    /// These scopes instead of those it holds; again for each.
    #[arg(long = "scope", value_name = "SCOPE", group = "change")]
    scopes: Vec<String>,

    /// No scopes any more: it is then allowed nothing.
    #[arg(long, group = "change", conflicts_with = "scopes")]
    no_scopes: bool,

    /// A scope besides those it holds; again for each.
    #[arg(long = "add-scope", value_name = "SCOPE", group = "change", conflicts_with_all = ["scopes", "no_scopes"])]
    add: Vec<String>,

    /// A scope that it shall hold no more; again for each.
    #[arg(long = "remove-scope", value_name = "SCOPE", group = "change", conflicts_with_all = ["scopes", "no_scopes"])]
    remove: Vec<String>,

    /// Another end.
    #[arg(long, group = "change")]
    expires: Option<String>,

    /// Sets a member of the token's metadata, such as `team=build`. May be repeated.
    #[arg(long = "metadata", value_name = "NAME=VALUE", group = "change")]
    metadata: Vec<String>,

    /// Removes a member of the token's metadata. May be repeated.
    #[arg(long = "remove-metadata", value_name = "NAME", group = "change")]
    remove_metadata: Vec<String>,

    /// Only if it is at this revision.
    #[arg(long, value_name = "NUMBER")]
    revision: Option<u64>,
}

impl Update {
    pub(crate) async fn run(self, hallpass: &Hallpass, json: bool) -> Result<(), Failure> {
        let (by, id) = (service::operator(), service::id(&self.id)?);
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
            let mut held: Vec<_> = record.scopes.iter().map(ToString::to_string).collect();
            for scope in &self.remove {
                let place = held.iter().position(|held| held == scope).ok_or_else(|| {
                    Failure::NotFound(
                        "the token does not hold a scope that is to be removed".to_owned(),
                    )
                })?;
                held.remove(place);
            }
            held.extend(self.add);
            update = update.scopes(held);
            // What was computed from a revision holds for that one alone.
            expected = expected.or(Some(record.revision));
        }
        let record = hallpass.update(&by, id, update, expected).await?;
        show::print(hallpass, &record, json)
    }
}
