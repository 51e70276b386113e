//! The API that programs call. Each route declares the scopes that it requires.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hallpass::{Authenticated, GuardedRouter, all_of, authenticated, public};
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

#[derive(Clone, Debug, Serialize)]
struct Project {
    id: String,
    title: String,
    published: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewProject {
    id: String,
    title: String,
}

/// The projects. They are kept in memory to keep the example simple.
#[derive(Clone, Debug)]
pub(crate) struct Projects(Arc<Mutex<BTreeMap<String, Project>>>);

impl Default for Projects {
    fn default() -> Self {
        let projects = [("atlas", "Atlas"), ("borealis", "Borealis")].map(|(id, title)| {
            let (id, title) = (id.to_owned(), title.to_owned());
            (id.clone(), Project { id, title, published: false })
        });
        Self(Arc::new(Mutex::new(projects.into())))
    }
}

impl Projects {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Project>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn routes(projects: &Projects) -> GuardedRouter {
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
        .with_state(projects.clone())
}

async fn health() -> &'static str {
    "ok"
}

#[derive(Serialize)]
struct Me {
    owner: String,
    token_id: Option<String>,
    scopes: Vec<String>,
}

async fn me(Authenticated(me): Authenticated) -> Json<Me> {
    Json(Me {
        owner: me.owner().to_string(),
        token_id: me.token_id().map(|id| id.to_string()),
        scopes: me.scopes().iter().map(ToString::to_string).collect(),
    })
}

async fn list(State(projects): State<Projects>) -> Json<Vec<Project>> {
    Json(projects.lock().values().cloned().collect())
}

async fn create(
    State(projects): State<Projects>,
    new: Result<Json<NewProject>, JsonRejection>,
) -> Result<(StatusCode, Json<Project>), Problem> {
    let Json(NewProject { id, title }) = new?;
    let project = Project { id, title, published: false };
    match projects.lock().entry(project.id.clone()) {
        Entry::Occupied(_) => {
            Err(Problem(StatusCode::CONFLICT, "a project with this id already exists".to_owned()))
        }
        Entry::Vacant(entry) => {
            entry.insert(project.clone());
            Ok((StatusCode::CREATED, Json(project)))
        }
    }
}

async fn show(
    State(projects): State<Projects>,
    Path(id): Path<String>,
) -> Result<Json<Project>, Problem> {
    projects.lock().get(&id).cloned().map(Json).ok_or_else(no_such_project)
}

async fn delete(
    State(projects): State<Projects>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    projects.lock().remove(&id).map(|_| StatusCode::NO_CONTENT).ok_or_else(no_such_project)
}

async fn publish(
    State(projects): State<Projects>,
    Path(id): Path<String>,
) -> Result<Json<Project>, Problem> {
    let mut projects = projects.lock();
    let project = projects.get_mut(&id).ok_or_else(no_such_project)?;
    project.published = true;
    Ok(Json(project.clone()))
}

fn no_such_project() -> Problem {
    Problem(StatusCode::NOT_FOUND, "there is no project with this id".to_owned())
}
