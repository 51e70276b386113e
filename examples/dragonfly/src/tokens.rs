//! The tokens: `/api/v1/personal-access-tokens`, for people who are signed in.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header::LINK;
use axum::http::{HeaderName, StatusCode};
use hallpass::{
    Actor, Authenticated, Error, Expiry, GuardedRouter, Hallpass, ListOptions, NewToken, Status,
    TokenId, TokenRecord, TokenUpdate, authenticated,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Fault;
use crate::people::{caller, user_id};

const ALL: &str = "/api/v1/personal-access-tokens";
const ONE: &str = "/api/v1/personal-access-tokens/{id}";

type Answer<T = Json<Value>> = Result<T, Fault>;

pub(crate) fn routes() -> GuardedRouter<Hallpass> {
    GuardedRouter::new()
        .post(ALL, authenticated(), create)
        .get(ALL, authenticated(), list)
        .get(ONE, authenticated(), show)
        .patch(ONE, authenticated(), update)
        .delete(ONE, authenticated(), delete)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    #[serde(default)]
    bio: String,
    #[serde(default)]
    scopes: Vec<String>,
    expired_at: String,
}

async fn create(
    State(hallpass): State<Hallpass>,
    Authenticated(me): Authenticated,
    new: Result<Json<New>, JsonRejection>,
) -> Answer {
    let Json(New { name, bio, scopes, expired_at }) = new?;
    let new = NewToken::named(name).description(bio).scopes(scopes).expires(instant(&expired_at)?);
    let issued = hallpass.issue(&caller(&me), new).await?;
    let mut shown = shown(&hallpass, &issued.record);
    shown["token"] = issued.token.reveal().into();
    Ok(Json(shown))
}

/// Which of the tokens are asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    #[serde(default = "Page::first")]
    page: usize,
    #[serde(default = "Page::usual_size")]
    per_page: usize,
    state: Option<String>,
}

impl Page {
    /// Dragonfly's own console asks for so many.
    const LARGEST: usize = 10_000_000;

    fn first() -> usize {
        1
    }

    fn usual_size() -> usize {
        10
    }

    /// Where the other pages are (RFC 8288), from this host, whatever it was called.
    fn links(&self, total: usize) -> String {
        let Self { page, per_page, state } = self;
        let last = total.div_ceil(*per_page).max(1);
        let state = state.as_ref().map(|state| format!("&state={state}")).unwrap_or_default();
        let link = |page: usize, rel: &str| {
            format!("<{ALL}?page={page}&per_page={per_page}{state}>; rel=\"{rel}\"")
        };
        let mut links = vec![link(1, "first"), link(last, "last")];
        if *page > 1 {
            links.push(link((page - 1).min(last), "prev"));
        }
        if *page < last {
            links.push(link(page + 1, "next"));
        }
        links.join(", ")
    }
}

async fn list(
    State(hallpass): State<Hallpass>,
    Authenticated(me): Authenticated,
    page: Result<Query<Page>, QueryRejection>,
) -> Answer<([(HeaderName, String); 1], Json<Value>)> {
    let Query(page) = page?;
    if page.page == 0 || !(1..=Page::LARGEST).contains(&page.per_page) {
        return Err(Fault::invalid("page: from 1 on; per_page: 1 to 10000000"));
    }
    let listing = match page.state.as_deref().map(status) {
        None => ListOptions::new(),
        Some(status) => ListOptions::new().status(status?),
    };
    let all = all(&hallpass, &caller(&me), listing).await?;
    let skipped = (page.page - 1).saturating_mul(page.per_page);
    let wanted = all.iter().skip(skipped).take(page.per_page);
    let shown: Vec<_> = wanted.map(|record| shown(&hallpass, record)).collect();
    Ok(([(LINK, page.links(all.len()))], Json(shown.into())))
}

