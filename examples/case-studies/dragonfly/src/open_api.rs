//! The Open API, which programs call with a token. Each route names the scope it requires.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use hallpass::{Authenticated, GuardedRouter};
use serde_json::{Map, Value, json};

use crate::answer::ApiError;
use crate::people::{shown, user_id};

type Fields = Map<String, Value>;

/// Jobs or clusters, in memory because this example is about tokens.
#[derive(Clone)]
struct Table {
    /// The member that a new row must have.
    required: &'static str,
    /// The state of a new row.
    state: Option<&'static str>,
    rows: Arc<Mutex<Vec<Option<Fields>>>>,
}

pub(crate) fn routes() -> GuardedRouter {
    let table = |required, state, rows| Table { required, state, rows: Arc::new(Mutex::new(rows)) };
    let jobs = table("type", Some("PENDING"), vec![]);
    let cluster = json!({ "id": 1, "name": "cluster-1", "bio": "", "is_default": true });
    let clusters = table("name", None, vec![cluster.as_object().cloned()]);
    // Harbor calls this route, and does not use jobs.
    let preheats = GuardedRouter::new().post("/preheats", "preheat", preheat);
    resource("/oapi/v1/jobs", "job")
        .merge(preheats)
        .with_state(jobs)
        .merge(resource("/oapi/v1/clusters", "cluster").with_state(clusters))
}

fn resource(path: &str, scope: &str) -> GuardedRouter<Table> {
    let one = format!("{path}/{{id}}");
    GuardedRouter::new()
        .get(path, scope, list)
        .post(path, scope, create)
        .get(&one, scope, show)
        .patch(&one, scope, update)
        .delete(&one, scope, delete)
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, Vec<Option<Fields>>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls `with` on the row with this number.
    fn at<T>(&self, id: &str, with: impl FnOnce(&mut Option<Fields>) -> T) -> Result<T, ApiError> {
        let id: usize = id.parse().map_err(|_| ApiError::invalid("id: write a number"))?;
        let mut rows = self.lock();
        let row = id.checked_sub(1).and_then(|place| rows.get_mut(place));
        let row = row.filter(|row| row.is_some());
        row.map(with)
            .ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, "there is nothing like that"))
    }

    fn insert(&self, me: &Authenticated, mut fields: Fields) -> Result<Fields, ApiError> {
        if !fields.get(self.required).is_some_and(Value::is_string) {
            return Err(ApiError::invalid(format!("{}: it is missing, or no text", self.required)));
        }
        let mut rows = self.lock();
        // The owner of the token acts, even if the request names another user.
        let name = me.owner().as_str();
        let own = json!({
            "id": rows.len() + 1,
            "is_del": 0,
            "state": self.state,
            "user_id": user_id(name),
            "user": shown(name),
        });
        fields.extend(own.as_object().cloned().unwrap_or_default());
        rows.push(Some(fields.clone()));
        Ok(fields)
    }
}

async fn list(State(table): State<Table>) -> Json<Vec<Fields>> {
    Json(table.lock().iter().flatten().cloned().collect())
}

async fn create(
    State(table): State<Table>,
    me: Authenticated,
    new: Result<Json<Fields>, JsonRejection>,
) -> Result<Json<Fields>, ApiError> {
    Ok(Json(table.insert(&me, new?.0)?))
}

async fn show(State(table): State<Table>, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    table.at(&id, |row| Json(json!(row)))
}

async fn update(
    State(table): State<Table>,
    Path(id): Path<String>,
    changes: Result<Json<Fields>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(mut changes) = changes?;
    changes.retain(|name, _| !matches!(&**name, "id" | "state" | "user_id" | "user"));
    table.at(&id, |row| {
        row.get_or_insert_default().extend(changes);
        Json(json!(row))
    })
}

async fn delete(State(table): State<Table>, Path(id): Path<String>) -> Result<(), ApiError> {
    table.at(&id, |row| *row = None)
}

/// `POST /preheats`, which returns only the number of the job.
async fn preheat(
    State(table): State<Table>,
    me: Authenticated,
    args: Result<Json<Fields>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let job = json!({ "type": "preheat", "args": args?.0 });
    let job = table.insert(&me, job.as_object().cloned().unwrap_or_default())?;
    Ok(Json(json!({ "id": job["id"].to_string() })))
}
