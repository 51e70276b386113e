//! What programs call: the Open API. Each route says what it needs.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hallpass::{Authenticated, GuardedRouter};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer::Fault;
use crate::people::user_id;

/// The jobs, in memory: they are not what this example is about.
#[derive(Clone, Default)]
struct Jobs(Arc<Mutex<Vec<Value>>>);

pub(crate) fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .get("/oapi/v1/jobs", "job", jobs)
        .post("/oapi/v1/jobs", "job", create_job)
        .get("/oapi/v1/jobs/{id}", "job", job)
        .get("/oapi/v1/clusters", "cluster", clusters)
        .with_state(Jobs::default())
}

async fn jobs(State(Jobs(jobs)): State<Jobs>) -> Json<Vec<Value>> {
    Json(jobs.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewJob {
    r#type: String,
    args: Value,
}

async fn create_job(
    State(Jobs(jobs)): State<Jobs>,
    Authenticated(me): Authenticated,
    new: Result<Json<NewJob>, JsonRejection>,
) -> Result<Json<Value>, Fault> {
    let Json(NewJob { r#type, args }) = new?;
    let mut jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
    let job = json!({
        "id": jobs.len() + 1,
        "type": r#type,
        "args": args,
        "state": "PENDING",
        "user_id": user_id(me.owner().as_str()),
    });
    jobs.push(job.clone());
    Ok(Json(job))
}

async fn job(State(Jobs(jobs)): State<Jobs>, Path(id): Path<usize>) -> Result<Json<Value>, Fault> {
    let jobs = jobs.lock().unwrap_or_else(PoisonError::into_inner);
    let found = id.checked_sub(1).and_then(|place| jobs.get(place)).cloned();
    found.map(Json).ok_or_else(|| Fault::new(StatusCode::NOT_FOUND, "there is no such job"))
}

async fn clusters() -> Json<Value> {
    Json(json!([{ "id": 1, "name": "cluster-1", "is_default": true }]))
}
