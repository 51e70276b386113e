//! The tokens: `/pats`, for people who are signed in.

use axum::Json;
use axum::http::StatusCode;
use hallpass::deps::jiff::Timestamp;
use hallpass::fold;
use hallpass::{
    GuardedRouter, Hallpass, ListOptions, NewToken, PlainToken, RegenerateOptions, Status,
    TokenRecord, TokenUpdate, authenticated,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::duration;
use crate::fault::Fault;
use crate::request::{Asked, Body, Id, Mine};
use crate::scopes::PatScope;

pub(crate) type Answer<T = Json<Value>> = Result<T, Fault>;

pub(crate) fn routes() -> GuardedRouter<Hallpass> {
    GuardedRouter::new()
        .post("/pats", authenticated(), create)
        .get("/pats", authenticated(), list)
        .delete("/pats", authenticated(), delete_all)
        .get("/pats/{id}", authenticated(), show)
        .delete("/pats/{id}", authenticated(), delete)
        .patch("/pats/{id}/name", authenticated(), rename)
        .patch("/pats/{id}/description", authenticated(), describe)
        .patch("/pats/{id}/secret/reset", authenticated(), reset)
        .patch("/pats/{id}/secret/revoke", authenticated(), revoke)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPat {
    name: String,
    #[serde(default)]
    description: String,
    duration: String,
    #[serde(default)]
    scopes: Vec<PatScope>,
}

async fn create(
    Mine { pats, by }: Mine,
    Body(new): Body<NewPat>,
) -> Answer<(StatusCode, Json<Value>)> {
    let NewPat { name, description, duration, scopes } = new;
    let scopes = scopes.iter().map(PatScope::granted).collect::<Result<Vec<_>, _>>()?;
    let new = NewToken::named(name).description(description).scopes(scopes);
    let issued = pats.issue(&by, new.expires(duration::read(&duration)?)).await?;
    Ok((StatusCode::CREATED, with_secret(&pats, &issued.record, &issued.token)))
}

/// Which PATs are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    offset: usize,
    #[serde(default = "usual_limit")]
    limit: usize,
    id: Option<String>,
    name: Option<String>,
    status: Option<String>,
}

pub(crate) fn usual_limit() -> usize {
    10
}

/// One page of them all, under their name.
pub(crate) fn page(name: &str, all: Vec<Value>, offset: usize, limit: usize) -> Answer {
    if !(1..=100).contains(&limit) {
        return Err(Fault::invalid("limit: 1 to 100"));
    }
    let total = all.len();
    let page: Vec<_> = all.into_iter().skip(offset).take(limit).collect();
    Ok(Json(json!({ "total": total, "offset": offset, "limit": limit, name: page })))
}

async fn list(Mine { pats, by }: Mine, Asked(wanted): Asked<Wanted>) -> Answer {
    let listing = ListOptions::new().limit(ListOptions::MAX_LIMIT);
    let listing = match wanted.status.as_deref() {
        None | Some("active") => listing.status(Status::Active),
        Some("revoked") => listing.status(Status::Revoked),
        Some("expired") => listing.status(Status::Expired),
        Some("all") => listing,
        Some(_) => return Err(Fault::invalid("status: active, revoked, expired or all")),
    };
    let named = wanted.name.as_deref().map(fold);
    let found = pats.list(&by, &listing).await?.items.into_iter().filter(|pat| {
        named.as_ref().is_none_or(|text| fold(&pat.name).contains(text))
            && wanted.id.as_ref().is_none_or(|id| pat.id.to_string() == *id)
    });
    let found = found.map(|pat| shown(&pats, &pat)).collect();
    page("pats", found, wanted.offset, wanted.limit)
}

async fn show(Mine { pats, by }: Mine, Id(id): Id) -> Answer {
    Ok(Json(shown(&pats, &pats.get(&by, id).await?)))
}

async fn delete(Mine { pats, by }: Mine, Id(id): Id) -> Answer<StatusCode> {
    pats.delete(&by, id, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_all(Mine { pats, by }: Mine) -> Answer<StatusCode> {
    pats.delete_all(&by).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    name: String,
}

async fn rename(Mine { pats, by }: Mine, Id(id): Id, Body(Name { name }): Body<Name>) -> Answer {
    let pat = pats.update(&by, id, TokenUpdate::new().name(name), None).await?;
    Ok(Json(shown(&pats, &pat)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    description: String,
}

async fn describe(Mine { pats, by }: Mine, Id(id): Id, Body(new): Body<Description>) -> Answer {
    let update = TokenUpdate::new().description(new.description);
    Ok(Json(shown(&pats, &pats.update(&by, id, update, None).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    duration: String,
}

async fn reset(Mine { pats, by }: Mine, Id(id): Id, Body(reset): Body<Reset>) -> Answer {
    let anew = RegenerateOptions::new().expires(duration::read(&reset.duration)?);
    let issued = pats.regenerate(&by, id, anew).await?;
    Ok(with_secret(&pats, &issued.record, &issued.token))
}

async fn revoke(Mine { pats, by }: Mine, Id(id): Id) -> Answer<StatusCode> {
    pats.revoke(&by, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(pats: &Hallpass, pat: &TokenRecord) -> Value {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    json!({
        "id": pat.id.to_string(),
        "user_id": pat.owner.as_str(),
        "name": pat.name,
        "description": pat.description,
        "issued_at": pat.created_at.to_string(),
        "expires_at": time(pat.expires_at),
        // The last change that leaves a time: a new secret, or the end of one.
        "updated_at": time(pat.regenerated_at.max(pat.revoked_at)),
        "last_used_at": time(pat.last_used_at),
        "revoked": pat.revoked_at.is_some(),
        "revoked_at": time(pat.revoked_at),
        "status": pat.status(pats.now()).as_str(),
    })
}

/// The only answers that hold a secret: to `create` and to `reset`.
fn with_secret(pats: &Hallpass, pat: &TokenRecord, token: &PlainToken) -> Json<Value> {
    let mut shown = shown(pats, pat);
    shown["secret"] = token.reveal().into();
    Json(shown)
}
