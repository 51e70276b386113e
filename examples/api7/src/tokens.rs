//! The page "Personal Access Token" of the console, as calls: `/api/v1/user/tokens`.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use hallpass::{Error, Hallpass, ListOptions, NewToken, TokenId, TokenRecord};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::answer::{Fault, ok};
use crate::people::SignedIn;

type Answer = Result<Json<Value>, Fault>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    /// What it is for, so that its owner remembers.
    #[serde(default)]
    notes: String,
    /// When it ends: an instant, a date, a span, or `never`, which has to be said.
    expire: String,
}

/// "Generate a new token".
pub(crate) async fn generate(
    State(hallpass): State<Hallpass>,
    SignedIn(me): SignedIn,
    new: Result<Json<New>, JsonRejection>,
) -> Answer {
    let Json(New { notes, expire }) = new?;
    // API7's tokens have no scopes and may do all: that is said here, not assumed where there is none.
    let new = NewToken::named("API7 Cloud").description(notes).scope("account").expires(expire);
    let issued = hallpass.issue(&me, new).await?;
    let mut payload = shown(&hallpass, &issued.record);
    payload["token"] = issued.token.reveal().into();
    Ok(ok(payload))
}

/// There are at most fifty, which is one page of Hallpass's.
pub(crate) async fn list(State(hallpass): State<Hallpass>, SignedIn(me): SignedIn) -> Answer {
    let all = hallpass.list(&me, &ListOptions::new().limit(ListOptions::MAX_LIMIT)).await?;
    let list: Vec<_> = all.items.iter().map(|token| shown(&hallpass, token)).collect();
    Ok(ok(json!({ "count": all.total, "list": list })))
}

/// "Delete".
pub(crate) async fn delete(
    State(hallpass): State<Hallpass>,
    SignedIn(me): SignedIn,
    Path(id): Path<String>,
) -> Answer {
    hallpass.delete(&me, read_id(&id).ok_or(Error::NotFound)?, None).await?;
    Ok(ok(Value::Null))
}

/// "Delete All", of the danger zone.
pub(crate) async fn delete_all(State(hallpass): State<Hallpass>, SignedIn(me): SignedIn) -> Answer {
    Ok(ok(json!({ "count": hallpass.delete_all(&me).await? })))
}

fn shown(hallpass: &Hallpass, token: &TokenRecord) -> Value {
    json!({
        "id": digits(token.id),
        "notes": token.description,
        "created_at": token.created_at.to_string(),
        "expire": token.expires_at.map(|end| end.to_string()),
        "last_used_at": token.last_used_at.map(|time| time.to_string()),
        "status": token.status(hallpass.now()).as_str(),
    })
}

/// API7's ids are strings of digits.
fn digits(id: TokenId) -> String {
    id.as_uuid().as_u128().to_string()
}

/// The id that is written exactly so: `042` is not 42.
fn read_id(text: &str) -> Option<TokenId> {
    let id = TokenId::from_uuid(Uuid::from_u128(text.parse().ok()?));
    (digits(id) == text).then_some(id)
}
