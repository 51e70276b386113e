//! The accounts, and signing in to the console: the host's own affair.

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

use crate::answer::{Fault, ok};

struct Account {
    id: &'static str,
    name: &'static str,
    /// How passwords are really kept, the quickstart shows.
    password: &'static str,
    orgs: &'static [&'static str],
}

const ACCOUNTS: [Account; 2] = [
    Account { id: "1001", name: "alice", password: "wonderland", orgs: &["2001"] },
    Account { id: "1002", name: "bob", password: "builder", orgs: &["2001", "2002"] },
];

impl Account {
    /// The account of that id, which no other will ever have.
    fn of(id: &str) -> Option<&'static Self> {
        ACCOUNTS.iter().find(|account| account.id == id)
    }

    fn shown(&self) -> Value {
        let Self { id, name, orgs, .. } = self;
        json!({ "id": id, "email": format!("{name}@example.com"), "org_ids": orgs })
    }
}

/// What the session remembers.
const ACCOUNT: &str = "account";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    username: String,
    password: String,
}

/// `POST /api/v1/user/login`
pub(crate) async fn login(
    session: Session,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Result<Json<Value>, Fault> {
    let Json(Credentials { username, password }) = credentials?;
    let account = ACCOUNTS
        .iter()
        .find(|account| account.name == username && account.password == password)
        .ok_or_else(|| Fault::new(StatusCode::UNAUTHORIZED, "wrong name or password"))?;
    // A new session id, so that one planted before signing in is worth nothing.
    session.cycle_id().await.map_err(unavailable)?;
    session.insert(ACCOUNT, account.id).await.map_err(unavailable)?;
    Ok(ok(account.shown()))
}

/// Whoever is signed in to the console. A token does not open it.
pub(crate) struct SignedIn(pub(crate) Actor);

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let session = Session::from_request_parts(parts, state)
            .await
            .map_err(|(status, error)| Fault::new(status, error))?;
        let account: Option<String> = session.get(ACCOUNT).await.map_err(unavailable)?;
        let sent_token = parts.headers.contains_key(AUTHORIZATION);
        match account.as_deref().and_then(Account::of) {
            Some(_) if sent_token => {
                Err(Fault::new(StatusCode::BAD_REQUEST, "a session and a token: send one"))
            }
            Some(account) => Ok(Self(Actor::owner(account.id))),
            None => Err(Fault::new(StatusCode::UNAUTHORIZED, "sign in to the console first")),
        }
    }
}

/// The sessions cannot be reached: that says nothing about who calls.
fn unavailable(_: tower_sessions::session::Error) -> Fault {
    Fault::new(StatusCode::SERVICE_UNAVAILABLE, "try again shortly")
}

/// Without an account, a token is nobody's.
pub(crate) async fn standing(
    owner: Owner,
) -> Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>> {
    Ok(Account::of(owner.as_str()).map_or(OwnerStatus::Disabled, |_| OwnerStatus::Active))
}

/// `GET /api/v1/user/me`
pub(crate) async fn me(Authenticated(me): Authenticated) -> Result<Json<Value>, Fault> {
    let account = Account::of(me.owner().as_str());
    account
        .map(|account| ok(account.shown()))
        .ok_or_else(|| Fault::new(StatusCode::NOT_FOUND, "the account is gone"))
}
