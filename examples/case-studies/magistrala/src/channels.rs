//! Channels, and messages to them, which programs reach with a PAT. Each route names the scopes it
//! accepts. Older clients write `read` for what newer ones call `view`, and `publish` on a channel
//! for `publish` on messages.

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use hallpass::{GuardedRouter, any_of};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::pats::Answer;
use crate::people::{HOME, PLANT};
use crate::request::Body;

/// The channels and their domains. They are constant, because this example is about tokens.
const CHANNELS: [(&str, &str); 3] = [(HOME, "garden"), (HOME, "kitchen"), (PLANT, "boiler")];

pub(crate) fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .get("/{domain}/channels", "channels:list:{domain}", list)
        .get(
            "/{domain}/channels/{id}",
            any_of(["channels:read:{domain}:{id}", "channels:view:{domain}:{id}"]),
            show,
        )
        .post(
            "/{domain}/channels/{id}/messages",
            any_of(["messages:publish:{domain}:{id}", "channels:publish:{domain}:{id}"]),
            publish,
        )
}

async fn list(Path(domain): Path<String>) -> Json<Value> {
    let own = CHANNELS.iter().filter(|(of, _)| *of == domain);
    let own: Vec<_> = own.map(|(domain, id)| shown(domain, id)).collect();
    Json(json!({ "total": own.len(), "channels": own }))
}

async fn show(Path((domain, id)): Path<(String, String)>) -> Answer {
    must_be(&domain, &id)?;
    Ok(Json(shown(&domain, &id)))
}

async fn publish(
    Path((domain, id)): Path<(String, String)>,
    Body(_): Body<Value>,
) -> Answer<StatusCode> {
    must_be(&domain, &id)?;
    Ok(StatusCode::ACCEPTED)
}

fn must_be(domain: &str, id: &str) -> Result<(), ApiError> {
    let no_such = || ApiError::new(StatusCode::NOT_FOUND, "there is no such channel");
    CHANNELS.contains(&(domain, id)).then_some(()).ok_or_else(no_such)
}

fn shown(domain: &str, id: &str) -> Value {
    json!({ "id": id, "domain_id": domain })
}
