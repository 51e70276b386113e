//! Signing in, and who belongs to which domain: the host's own affair.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use hallpass::deps::jiff::SignedDuration;
use hallpass::{Actor, Hallpass, NewToken, Owner, OwnerStatus, ScopeSet};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::request::Body;

/// The people, their passwords and their domains. How passwords are really kept, the quickstart
/// shows.
const PEOPLE: [(&str, &str, &[&str]); 3] = [
    ("alice", "wonderland", &[HOME]),
    ("bob", "builder", &[PLANT]),
    ("root", "toor", &[HOME, PLANT]),
];

pub(crate) const HOME: &str = "3f0a6c52-8d1b-4b7e-9a44-d0c1f2e3a4b5";
pub(crate) const PLANT: &str = "c4e7d1f8-2a96-4f03-b5d8-6e1a7b8c9d0e";

/// How long a sign-in lasts.
pub(crate) const SIGNED_IN: SignedDuration = SignedDuration::from_hours(1);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    username: String,
    password: String,
}

/// `POST /users/tokens/issue`
pub(crate) async fn sign_in(
    State(logins): State<Hallpass>,
    Body(Login { username, password }): Body<Login>,
) -> Result<(StatusCode, Json<Value>), Fault> {
    if !PEOPLE.iter().any(|(name, secret, _)| *name == username && *secret == password) {
        return Err(Fault::new(StatusCode::UNAUTHORIZED, "nobody has that name and password"));
    }
    logins.prune(&Actor::system("sign-in"), logins.now()).await?;
    let login = logins.issue(&Actor::owner(&username), NewToken::named("login")).await?;
    let answer = json!({ "access_token": login.token.reveal(), "access_type": "Bearer" });
    Ok((StatusCode::CREATED, Json(answer)))
}

/// What a person may do now, and so the most that their PATs can do: anything, in the domains they
/// belong to.
pub(crate) async fn standing(
    owner: Owner,
) -> Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>> {
    match PEOPLE.iter().find(|(name, ..)| *name == owner.as_str()) {
        Some((_, _, domains)) => {
            let all = domains.iter().map(|domain| format!("*:*:{domain}"));
            Ok(OwnerStatus::Limited(ScopeSet::parse(all)?))
        }
        None => Ok(OwnerStatus::Disabled),
    }
}
