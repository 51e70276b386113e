//! The tokens: `/api/v1/personal-access-tokens`, for people who are signed in.
//!
//! Unknown members and query parameters are ignored, as Dragonfly does.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header::LINK;
use axum::http::{HeaderName, StatusCode};
use case_studies::Numbers;
use hallpass::{
    Actor, Authenticated, Error, Expiry, GuardedRouter, Hallpass, ListOptions, NewToken, Owner,
    Scope, ScopeSet, Status, TokenId, TokenRecord, TokenUpdate, authenticated,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::answer::ApiError;
use crate::people::{self, actor, user_id};

const ALL: &str = "/api/v1/personal-access-tokens";
const ONE: &str = "/api/v1/personal-access-tokens/{id}";

/// The member of a token's metadata that keeps the scopes of an inactive token. The token itself
/// then holds none, so it is valid and allows nothing: the response is 403, as in Dragonfly.
const INACTIVE: &str = "inactive_scopes";

/// The member of a token's metadata that holds the time of the last change.
const UPDATED: &str = "updated_at";

type Answer<T = Json<Value>> = Result<T, ApiError>;

#[derive(Clone)]
struct Tokens {
    hallpass: Hallpass,
    numbers: Numbers,
    /// Held while a name is checked and taken. Names are unique per person.
    names: Arc<tokio::sync::Mutex<()>>,
}

pub(crate) fn routes(hallpass: &Hallpass) -> GuardedRouter {
    GuardedRouter::new()
        .post(ALL, authenticated(), create)
        .get(ALL, authenticated(), list)
        .get(ONE, authenticated(), show)
        .patch(ONE, authenticated(), update)
        .delete(ONE, authenticated(), delete)
        .with_state(Tokens {
            hallpass: hallpass.clone(),
            numbers: Numbers::default(),
            names: Arc::default(),
        })
}

#[derive(Deserialize)]
struct New {
    name: String,
    #[serde(default)]
    bio: String,
    #[serde(default)]
    scopes: Vec<String>,
    expired_at: String,
    user_id: Option<usize>,
}

async fn create(
    State(tokens): State<Tokens>,
    Authenticated(me): Authenticated,
    new: Result<Json<New>, JsonRejection>,
) -> Answer {
    let Json(New { name, bio, scopes, expired_at, user_id }) = new?;
    same_person(user_id, me.owner())?;
    let _turn = tokens.names.lock().await;
    // A person has at most as many tokens as fit on one page.
    let namesakes = ListOptions::new().text(name.trim()).limit(ListOptions::MAX_LIMIT);
    let mine = Actor::owner(me.owner().as_str());
    let namesakes = tokens.hallpass.list(&mine, &namesakes).await?.items;
    if namesakes.iter().any(|token| token.name == name.trim()) {
        return Err(ApiError::new(StatusCode::CONFLICT, "you have a token of this name"));
    }
    let new = NewToken::named(name).description(bio).scopes(scopes).expires(instant(&expired_at)?);
    let issued = tokens.hallpass.issue(&actor(me.owner()), new).await?;
    let mut shown = tokens.shown(&issued.record);
    shown["token"] = issued.token.reveal().into();
    Ok(Json(shown))
}

/// The filters and the page of a list.
#[derive(Deserialize)]
struct Filter {
    page: Option<usize>,
    per_page: Option<usize>,
    state: Option<String>,
    user_id: Option<usize>,
}

impl Filter {
    /// Dragonfly's own console requests this many.
    const MAX_PER_PAGE: usize = 10_000_000;

    /// Returns the number of the page and its size. Zero stands for the default, as in Dragonfly.
    fn page(&self) -> Result<(usize, usize), ApiError> {
        let or =
            |value: Option<usize>, default| value.filter(|value| *value > 0).unwrap_or(default);
        let (page, per_page) = (or(self.page, 1), or(self.per_page, 10));
        if per_page > Self::MAX_PER_PAGE {
            return Err(ApiError::invalid("per_page: at most 10000000"));
        }
        Ok((page, per_page))
    }

    fn matches(&self, tokens: &Tokens, record: &TokenRecord) -> bool {
        let owner = user_id(record.owner.as_str());
        let wanted = self.user_id.filter(|id| *id > 0);
        self.state.as_ref().is_none_or(|state| tokens.state(record) == state)
            && wanted.is_none_or(|wanted| Some(wanted) == owner)
    }

    /// Returns the links to the other pages (RFC 8288). They are relative to this host.
    fn links(&self, page: usize, per_page: usize, total: usize) -> String {
        let last = total.div_ceil(per_page).max(1);
        let state = self.state.as_ref().map(|state| format!("&state={state}")).unwrap_or_default();
        let user = self.user_id.map(|id| format!("&user_id={id}")).unwrap_or_default();
        let link = |page: usize, rel: &str| {
            format!("<{ALL}?page={page}&per_page={per_page}{state}{user}>; rel=\"{rel}\"")
        };
        let mut links = vec![link(1, "first"), link(last, "last")];
        if page > 1 {
            links.push(link((page - 1).min(last), "prev"));
        }
        if page < last {
            links.push(link(page + 1, "next"));
        }
        links.join(", ")
    }
}

async fn list(
    State(tokens): State<Tokens>,
    Authenticated(me): Authenticated,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Answer<([(HeaderName, String); 1], Json<Value>)> {
    let Query(mut filter) = filter?;
    let (page, per_page) = filter.page()?;
    filter.state = filter.state.filter(|state| !state.is_empty());
    if let Some(state) = &filter.state {
        must_be_state(state, &["active", "inactive", "expired"])?;
    }
    let all = tokens.all(&actor(me.owner())).await?;
    let found: Vec<_> = all.iter().filter(|record| filter.matches(&tokens, record)).collect();
    let wanted = found.iter().skip((page - 1).saturating_mul(per_page)).take(per_page);
    let shown: Vec<_> = wanted.map(|record| tokens.shown(record)).collect();
    Ok(([(LINK, filter.links(page, per_page, found.len()))], Json(shown.into())))
}

async fn show(
    State(tokens): State<Tokens>,
    Authenticated(me): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let record = tokens.hallpass.get(&actor(me.owner()), tokens.find(&id)?).await?;
    Ok(Json(tokens.shown(&record)))
}

#[derive(Deserialize)]
struct Changes {
    bio: Option<String>,
    scopes: Option<Vec<String>>,
    expired_at: Option<String>,
    state: Option<String>,
    user_id: Option<usize>,
}

/// Changes what the request names. A person may make a token of their own inactive and active
/// again. If the root user makes another person's token inactive, it is revoked permanently.
async fn update(
    State(tokens): State<Tokens>,
    Authenticated(me): Authenticated,
    Path(id): Path<String>,
    changes: Result<Json<Changes>, JsonRejection>,
) -> Answer {
    let Json(Changes { bio, scopes, expired_at, state, user_id }) = changes?;
    let by = actor(me.owner());
    let mut record = tokens.hallpass.get(&by, tokens.find(&id)?).await?;
    same_person(user_id, &record.owner)?;
    let mut update = TokenUpdate::new();
    if let Some(bio) = bio {
        update = update.description(bio);
    }
    if let Some(text) = expired_at {
        update = update.expires(instant(&text)?);
    }
    let mut revoke = false;
    let mut inactive = is_paused(&record);
    if let Some(state) = &state {
        must_be_state(state, &["active", "inactive"])?;
        if state == "active" && record.status(tokens.hallpass.now()) != Status::Active {
            return Err(Error::NotActive.into());
        }
        revoke = state == "inactive" && *me.owner() != record.owner;
        inactive = state == "inactive" && !revoke;
    }
    let mut metadata = Map::new();
    if scopes.is_some() || inactive != is_paused(&record) {
        let scopes = scopes.unwrap_or_else(|| scopes_of(&record));
        tokens.must_know(&scopes)?;
        let kept = if inactive { scopes.join(" ").into() } else { Value::Null };
        metadata.insert(INACTIVE.to_owned(), kept);
        update = update.scopes(if inactive { Vec::new() } else { scopes });
    }
    if update != TokenUpdate::new() {
        metadata.insert(UPDATED.to_owned(), tokens.hallpass.now().to_string().into());
        let update = update.metadata(metadata);
        record = tokens.hallpass.update(&by, record.id, update, Some(record.revision)).await?;
    }
    if revoke {
        record = tokens.hallpass.revoke(&by, record.id).await?;
    }
    Ok(Json(tokens.shown(&record)))
}

async fn delete(
    State(tokens): State<Tokens>,
    Authenticated(me): Authenticated,
    Path(id): Path<String>,
) -> Answer<StatusCode> {
    tokens.hallpass.delete(&actor(me.owner()), tokens.find(&id)?, None).await?;
    Ok(StatusCode::OK)
}

impl Tokens {
    /// Returns the id of the token with this number.
    fn find(&self, number: &str) -> Result<TokenId, ApiError> {
        let number = number.parse().ok().filter(|number| *number > 0);
        let number = number.ok_or_else(|| ApiError::invalid("id: write a number"))?;
        Ok(self.numbers.token(number).ok_or(Error::NotFound)?)
    }

    /// Reads all tokens that the actor may see.
    async fn all(&self, by: &Actor) -> Result<Vec<TokenRecord>, Error> {
        let mut listing = ListOptions::new().limit(ListOptions::MAX_LIMIT);
        let mut all = Vec::new();
        loop {
            let page = self.hallpass.list(by, &listing).await?;
            all.extend(page.items);
            match page.next_cursor {
                Some(cursor) => listing = listing.cursor(cursor),
                None => return Ok(all),
            }
        }
    }

    /// Checks scopes that an inactive token is to hold later.
    fn must_know(&self, scopes: &[String]) -> Result<(), ApiError> {
        let knows = |scope: &Scope| self.hallpass.catalog().is_none_or(|all| all.knows(scope));
        match ScopeSet::parse(scopes) {
            Ok(scopes) if scopes.iter().all(knows) => Ok(()),
            _ => Err(ApiError::invalid("scopes: preheat, job and cluster")),
        }
    }

    fn state(&self, record: &TokenRecord) -> &'static str {
        match record.status(self.hallpass.now()) {
            Status::Active if is_paused(record) => "inactive",
            Status::Active => "active",
            Status::Expired => "expired",
            Status::Revoked => "inactive",
        }
    }

    /// Returns a token as permitted users see it. The console parses `token`, which contains no
    /// secret here.
    fn shown(&self, record: &TokenRecord) -> Value {
        let changed = record.metadata.get(UPDATED).and_then(Value::as_str);
        let changed = changed.and_then(|time| time.parse().ok());
        let updated_at = [changed, record.regenerated_at, record.revoked_at].into_iter().flatten();
        json!({
            "id": self.numbers.of(record.id),
            "created_at": record.created_at.to_string(),
            "updated_at": updated_at.fold(record.created_at, Ord::max).to_string(),
            "is_del": 0,
            "name": record.name,
            "bio": record.description,
            "token": "",
            "scopes": scopes_of(record),
            "state": self.state(record),
            "expired_at": record.expires_at.map(|end| end.to_string()),
            "user_id": user_id(record.owner.as_str()),
            "user": people::shown(record.owner.as_str()),
        })
    }
}

fn is_paused(record: &TokenRecord) -> bool {
    record.scopes.is_empty() && record.metadata.get(INACTIVE).is_some()
}

/// Returns the scopes of a token, and of an inactive one those that it had.
fn scopes_of(record: &TokenRecord) -> Vec<String> {
    match record.metadata.get(INACTIVE).and_then(Value::as_str) {
        Some(kept) if is_paused(record) => kept.split_whitespace().map(str::to_owned).collect(),
        _ => record.scopes.iter().map(ToString::to_string).collect(),
    }
}

/// A token belongs to the person who made it. The console names that person, and the name of
/// another person is rejected.
fn same_person(named: Option<usize>, person: &Owner) -> Result<(), ApiError> {
    match named.filter(|id| *id > 0) {
        Some(id) if Some(id) != user_id(person.as_str()) => {
            Err(ApiError::new(StatusCode::FORBIDDEN, "user_id: a token stays with its owner"))
        }
        _ => Ok(()),
    }
}

fn must_be_state(state: &str, known: &[&str]) -> Result<(), ApiError> {
    let error = || ApiError::invalid(format!("state: {}", known.join(", ")));
    known.contains(&state).then_some(()).ok_or_else(error)
}

fn instant(text: &str) -> Result<Expiry, ApiError> {
    match text.parse() {
        Ok(expiry @ Expiry::At(_)) => Ok(expiry),
        _ => {
            Err(ApiError::invalid("expired_at: write an RFC 3339 instant, `2027-03-31T12:00:00Z`"))
        }
    }
}
