//! People, signing in and out, and the password that confirms every change of a token.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::State;
use hallpass::deps::jiff::SignedDuration;
use hallpass::{Actor, Authenticated, Expiry, Hallpass, Limits, MemoryStore, NewToken, Principal};
use serde_json::json;

use crate::App;
use crate::answer::{Answer, Done, Fault};
use crate::parameters::Parameters;

/// The people and their passwords. How passwords are really kept, the quickstart shows.
const PEOPLE: [(&str, &str); 2] = [("alice", "wonderland"), ("bob", "builder")];

/// How many wrong confirmations in a row are answered at once; the next has to wait.
const FREE: u32 = 5;

const WAIT: Duration = Duration::from_secs(30);

/// Sessions have a handle of their own: they travel as tokens do, and are nothing to the other
/// handle.
pub(crate) fn sessions() -> Hallpass {
    let hour = Expiry::In(SignedDuration::from_hours(1));
    let limits = Limits::default().unlimited_tokens().default_expiry(hour);
    Hallpass::builder(MemoryStore::new()).prefix("session").limits(limits).build()
}

/// Whoever signed in, for their own tokens.
pub(crate) fn caller(session: &Principal) -> Actor {
    Actor::owner(session.owner().as_str())
}

pub(crate) async fn sign_in(State(app): State<App>, sent: Parameters) -> Answer {
    let (login, password) = (sent.required("login")?, sent.required("password")?);
    if !is_password_of(login, password) {
        return Err(Fault::authentication());
    }
    app.sessions.prune(&Actor::system("sign-in"), app.sessions.now()).await?;
    let session = app.sessions.issue(&Actor::owner(login), NewToken::named("session")).await?;
    Ok(Done(json!({ "login": login, "session": session.token.reveal() })))
}

pub(crate) async fn sign_out(
    State(app): State<App>,
    Authenticated(session): Authenticated,
) -> Answer {
    app.sessions.delete(&caller(&session), session.token_id(), None).await?;
    Ok(Done(json!({})))
}

/// A token is no session: signing out with one is fine, and the token lives on.
pub(crate) async fn keep_token() -> Answer {
    Ok(Done(json!({})))
}

/// How many confirmations in a row were wrong, and when the last one came.
#[derive(Clone, Default)]
pub(crate) struct Confirmations(Arc<Mutex<HashMap<String, (u32, Instant)>>>);

impl Confirmations {
    /// Lets a change through whose caller sends their password with it.
    pub(crate) fn check(&self, session: &Principal, sent: &Parameters) -> Result<(), Fault> {
        let password = sent.required("password")?;
        let person = session.owner().as_str();
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, last) = wrong.entry(person.to_owned()).or_insert((0, Instant::now()));
        if *count >= FREE && last.elapsed() < WAIT {
            return Err(Fault::authentication());
        }
        if is_password_of(person, password) {
            wrong.remove(person);
            Ok(())
        } else {
            (*count, *last) = (*count + 1, Instant::now());
            Err(Fault::authentication())
        }
    }
}

fn is_password_of(login: &str, password: &str) -> bool {
    PEOPLE.contains(&(login, password))
}
