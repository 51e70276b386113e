//! Signing in: the host's own affair. Hallpass only wants to know who calls.

use argon2::Argon2;
use argon2::password_hash::{PasswordVerifier as _, phc::PasswordHash};
use axum::Router;
use axum::extract::Form;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use hallpass::{Actor, Confirmation};
use serde::Deserialize;
use tokio::sync::Semaphore;
use tower_sessions::Session;

use crate::pages;

/// What the session remembers.
const PERSON: &str = "person";

/// The people and what a sign-up would have kept of their passwords. A real service has it in its
/// database.
const PEOPLE: [(&str, &str); 3] = [
    (
        "alice",
        "$argon2id$v=19$m=19456,t=2,p=1$L2XBb1pNuz4qCBqqcSzvTA$48ZXkafqWQ0n7yIJH2j2oXKIbL1AbIT3vKmwzAGa0D0",
    ),
    (
        "bob",
        "$argon2id$v=19$m=19456,t=2,p=1$FpT7vfuDzElYDwZQokB42w$+e++y/qnb3tLK0OR+f0HOUihezvD43gPhvHptn2d8aw",
    ),
    (
        "root",
        "$argon2id$v=19$m=19456,t=2,p=1$WjlrxessjFmDSju8Nstzvg$5QdJmMoMkcG/SuqhjasIKvV2IbZnQKTjo1RfC+AxQd4",
    ),
];

/// Each hash takes 19 MiB for a moment: so many at once, the others wait.
static HASHING: Semaphore = Semaphore::const_new(8);

/// Who is signed in: `root` is an admin, the others see their own tokens.
pub(crate) async fn signed_in(session: Session) -> Result<Option<Actor>, StatusCode> {
    let person: Option<String> = session.get(PERSON).await.map_err(unavailable)?;
    Ok(person.map(|name| if name == "root" { Actor::admin(name) } else { Actor::owner(name) }))
}

/// Whether that is the caller's own password: with `--confirm`, the token API asks with every
/// change.
pub(crate) async fn confirmed(caller: Actor, password: Confirmation) -> Result<bool, StatusCode> {
    hashed(move || is_password_of(caller.id().as_str(), password.reveal())).await
}

pub(crate) fn routes() -> Router {
    Router::new().route("/login", post(login)).route("/logout", post(logout))
}

#[derive(Clone, Deserialize)]
struct Credentials {
    username: String,
    password: String,
    #[serde(default)]
    next: String,
}

async fn login(
    session: Session,
    Form(credentials): Form<Credentials>,
) -> Result<Response, StatusCode> {
    let Credentials { username, password, next } = credentials.clone();
    if !hashed(move || is_password_of(&username, &password)).await? {
        let sorry = pages::login(Some("That is not the name and password of anybody here."), &next);
        return Ok((StatusCode::UNAUTHORIZED, sorry).into_response());
    }
    // A new session id, so that one planted before signing in is worth nothing.
    session.cycle_id().await.map_err(unavailable)?;
    session.insert(PERSON, credentials.username).await.map_err(unavailable)?;
    Ok(Redirect::to(if is_local(&next) { &next } else { "/" }).into_response())
}

/// Checks whether a browser stays on this site when it follows the path. Anybody can write a link
/// to the sign-in that names another destination.
fn is_local(path: &str) -> bool {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    plain && path.starts_with('/') && !path.starts_with("//")
}

async fn logout(session: Session) -> Result<Redirect, StatusCode> {
    session.flush().await.map_err(unavailable)?;
    Ok(Redirect::to("/"))
}

/// The sessions cannot be reached: that says nothing about who calls.
fn unavailable(_: tower_sessions::session::Error) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

/// Hashing takes its time on purpose: not on a thread that serves others. The turn is over when the
/// work is, even if nobody waits for it any more.
async fn hashed(check: impl FnOnce() -> bool + Send + 'static) -> Result<bool, StatusCode> {
    let turn = HASHING.acquire().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let work = move || {
        let _turn = turn;
        check()
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// As slow for a name that nobody has.
fn is_password_of(name: &str, password: &str) -> bool {
    let found = PEOPLE.iter().find(|(person, _)| *person == name);
    let (_, hash) = found.unwrap_or(&PEOPLE[0]);
    let matches = PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    matches && found.is_some()
}
