//! The PATs: `/pats`, for people who are signed in.
//!
//! Unknown members and query parameters are ignored, as Magistrala does.

use axum::Json;
use axum::http::StatusCode;
use hallpass::deps::jiff::Timestamp;
use hallpass::fold;
use hallpass::store::{Sort, SortBy};
use hallpass::{
    Actor, Error, GuardedRouter, Hallpass, ListOptions, NewToken, PlainToken, RegenerateOptions,
    Status, TokenId, TokenRecord, TokenUpdate, authenticated,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::duration;
use crate::error::ApiError;
use crate::request::{Body, Id, Params, SignedIn};
use crate::scopes::PatScope;

pub(crate) type Answer<T = Json<Value>> = Result<T, ApiError>;

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
struct NewPat {
    name: String,
    #[serde(default)]
    description: String,
    duration: String,
    #[serde(default)]
    scopes: Vec<PatScope>,
}

async fn create(
    SignedIn { pats, by }: SignedIn,
    Body(new): Body<NewPat>,
) -> Answer<(StatusCode, Json<Value>)> {
    let NewPat { name, description, duration, scopes } = new;
    let scopes = scopes.iter().map(PatScope::granted).collect::<Result<Vec<_>, _>>()?;
    let new = NewToken::named(name).description(description).scopes(scopes);
    let issued = pats.issue(&by, new.expires(duration::read(&duration)?)).await?;
    Ok((StatusCode::CREATED, with_secret(&pats, &issued.record, &issued.token)))
}

/// The filters, the order and the page of a list.
#[derive(Deserialize)]
struct Filter {
    #[serde(default)]
    offset: usize,
    #[serde(default = "default_limit")]
    limit: usize,
    id: Option<String>,
    name: Option<String>,
    status: Option<String>,
    order: Option<String>,
    dir: Option<String>,
}

pub(crate) fn default_limit() -> usize {
    10
}

impl Filter {
    /// Returns the status to list, or `None` for all.
    fn status(&self) -> Result<Option<Status>, ApiError> {
        match self.status.as_deref() {
            None | Some("active") => Ok(Some(Status::Active)),
            Some("revoked") => Ok(Some(Status::Revoked)),
            Some("expired") => Ok(Some(Status::Expired)),
            Some("all") => Ok(None),
            Some(_) => Err(ApiError::invalid("status: active, revoked, expired or all")),
        }
    }

    fn sort(&self) -> Sort {
        let by = match self.order.as_deref() {
            Some("name") => SortBy::Name,
            Some("expires_at") => SortBy::ExpiresAt,
            Some("last_used_at") => SortBy::LastUsedAt,
            _ => SortBy::CreatedAt,
        };
        Sort { by, descending: self.dir.as_deref() != Some("asc") }
    }
}

/// Returns one page of all items, under their name.
pub(crate) fn page(name: &str, all: Vec<Value>, offset: usize, limit: usize) -> Answer {
    if !(1..=100).contains(&limit) {
        return Err(ApiError::invalid("limit: 1 to 100"));
    }
    let total = all.len();
    let page: Vec<_> = all.into_iter().skip(offset).take(limit).collect();
    Ok(Json(json!({ "total": total, "offset": offset, "limit": limit, name: page })))
}

async fn list(SignedIn { pats, by }: SignedIn, Params(filter): Params<Filter>) -> Answer {
    let status = filter.status()?;
    let found = match &filter.id {
        Some(id) => one(&pats, &by, id).await?,
        None => {
            let mut listing = ListOptions::new().sort(filter.sort()).limit(ListOptions::MAX_LIMIT);
            if let Some(name) = &filter.name {
                listing = listing.text(name);
            }
            pats.list(&by, &listing).await?.items
        }
    };
    let name = filter.name.as_deref().map(fold);
    let found = found.into_iter().filter(|pat| {
        // `text` also searches descriptions.
        name.as_ref().is_none_or(|name| fold(&pat.name).contains(name))
            && status.is_none_or(|status| pat.status(pats.now()) == status)
    });
    let found = found.map(|pat| shown(&pats, &pat)).collect();
    page("pats", found, filter.offset, filter.limit)
}

/// Returns the PAT with this id as a list, which is empty if there is none.
async fn one(pats: &Hallpass, by: &Actor, id: &str) -> Result<Vec<TokenRecord>, Error> {
    let Ok(id) = id.parse() else { return Ok(Vec::new()) };
    match pats.get(by, id).await {
        Ok(pat) => Ok(vec![pat]),
        Err(Error::NotFound) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

async fn show(SignedIn { pats, by }: SignedIn, Id(id): Id) -> Answer {
    Ok(Json(shown(&pats, &pats.get(&by, id).await?)))
}

async fn delete(SignedIn { pats, by }: SignedIn, Id(id): Id) -> Answer<StatusCode> {
    pats.delete(&by, id, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn delete_all(SignedIn { pats, by }: SignedIn) -> Answer<StatusCode> {
    pats.delete_all(&by).await?;
    Ok(StatusCode::OK)
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

async fn rename(
    SignedIn { pats, by }: SignedIn,
    Id(id): Id,
    Body(Name { name }): Body<Name>,
) -> Answer<(StatusCode, Json<Value>)> {
    change(&pats, &by, id, TokenUpdate::new().name(name)).await
}

#[derive(Deserialize)]
struct Description {
    description: String,
}

async fn describe(
    SignedIn { pats, by }: SignedIn,
    Id(id): Id,
    Body(Description { description }): Body<Description>,
) -> Answer<(StatusCode, Json<Value>)> {
    if description.is_empty() {
        return Err(ApiError::invalid("description: it is empty"));
    }
    change(&pats, &by, id, TokenUpdate::new().description(description)).await
}

/// Changes a PAT and notes when, which is `updated_at`.
async fn change(
    pats: &Hallpass,
    by: &Actor,
    id: TokenId,
    update: TokenUpdate,
) -> Answer<(StatusCode, Json<Value>)> {
    let now = Map::from_iter([(UPDATED.to_owned(), pats.now().to_string().into())]);
    let pat = pats.update(by, id, update.metadata(now), None).await?;
    Ok((StatusCode::ACCEPTED, Json(shown(pats, &pat))))
}

/// The member of a PAT's metadata that keeps when its name or description was changed last.
const UPDATED: &str = "updated_at";

#[derive(Deserialize)]
struct Reset {
    duration: String,
}

async fn reset(SignedIn { pats, by }: SignedIn, Id(id): Id, Body(reset): Body<Reset>) -> Answer {
    let options = RegenerateOptions::new().expires(duration::read(&reset.duration)?);
    let issued = pats.regenerate(&by, id, options).await?;
    Ok(with_secret(&pats, &issued.record, &issued.token))
}

async fn revoke(SignedIn { pats, by }: SignedIn, Id(id): Id) -> Answer<StatusCode> {
    pats.revoke(&by, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The time that means an absent time in Go.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

fn shown(pats: &Hallpass, pat: &TokenRecord) -> Value {
    let time = |time: Option<Timestamp>| time.map_or(NO_TIME.to_owned(), |time| time.to_string());
    let changed = pat.metadata.get(UPDATED).and_then(Value::as_str);
    let changed = changed.and_then(|text| text.parse().ok());
    json!({
        "id": pat.id.to_string(),
        "user_id": pat.owner.as_str(),
        "name": pat.name,
        "description": pat.description,
        "issued_at": pat.created_at.to_string(),
        "expires_at": time(pat.expires_at),
        "updated_at": time(changed.max(pat.regenerated_at).max(pat.revoked_at)),
        "last_used_at": time(pat.last_used_at),
        "revoked": pat.revoked_at.is_some(),
        "revoked_at": time(pat.revoked_at),
        "status": pat.status(pats.now()).as_str(),
    })
}

/// Shows a PAT with its secret, which only `create` and `reset` do.
fn with_secret(pats: &Hallpass, pat: &TokenRecord, token: &PlainToken) -> Json<Value> {
    let mut shown = shown(pats, pat);
    shown["secret"] = token.reveal().into();
    Json(shown)
}
