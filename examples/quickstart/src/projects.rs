//! The API that programs call. Each route says what it needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hallpass::{Authenticated, GuardedRouter, all_of, authenticated, public};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Project {
    id: String,
    title: String,
    #[serde(default, skip_deserializing)]
    published: bool,
}

/// The projects, in memory: they are not what this example is about.
#[derive(Clone)]
struct Projects(Arc<Mutex<BTreeMap<String, Project>>>);

impl Projects {
    fn new() -> Self {
        let project = |id: &str, title: &str| {
            (
                id.to_owned(),
                Project { id: id.to_owned(), title: title.to_owned(), published: false },
            )
        };
        Self(Arc::new(Mutex::new(BTreeMap::from([
            project("atlas", "Atlas"),
            project("borealis", "Borealis"),
        ]))))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Project>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn routes() -> GuardedRouter {
    GuardedRouter::new()
        .get("/health", public(), health)
        .get("/me", authenticated(), me)
        .get("/projects", "projects:list", list)
        .post("/projects", "projects:create", create)
        .get("/projects/{id}", "projects:read:{id}", show)
        .delete("/projects/{id}", "projects:delete:{id}", delete)
        .post(
            "/projects/{id}/publish",
            all_of(["projects:publish:{id}", "projects:read:{id}"]),
            publish,
        )
        .with_state(Projects::new())
}

async fn health() -> &'static str {
    "ok"
}

#[derive(Serialize)]
struct Me {
    owner: String,
    token_id: String,
    scopes: Vec<String>,
}

async fn me(Authenticated(me): Authenticated) -> Json<Me> {
    Json(Me {
        owner: me.owner().to_string(),
        token_id: me.token_id().to_string(),
        scopes: me.scopes().iter().map(ToString::to_string).collect(),
    })
}

async fn list(State(projects): State<Projects>) -> Json<Vec<Project>> {
    Json(projects.lock().values().cloned().collect())
}

async fn create(State(projects): State<Projects>, Json(project): Json<Project>) -> Response {
    let mut projects = projects.lock();
    if projects.contains_key(&project.id) {
        return (StatusCode::CONFLICT, "there is a project of that id").into_response();
    }
    projects.insert(project.id.clone(), project.clone());
    (StatusCode::CREATED, Json(project)).into_response()
}

async fn show(
    State(projects): State<Projects>,
    Path(id): Path<String>,
) -> Result<Json<Project>, StatusCode> {
    projects.lock().get(&id).cloned().map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn delete(State(projects): State<Projects>, Path(id): Path<String>) -> StatusCode {
    match projects.lock().remove(&id) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    }
}

async fn publish(
    State(projects): State<Projects>,
    Path(id): Path<String>,
) -> Result<Json<Project>, StatusCode> {
    let mut projects = projects.lock();
    let project = projects.get_mut(&id).ok_or(StatusCode::NOT_FOUND)?;
    project.published = true;
    Ok(Json(project.clone()))
}
