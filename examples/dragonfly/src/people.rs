//! Signing in to the console: the host's own affair. What it gives is no personal access token.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hallpass::deps::jiff::SignedDuration;
use hallpass::{Actor, Expiry, Hallpass, Limits, MemoryStore, NewToken, Principal};
use serde::Deserialize;
use serde_json::json;

use crate::answer::Fault;

/// The people and their passwords, the root first. How passwords are really kept, the quickstart
/// shows.
const PEOPLE: [(&str, &str); 3] =
    [("root", "dragonfly"), ("alice", "wonderland"), ("bob", "builder")];

const SIGNED_IN: SignedDuration = SignedDuration::from_hours(2);

/// Logins have a handle of their own: what this one issues is nothing to the Open API.
pub(crate) fn logins() -> Hallpass {
    let limits = Limits::default().unlimited_tokens().default_expiry(Expiry::In(SIGNED_IN));
    Hallpass::builder(MemoryStore::new()).prefix("login").limits(limits).build()
}

/// Whoever signed in: the root sees everybody's tokens, the others their own.
pub(crate) fn caller(login: &Principal) -> Actor {
    match login.owner().as_str() {
        "root" => Actor::admin("root"),
        other => Actor::owner(other),
    }
}

/// Dragonfly's number of a person.
pub(crate) fn user_id(name: &str) -> Option<usize> {
    PEOPLE.iter().position(|(person, _)| *person == name).map(|place| place + 1)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    name: String,
    password: String,
}

/// `POST /api/v1/users/signin`
pub(crate) async fn sign_in(
    State(logins): State<Hallpass>,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Result<Response, Fault> {
    let Json(Credentials { name, password }) = credentials?;
    if !PEOPLE.contains(&(&name, &password)) {
        return Err(Fault::new(StatusCode::UNAUTHORIZED, "nobody has that name and password"));
    }
    logins.prune(&Actor::system("sign-in"), logins.now()).await?;
    let login = logins.issue(&Actor::owner(&name), NewToken::named("login")).await?;
    let token = login.token.reveal();
    // Over TLS it is `Secure`, too.
    let age = SIGNED_IN.as_secs();
    let cookie = format!("jwt={token}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax");
    let answer =
        json!({ "token": token, "expire": login.record.expires_at.map(|end| end.to_string()) });
    Ok(([(SET_COOKIE, cookie)], Json(answer)).into_response())
}

/// The console keeps its login in a cookie, programs send it in the header. Both at once are one
/// too many.
pub(crate) async fn cookie_as_bearer(mut request: Request, next: Next) -> Result<Response, Fault> {
    let headers = request.headers_mut();
    let cookies =
        headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let mut logins = cookies.filter_map(|cookie| cookie.trim_ascii().strip_prefix(b"jwt="));
    let login = match (logins.next(), logins.next()) {
        (None, _) => None,
        (Some(one), None) if !headers.contains_key(AUTHORIZATION) => {
            Some([b"Bearer ", one].concat())
        }
        _ => {
            return Err(Fault::new(
                StatusCode::BAD_REQUEST,
                "one login, in a cookie or in the header",
            ));
        }
    };
    headers.remove(COOKIE);
    if let Some(mut value) = login.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()) {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(next.run(request).await)
}
