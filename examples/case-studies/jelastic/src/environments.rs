//! Environments to call, in memory because this example is about tokens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use hallpass::{Authenticated, Principal};
use serde_json::json;

use crate::App;
use crate::answer::{Answer, ApiError, Success};
use crate::parameters::Parameters;

const RUNNING: u8 = 1;
const DOWN: u8 = 2;

/// The owner and the status of each environment.
#[derive(Clone)]
pub(crate) struct Environments(Arc<Mutex<BTreeMap<&'static str, (&'static str, u8)>>>);

impl Default for Environments {
    fn default() -> Self {
        let environments = [("my-project", ("alice", RUNNING)), ("workshop", ("bob", RUNNING))];
        Self(Arc::new(Mutex::new(environments.into())))
    }
}

pub(crate) async fn info(
    State(app): State<App>,
    account: Authenticated,
    sent: Parameters,
) -> Answer {
    app.environments.with(&account, &sent, |_| ())
}

pub(crate) async fn start(
    State(app): State<App>,
    account: Authenticated,
    sent: Parameters,
) -> Answer {
    app.environments.with(&account, &sent, |status| *status = RUNNING)
}

pub(crate) async fn stop(
    State(app): State<App>,
    account: Authenticated,
    sent: Parameters,
) -> Answer {
    app.environments.with(&account, &sent, |status| *status = DOWN)
}

pub(crate) async fn engine_version() -> Answer {
    Ok(Success(json!({ "version": "8.1" })))
}

pub(crate) async fn user_info(account: Authenticated) -> Answer {
    Ok(Success(json!({ "email": format!("{}@example.com", account.owner()) })))
}

impl Environments {
    /// Changes one of the account's own environments, and shows it.
    fn with(&self, account: &Principal, sent: &Parameters, change: impl FnOnce(&mut u8)) -> Answer {
        let name = sent.required("envName")?;
        let mut environments = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match environments.get_mut(name) {
            Some((owner, status)) if *owner == account.owner().as_str() => {
                change(status);
                Ok(Success(json!({ "env": { "envName": name, "status": *status }, "nodes": [] })))
            }
            _ => Err(ApiError::not_found("environment")),
        }
    }
}