async fn show(
    State(hallpass): State<Hallpass>,
    Authenticated(me): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    Ok(Json(shown(&hallpass, &find(&hallpass, &caller(&me), &id).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    name: Option<String>,
    bio: Option<String>,
    scopes: Option<Vec<String>>,
    expired_at: Option<String>,
    state: Option<String>,
}

/// What is not named stays. Inactive is for good: no token comes back with the secret it had.
async fn update(
    State(hallpass): State<Hallpass>,
    Authenticated(me): Authenticated,
    Path(id): Path<String>,
    changes: Result<Json<Changes>, JsonRejection>,
) -> Answer {
    let Json(Changes { name, bio, scopes, expired_at, state }) = changes?;
    let mut changes = TokenUpdate::new();
    if let Some(name) = name {
        changes = changes.name(name);
    }
    if let Some(bio) = bio {
        changes = changes.description(bio);
    }
    if let Some(scopes) = scopes {
        changes = changes.scopes(scopes);
    }
    if let Some(text) = expired_at {
        changes = changes.expires(instant(&text)?);
    }
    let state = state.as_deref().map(status).transpose()?;
    let me = caller(&me);
    let mut record = find(&hallpass, &me, &id).await?;
    match state {
        Some(Status::Expired) => return Err(Fault::invalid("state: active or inactive")),
        Some(Status::Active) if record.status(hallpass.now()) != Status::Active => {
            return Err(Error::Ended.into());
        }
        Some(_) | None => {}
    }
    if changes != TokenUpdate::new() {
        record = hallpass.update(&me, record.id, changes, None).await?;
    }
    if state == Some(Status::Revoked) {
        record = hallpass.revoke(&me, record.id).await?;
    }
    Ok(Json(shown(&hallpass, &record)))
}

async fn delete(
    State(hallpass): State<Hallpass>,
    Authenticated(me): Authenticated,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    let me = caller(&me);
    let record = find(&hallpass, &me, &id).await?;
    hallpass.delete(&me, record.id, None).await?;
    Ok(StatusCode::OK)
}

/// A token as everybody sees it who may: without its secret.
fn shown(hallpass: &Hallpass, record: &TokenRecord) -> Value {
    let scopes: Vec<_> = record.scopes.iter().map(ToString::to_string).collect();
    json!({
        "id": number(record.id),
        "name": record.name,
        "bio": record.description,
        "scopes": scopes,
        "state": match record.status(hallpass.now()) {
            Status::Active => "active",
            Status::Expired => "expired",
            Status::Revoked => "inactive",
        },
        "created_at": record.created_at.to_string(),
        "expired_at": record.expires_at.map(|end| end.to_string()),
        "user_id": user_id(record.owner.as_str()),
        "user": { "name": record.owner.as_str() },
    })
}

fn status(state: &str) -> Result<Status, Fault> {
    match state {
        "active" => Ok(Status::Active),
        "expired" => Ok(Status::Expired),
        "inactive" => Ok(Status::Revoked),
        _ => Err(Fault::invalid("state: active, inactive or expired")),
    }
}

fn instant(text: &str) -> Result<Expiry, Fault> {
    match text.parse() {
        Ok(expiry @ Expiry::At(_)) => Ok(expiry),
        _ => Err(Fault::invalid("expired_at: write an RFC 3339 instant, `2027-03-31T12:00:00Z`")),
    }
}

/// The number that stands for an id: 53 of its random bits, as many as every JSON reader can hold.
/// It needs no table, and nobody can count tokens with it.
fn number(id: TokenId) -> u64 {
    id.as_uuid().as_u64_pair().1 & ((1 << 53) - 1)
}

async fn find(hallpass: &Hallpass, by: &Actor, id: &str) -> Result<TokenRecord, Error> {
    let all = all(hallpass, by, ListOptions::new()).await?;
    let mut found = all.into_iter().filter(|record| number(record.id).to_string() == id);
    match (found.next(), found.next()) {
        (Some(record), None) => Ok(record),
        _ => Err(Error::NotFound),
    }
}

/// All that the caller may see: their own, the root's are everybody's.
async fn all(
    hallpass: &Hallpass,
    by: &Actor,
    listing: ListOptions,
) -> Result<Vec<TokenRecord>, Error> {
    let mut listing = listing.limit(ListOptions::MAX_LIMIT);
    let mut all = Vec::new();
    loop {
        let page = hallpass.list(by, &listing).await?;
        all.extend(page.items);
        match page.next_cursor {
            Some(cursor) => listing = listing.cursor(cursor),
            None => return Ok(all),
        }
    }
}
