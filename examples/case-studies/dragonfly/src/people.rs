//! The people of the manager, and how they sign in. A login is not a personal access token.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::deps::jiff::{SignedDuration, Timestamp};
use hallpass::{
    Actor, AuthError, Authenticated, Expiry, GuardedRouter, Hallpass, Issued, Limits, MemoryStore,
    NewToken, Owner, authenticated,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::ApiError;

/// The people and their passwords. The first one is the root user. The quickstart shows how a real
/// service stores passwords.
const PEOPLE: [(&str, &str); 3] =
    [("root", "dragonfly"), ("alice", "wonderland"), ("bob", "builder")];

const LOGIN_LIFETIME: SignedDuration = SignedDuration::from_hours(2);

/// The cookie that authenticates. No script can read it.
pub(crate) const SESSION: &str = "session";

/// The cookie that Dragonfly's console reads to show who is signed in. It does not authenticate
/// requests.
const JWT: &str = "jwt";

/// Builds the handle for logins. The Open API does not accept what this handle issues.
pub(crate) fn logins() -> Hallpass {
    let limits = Limits::default().unlimited_tokens().default_expiry(Expiry::In(LOGIN_LIFETIME));
    Hallpass::builder(MemoryStore::new()).prefix("login").limits(limits).build()
}

/// The calls of the console about the people themselves.
pub(crate) fn routes(logins: &Hallpass) -> GuardedRouter {
    GuardedRouter::new()
        .get("/api/v1/users/{id}", authenticated(), user)
        .get("/api/v1/users/{id}/roles", authenticated(), roles)
        .post("/api/v1/users/refresh_token", authenticated(), refresh)
        .post("/api/v1/users/signout", authenticated(), sign_out)
        .with_state(logins.clone())
}

pub(crate) fn sign_in_routes(logins: &Hallpass) -> Router {
    Router::new().route("/api/v1/users/signin", post(sign_in)).with_state(logins.clone())
}

/// Returns the actor for a person: the root user reaches the tokens of everybody, and other people
/// reach their own.
pub(crate) fn actor(person: &Owner) -> Actor {
    match person.as_str() {
        "root" => Actor::admin("root"),
        other => Actor::owner(other),
    }
}

/// Returns Dragonfly's number of a person.
pub(crate) fn user_id(name: &str) -> Option<usize> {
    PEOPLE.iter().position(|(person, _)| *person == name).map(|place| place + 1)
}

/// A person as Dragonfly shows one.
pub(crate) fn shown(name: &str) -> Value {
    json!({
        "id": user_id(name),
        "created_at": "2022-01-01T00:00:00Z",
        "updated_at": "2022-01-01T00:00:00Z",
        "is_del": 0,
        "name": name,
        "email": format!("{name}@example.com"),
        "phone": "",
        "avatar": "",
        "location": "",
        "bio": "",
        "state": "enable",
        "configs": null,
    })
}

#[derive(Deserialize)]
pub(crate) struct Credentials {
    name: String,
    password: String,
}

/// A new login.
pub(crate) struct Login(Issued);

impl Login {
    /// The cookies of a browser that is signed in. Over TLS, they are also `Secure`.
    pub(crate) fn cookies(&self) -> AppendHeaders<[(axum::http::HeaderName, String); 2]> {
        let Issued { record, token, .. } = &self.0;
        let (name, end) = (record.owner.as_str(), record.expires_at.map(Timestamp::as_second));
        let parts = [
            json!({ "alg": "none", "typ": "JWT" }),
            json!({ "id": user_id(name), "name": name, "exp": end }),
        ];
        let [header, claims] = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let rest = format!("Path=/; Max-Age={}; SameSite=Lax", LOGIN_LIFETIME.as_secs());
        AppendHeaders([
            (SET_COOKIE, format!("{SESSION}={}; {rest}; HttpOnly", token.reveal())),
            (SET_COOKIE, format!("{JWT}={header}.{claims}.; {rest}")),
        ])
    }
}

impl IntoResponse for Login {
    fn into_response(self) -> Response {
        let expire = self.0.record.expires_at.map(|end| end.to_string());
        let body = json!({ "token": self.0.token.reveal(), "expire": expire });
        (self.cookies(), Json(body)).into_response()
    }
}

/// Signs a person in.
pub(crate) async fn begin(logins: &Hallpass, credentials: &Credentials) -> Result<Login, ApiError> {
    let Credentials { name, password } = credentials;
    if !PEOPLE.contains(&(name, password)) {
        return Err(ApiError::new(StatusCode::UNAUTHORIZED, "wrong name or password"));
    }
    logins.prune(&Actor::system("sign-in"), logins.now()).await?;
    Ok(Login(logins.issue(&Actor::owner(name), NewToken::named("login")).await?))
}

/// `POST /api/v1/users/signin`
async fn sign_in(
    State(logins): State<Hallpass>,
    credentials: Result<Json<Credentials>, JsonRejection>,
) -> Result<Login, ApiError> {
    let Json(credentials) = credentials?;
    begin(&logins, &credentials).await
}

/// `POST /api/v1/users/refresh_token`: a new login in place of the one that was sent.
async fn refresh(
    State(logins): State<Hallpass>,
    Authenticated(me): Authenticated,
) -> Result<Login, ApiError> {
    let by = Actor::owner(me.owner().as_str());
    let login = Login(logins.issue(&by, NewToken::named("login")).await?);
    if let Some(id) = me.token_id() {
        logins.delete(&by, id, None).await?;
    }
    Ok(login)
}

/// `POST /api/v1/users/signout`
async fn sign_out(
    State(logins): State<Hallpass>,
    Authenticated(me): Authenticated,
) -> Result<impl IntoResponse, ApiError> {
    if let Some(id) = me.token_id() {
        logins.delete(&Actor::owner(me.owner().as_str()), id, None).await?;
    }
    let gone = |name| (SET_COOKIE, format!("{name}=; Path=/; Max-Age=0"));
    Ok(AppendHeaders([gone(SESSION), gone(JWT)]))
}

/// `GET /api/v1/users/{id}`
async fn user(
    Authenticated(me): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    Ok(Json(shown(person(me.owner(), &id)?)))
}

/// `GET /api/v1/users/{id}/roles`
async fn roles(
    Authenticated(me): Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let role = if person(me.owner(), &id)? == "root" { "root" } else { "guest" };
    Ok(Json(json!([role])))
}

/// Returns the person with this number if `me` may look at them: the root user at everybody, and
/// other people at themselves.
fn person(me: &Owner, id: &str) -> Result<&'static str, ApiError> {
    let found = PEOPLE.iter().find(|(name, _)| user_id(name).is_some_and(|n| n.to_string() == id));
    match found {
        Some((name, _)) if me.as_str() == "root" || me.as_str() == *name => Ok(name),
        _ => Err(ApiError::new(StatusCode::NOT_FOUND, "there is no such user")),
    }
}

