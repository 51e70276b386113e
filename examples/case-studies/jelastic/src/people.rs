//! People, signing in and out, and the password that confirms every change of a token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, StatusCode};
use hallpass::Clock;
use hallpass::deps::jiff::{SignedDuration, Timestamp};
use hallpass::{
    Actor, AuthError, Authenticated, Confirmation, Expiry, Hallpass, Issued, Limits, MemoryStore,
    NewToken, Principal,
};
use serde::Deserialize;
use serde_json::json;

use crate::App;
use crate::answer::{Answer, ApiError, Success};
use crate::parameters::Parameters;

/// The people and their passwords. The quickstart shows how a real service stores passwords.
const PEOPLE: [(&str, &str); 2] = [("alice", "wonderland"), ("bob", "builder")];

/// The number of wrong passwords in a row that are answered at once. The next one has to wait.
const FREE: u32 = 5;

const WAIT: SignedDuration = SignedDuration::from_secs(30);

/// The time after signing in during which a change needs no password. Scripts sign in, make a token
/// and sign out.
const FRESH: SignedDuration = SignedDuration::from_mins(5);

pub(crate) const SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The cookie of people who signed in on the page.
pub(crate) const SESSION: &str = "session";

/// The clock of another handle.
#[derive(Debug)]
struct SameClock(Hallpass);

impl Clock for SameClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

/// Builds the handle for sessions. They are sent in the same places as tokens, and neither handle
/// accepts what the other one issues.
pub(crate) fn sessions(hallpass: &Hallpass) -> Hallpass {
    let limits = Limits::default().unlimited_tokens().default_expiry(Expiry::In(SESSION_LIFETIME));
    let builder = Hallpass::builder(MemoryStore::new()).prefix("session").limits(limits);
    builder.clock(SameClock(hallpass.clone())).build()
}

/// Returns the person who signed in, as an actor for their own tokens.
pub(crate) fn caller(session: &Principal) -> Actor {
    Actor::owner(session.owner().as_str())
}

/// The form of the page.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    pub(crate) login: String,
    pub(crate) password: String,
}

/// Signs a person in.
pub(crate) async fn begin(
    sessions: &Hallpass,
    login: &str,
    password: &str,
) -> Result<Issued, ApiError> {
    if !is_password_of(login, password) {
        return Err(ApiError::authentication());
    }
    sessions.prune(&Actor::system("sign-in"), sessions.now()).await?;
    Ok(sessions.issue(&Actor::owner(login), NewToken::named("session")).await?)
}

pub(crate) async fn sign_in(State(app): State<App>, sent: Parameters) -> Answer {
    let login = sent.required("login")?;
    let session = begin(&app.sessions, login, sent.required("password")?).await?;
    Ok(Success(json!({ "login": login, "session": session.token.reveal() })))
}

/// Returns who is signed in according to the session cookie, for the pages.
pub(crate) async fn signed_in(
    State(handle): State<Hallpass>,
    headers: HeaderMap,
) -> Result<Option<Actor>, StatusCode> {
    let lines = headers.get_all(COOKIE).into_iter();
    let mut sessions = lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|cookie| cookie.trim_ascii().strip_prefix(b"session="));
    let (Some(session), None) = (sessions.next(), sessions.next()) else { return Ok(None) };
    match handle.authenticate(session).await {
        Ok(session) => Ok(Some(caller(&session))),
        Err(AuthError::Unavailable(_)) => Err(StatusCode::SERVICE_UNAVAILABLE),
        Err(_) => Ok(None),
    }
}

pub(crate) async fn sign_out(
    State(app): State<App>,
    Authenticated(session): Authenticated,
) -> Answer {
    if let Some(id) = session.token_id() {
        app.sessions.delete(&caller(&session), id, None).await?;
    }
    Ok(Success(json!({})))
}

/// Handles a sign-out with a token instead of a session: the token stays valid.
pub(crate) async fn keep_token() -> Answer {
    Ok(Success(json!({})))
}

/// The number of wrong confirmations in a row, and when the last one came. Attempts on the page and
/// in the API are counted together.
#[derive(Clone, Default)]
pub(crate) struct Confirmations(Arc<Mutex<HashMap<String, (u32, Timestamp)>>>);

impl Confirmations {
    /// Checks the password that came with a change. It may be left out for a while after signing
    /// in.
    pub(crate) fn check(
        &self,
        app: &App,
        session: &Principal,
        sent: &Parameters,
    ) -> Result<(), ApiError> {
        let now = app.sessions.now();
        let is_fresh =
            session.token_id().is_some_and(|id| now.duration_since(id.generated_at()) < FRESH);
        let Some(password) = sent.optional("password")? else {
            return if is_fresh { Ok(()) } else { Err(ApiError::bad("password", "it is missing")) };
        };
        let right = self.is_right(session.owner().as_str(), password, app.sessions.now());
        right.then_some(()).ok_or_else(ApiError::authentication)
    }

    /// Checks the password that a person typed on the page.
    pub(crate) fn confirms(&self, person: &Actor, password: &Confirmation) -> bool {
        self.is_right(person.id().as_str(), password.reveal(), Timestamp::now())
    }

    fn is_right(&self, person: &str, password: &str, now: Timestamp) -> bool {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, last) = wrong.entry(person.to_owned()).or_insert((0, now));
        if *count >= FREE && now.duration_since(*last) < WAIT {
            return false;
        }
        if is_password_of(person, password) {
            wrong.remove(person);
            true
        } else {
            (*count, *last) = (*count + 1, now);
            false
        }
    }
}

fn is_password_of(login: &str, password: &str) -> bool {
    PEOPLE.contains(&(login, password))
}
