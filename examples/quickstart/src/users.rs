//! The users and their sign-in. Hallpass only needs the user who sends a request.

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

/// The key of the user name in a session.
const USER: &str = "user";

/// The users and the hashes of their passwords. A real service keeps them in its database.
const USERS: [(&str, &str); 3] = [
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

/// Limits the number of concurrent password hashes, because each one needs 19 MiB of memory.
static HASHING: Semaphore = Semaphore::const_new(8);

/// Returns the signed-in user, or `None`. The user `root` is an admin. All others manage only their
/// own tokens.
pub(crate) async fn signed_in(session: Session) -> Result<Option<Actor>, StatusCode> {
    let user: Option<String> = session.get(USER).await.map_err(unavailable)?;
    Ok(user.map(|name| if name == "root" { Actor::admin(name) } else { Actor::owner(name) }))
}

/// Returns whether `password` is the password of the caller. With `--confirm`, the token API calls
/// this function for every change.
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
        let form = pages::login(Some("The name or the password is wrong."), &next);
        return Ok((StatusCode::UNAUTHORIZED, form).into_response());
    }
    // A new session id prevents session fixation: an attacker may have set the old one.
    session.cycle_id().await.map_err(unavailable)?;
    session.insert(USER, credentials.username).await.map_err(unavailable)?;
    Ok(Redirect::to(if is_local(&next) { &next } else { "/" }).into_response())
}

/// Returns whether a redirect to `path` stays on this site. This prevents an open redirect: an
/// attacker may link to the sign-in page with another site as the destination.
fn is_local(path: &str) -> bool {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    plain && path.starts_with('/') && !path.starts_with("//")
}

async fn logout(session: Session) -> Result<Redirect, StatusCode> {
    session.flush().await.map_err(unavailable)?;
    Ok(Redirect::to("/"))
}

/// Maps an error of the session store to 503, because the caller is unknown without a session.
fn unavailable(_: tower_sessions::session::Error) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

/// Runs a password check on a blocking thread, because password hashes are slow by design. The
/// permit is held until the check ends, even if the request is cancelled.
async fn hashed(check: impl FnOnce() -> bool + Send + 'static) -> Result<bool, StatusCode> {
    let permit = HASHING.acquire().await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let work = move || {
        let _permit = permit;
        check()
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// Returns whether `password` is the password of the user `name`. For an unknown name the check
/// takes as long as for a known one, so that the time does not reveal which users exist.
fn is_password_of(name: &str, password: &str) -> bool {
    let found = USERS.iter().find(|(user, _)| *user == name);
    let (_, hash) = found.unwrap_or(&USERS[0]);
    let matches = PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    matches && found.is_some()
}
