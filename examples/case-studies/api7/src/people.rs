//! The accounts, and how people sign in to the console.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use hallpass::{Actor, Authenticated, Owner, OwnerStatus};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_sessions::Session;

use crate::answer::{ApiError, ok};

pub(crate) struct Account {
    id: &'static str,
    name: &'static str,
    /// The quickstart shows how a real service stores passwords.
    password: &'static str,
    orgs: &'static [&'static str],
}

const ACCOUNTS: [Account; 2] = [
    Account { id: "1001", name: "alice", password: "wonderland", orgs: &["2001"] },
    Account { id: "1002", name: "bob", password: "builder", orgs: &["2001", "2002"] },
];

impl Account {
    /// Returns the account with this id. No other account ever gets the same id.
    fn of(id: &str) -> Option<&'static Self> {
        ACCOUNTS.iter().find(|account| account.id == id)
    }

    /// Returns the names of the accounts with these ids.
    pub(crate) async fn names(ids: Vec<String>) -> Vec<(String, String)> {
        let name = |id: &String| Some((id.clone(), Self::of(id)?.name.to_owned()));
        ids.iter().filter_map(name).collect()
    }

    fn shown(&self) -> Value {
        let Self { id, name, orgs, .. } = self;
        json!({
            "id": id,
            "first_name": name,
            "last_name": "",
            "email": format!("{name}@example.com"),
            "org_ids": orgs,
            "connection": "password",
            "avatar_url": "",
            "created_at": "2022-01-01T00:00:00Z",
            "updated_at": "2022-01-01T00:00:00Z",
        })
    }
}

/// The key of the account's id in a session.
const ACCOUNT: &str = "account";

#[derive(Deserialize)]
pub(crate) struct Credentials {
    username: String,
    password: String,
}

/// `POST /api/v1/user/login`
pub(crate) async fn login(
    session: Session,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(credentials) = credentials?;
    Ok(ok(begin(&session, &credentials).await?))
}

/// Signs a person in, and returns the account.
pub(crate) async fn begin(session: &Session, credentials: &Credentials) -> Result<Value, ApiError> {
    let Credentials { username, password } = credentials;
    let account = ACCOUNTS
        .iter()
        .find(|account| account.name == username && account.password == password)
        .ok_or_else(|| ApiError::new(StatusCode::UNAUTHORIZED, "wrong name or password"))?;
    // A new session id prevents session fixation: an attacker may have set the old one.
    session.cycle_id().await.map_err(unavailable)?;
    session.insert(ACCOUNT, account.id).await.map_err(unavailable)?;
    Ok(account.shown())
}

/// Returns who is signed in, for the pages.
pub(crate) async fn signed_in(session: Session) -> Result<Option<Actor>, StatusCode> {
    let account: Option<String> =
        session.get(ACCOUNT).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(account.as_deref().and_then(Account::of).map(|account| Actor::owner(account.id)))
}

/// The person who is signed in to the console. A token does not open it.
pub(crate) struct SignedIn(pub(crate) Actor);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let session = Session::from_request_parts(parts, state)
            .await
            .map_err(|(status, error)| ApiError::new(status, error))?;
        let account: Option<String> = session.get(ACCOUNT).await.map_err(unavailable)?;
        let sent_token = parts.headers.contains_key(AUTHORIZATION);
        match account.as_deref().and_then(Account::of) {
            Some(_) if sent_token => {
                Err(ApiError::new(StatusCode::BAD_REQUEST, "a session and a token: send one"))
            }
            Some(account) => Ok(Self(Actor::owner(account.id))),
            None => Err(ApiError::new(StatusCode::UNAUTHORIZED, "sign in to the console first")),
        }
    }
}

/// The sessions cannot be read, so it is unknown who calls.
fn unavailable(_: tower_sessions::session::Error) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "try again shortly")
}

/// Returns the status of an account. The tokens of a deleted account are rejected.
pub(crate) async fn status(
    owner: Owner,
) -> Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Account::of(owner.as_str()).map_or(OwnerStatus::Disabled, |_| OwnerStatus::Active))
}

/// `GET /api/v1/user/me`
pub(crate) async fn me(Authenticated(me): Authenticated) -> Result<Json<Value>, ApiError> {
    let account = Account::of(me.owner().as_str());
    account
        .map(|account| ok(account.shown()))
        .ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "the account was deleted"))
}
