//! The people, the domains they belong to, and how they sign in.

use axum::Json;
use axum::extract::State;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, StatusCode};
use hallpass::deps::jiff::SignedDuration;
use hallpass::{Actor, AuthError, Hallpass, Issued, NewToken, Owner, OwnerStatus, ScopeSet};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::request::Body;
use crate::scopes::PLATFORM;

struct Person {
    id: &'static str,
    name: &'static str,
    /// The quickstart shows how a real service stores passwords.
    password: &'static str,
    domains: &'static [&'static str],
}

const PEOPLE: [Person; 3] = [
    Person {
        id: "5e2f8a10-6b1d-4c39-8f27-a1b2c3d4e5f6",
        name: "alice",
        password: "wonderland",
        domains: &[HOME],
    },
    Person {
        id: "a7c41d9e-0f53-4b86-9e1a-0b1c2d3e4f50",
        name: "bob",
        password: "builder",
        domains: &[PLANT],
    },
    Person {
        id: "d03b96f4-2a78-4e5c-b6d1-1a2b3c4d5e6f",
        name: "root",
        password: "toor",
        domains: &[HOME, PLANT],
    },
];

pub(crate) const HOME: &str = "3f0a6c52-8d1b-4b7e-9a44-d0c1f2e3a4b5";
pub(crate) const PLANT: &str = "c4e7d1f8-2a96-4f03-b5d8-6e1a7b8c9d0e";

/// The lifetime of a login.
pub(crate) const LOGIN_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The cookie of people who signed in on the page. The SDK sends the login as a bearer token.
pub(crate) const SESSION: &str = "session";

#[derive(Deserialize)]
pub(crate) struct Credentials {
    username: String,
    password: String,
}

/// `POST /users/tokens/issue`
pub(crate) async fn sign_in(
    State(logins): State<Hallpass>,
    Body(credentials): Body<Credentials>,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let login = begin(&logins, &credentials).await?;
    let answer = json!({ "access_token": login.token.reveal(), "access_type": "Bearer" });
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Signs a person in.
pub(crate) async fn begin(
    logins: &Hallpass,
    credentials: &Credentials,
) -> Result<Issued, ApiError> {
    let Credentials { username, password } = credentials;
    let person = PEOPLE
        .iter()
        .find(|person| person.name == username && person.password == password)
        .ok_or_else(|| ApiError::new(StatusCode::UNAUTHORIZED, "wrong name or password"))?;
    logins.prune(&Actor::system("sign-in"), logins.now()).await?;
    Ok(logins.issue(&Actor::owner(person.id), NewToken::named("login")).await?)
}

/// Returns who is signed in according to the session cookie, for the pages.
pub(crate) async fn signed_in(
    State(logins): State<Hallpass>,
    headers: HeaderMap,
) -> Result<Option<Actor>, StatusCode> {
    let lines = headers.get_all(COOKIE).into_iter();
    let mut sessions = lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|cookie| cookie.trim_ascii().strip_prefix(b"session="));
    let (Some(session), None) = (sessions.next(), sessions.next()) else { return Ok(None) };
    match logins.authenticate(session).await {
        Ok(login) => Ok(Some(Actor::owner(login.owner().as_str()))),
        Err(AuthError::Unavailable(_)) => Err(StatusCode::SERVICE_UNAVAILABLE),
        Err(_) => Ok(None),
    }
}

/// Returns the names of the people with these ids.
pub(crate) async fn names(ids: Vec<String>) -> Vec<(String, String)> {
    let known = PEOPLE.iter().filter(|person| ids.iter().any(|id| id == person.id));
    known.map(|person| (person.id.to_owned(), person.name.to_owned())).collect()
}

/// Returns what a person may do now, which is the most that their PATs can do: everything in the
/// domains they belong to, and everything that belongs to no domain.
pub(crate) async fn status(
    owner: Owner,
) -> Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>> {
    match PEOPLE.iter().find(|person| person.id == owner.as_str()) {
        Some(Person { domains, .. }) => {
            let all = domains.iter().chain(&[PLATFORM]).map(|domain| format!("*:*:{domain}"));
            Ok(OwnerStatus::Limited(ScopeSet::parse(all)?))
        }
        None => Ok(OwnerStatus::Disabled),
    }
}