/// Returns who is signed in according to the session cookie, for the pages.
pub(crate) async fn signed_in(
    State(logins): State<Hallpass>,
    headers: HeaderMap,
) -> Result<Option<Actor>, StatusCode> {
    let mut sessions = sessions(&headers);
    let (Some(session), None) = (sessions.next(), sessions.next()) else { return Ok(None) };
    match logins.authenticate(session).await {
        Ok(login) => Ok(Some(actor(login.owner()))),
        Err(AuthError::Unavailable(_)) => Err(StatusCode::SERVICE_UNAVAILABLE),
        Err(_) => Ok(None),
    }
}

/// The values of the session cookie.
fn sessions(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(COOKIE).into_iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|cookie| cookie.trim_ascii().strip_prefix(b"session="))
}

/// Moves a login from the cookie, where the console keeps it, to the header, where programs send
/// it. Two logins in one request are an error.
pub(crate) async fn cookie_as_bearer(
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let headers = request.headers_mut();
    let mut found = sessions(headers);
    let login = match (found.next(), found.next()) {
        (None, _) => None,
        (Some(one), None) if !headers.contains_key(AUTHORIZATION) => {
            Some([b"Bearer ", one].concat())
        }
        _ => {
            let message = "send one login, in a cookie or in the header";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, message));
        }
    };
    drop(found);
    headers.remove(COOKIE);
    if let Some(mut value) = login.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()) {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    Ok(next.run(request).await)
}
