//! The sign-in of the host. Hallpass only needs to know who calls.

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

/// The key of the person's name in a session.
const PERSON: &str = "person";

/// The people and the hashes of their passwords. A real service keeps them in its database.
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

/// The maximum number of concurrent hashes. Each one takes 19 MiB, so the others wait.
static HASHING: Semaphore = Semaphore::const_new(8);

/// Returns who is signed in. `root` is an admin, and other people see their own tokens.
pub(crate) async fn signed_in(session: Session) -> Result<Option<Actor>, StatusCode> {
    let person: Option<String> = session.get(PERSON).await.map_err(unavailable)?;
    Ok(person.map(|name| if name == "root" { Actor::admin(name) } else { Actor::owner(name) }))
}

/// Returns whether this is the caller's own password. With `--confirm`, the token API calls this
/// for every change.
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
    // A new session id makes one worthless that was planted before signing in.
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

/// The sessions cannot be read, so it is unknown who calls.
fn unavailable(_: tower_sessions::session::Error) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

/// Hashes are slow on purpose, so they are not computed on a thread that serves other requests. The
/// permit is held until the work is done, even if nobody waits for it any more.
async fn hashed(check: impl FnOnce() -> bool + Send + 'static) -> Result<bool, StatusCode> {
    let turn = HASHING.acquire().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let work = move || {
        let _turn = turn;
        check()
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// Returns whether this is the password of that person. It takes equally long for an unknown name.
fn is_password_of(name: &str, password: &str) -> bool {
    let found = PEOPLE.iter().find(|(person, _)| *person == name);
    let (_, hash) = found.unwrap_or(&PEOPLE[0]);
    let matches = PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    matches && found.is_some()
}
