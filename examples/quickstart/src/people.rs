//! Signing in: the host's own affair. Hallpass only wants to know who calls.

use std::collections::HashMap;
use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash};
use axum::Router;
use axum::extract::Form;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use hallpass::Caller;
use serde::Deserialize;
use tower_sessions::Session;

use crate::pages;

/// What the session remembers.
const PERSON: &str = "person";

/// The people and the hashes of their passwords. A real service has them in its database.
static PEOPLE: LazyLock<HashMap<&str, String>> = LazyLock::new(|| {
    [("alice", "wonderland"), ("bob", "builder"), ("root", "toor")]
        .into_iter()
        .map(|(name, password)| {
            let hash = Argon2::default()
                .hash_password(password.as_bytes())
                .expect("a fixed password hashes");
            (name, hash.to_string())
        })
        .collect()
});

/// Who is signed in: `root` is an admin, the others see their own tokens.
pub(crate) async fn signed_in(session: Session) -> Result<Option<Caller>, StatusCode> {
    let person: Option<String> =
        session.get(PERSON).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(person.map(|name| if name == "root" { Caller::admin(name) } else { Caller::owner(name) }))
}

pub(crate) fn routes() -> Router {
    Router::new().route("/login", post(login)).route("/logout", post(logout))
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

async fn login(session: Session, Form(credentials): Form<Credentials>) -> Response {
    let Credentials { username, password } = credentials;
    // Hashing takes its time on purpose: not on a thread that serves others.
    let known = {
        let username = username.clone();
        tokio::task::spawn_blocking(move || is_password_of(&username, &password)).await
    };
    if !known.unwrap_or(false) {
        return (
            StatusCode::UNAUTHORIZED,
            pages::login(Some("That is not the name and password of anybody here.")),
        )
            .into_response();
    }
    // A new session id, so that one planted before signing in is worth nothing.
    let signed_in = match session.cycle_id().await {
        Ok(()) => session.insert(PERSON, username).await,
        Err(error) => Err(error),
    };
    match signed_in {
        Ok(()) => Redirect::to("/").into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

async fn logout(session: Session) -> Response {
    match session.flush().await {
        Ok(()) => Redirect::to("/").into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// As slow for a name that nobody has.
fn is_password_of(name: &str, password: &str) -> bool {
    let known = PEOPLE.get(name);
    let Some(hash) = known.or_else(|| PEOPLE.values().next()) else { return false };
    let matches = PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    known.is_some() && matches
}
