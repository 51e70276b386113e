//! axum-login with the in-memory store of tower-sessions: a cookie, a session and a user.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::body::Body;
use axum::extract::Query;
use axum::routing::{get, post};
use axum_login::{AuthManagerLayerBuilder, AuthSession, AuthUser, AuthnBackend, login_required};
use http::header::SET_COOKIE;
use http::{Request, StatusCode};
use tower::ServiceExt;
use tower_sessions::{MemoryStore, SessionManagerLayer};

#[derive(Clone, Debug)]
pub(crate) struct User {
    id: u64,
    password_hash: Arc<[u8]>,
}

impl AuthUser for User {
    type Id = u64;

    fn id(&self) -> u64 {
        self.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        &self.password_hash
    }
}

/// A backend that holds all users in memory.
#[derive(Clone)]
pub(crate) struct Users(Arc<HashMap<u64, User>>);

impl AuthnBackend for Users {
    type User = User;
    type Credentials = u64;
    type Error = Infallible;

    async fn authenticate(&self, id: u64) -> Result<Option<User>, Infallible> {
        Ok(self.0.get(&id).cloned())
    }

    async fn get_user(&self, id: &u64) -> Result<Option<User>, Infallible> {
        Ok(self.0.get(id).cloned())
    }
}

/// Returns a router that requires a login, and the cookies of `callers` logged-in users.
pub(crate) async fn router(callers: usize, path: &str) -> Result<(Router, Vec<String>)> {
    let users = (0..callers as u64)
        .map(|id| (id, User { id, password_hash: Arc::from(id.to_be_bytes().repeat(4)) }));
    let users = Users(Arc::new(users.collect()));
    let sessions = SessionManagerLayer::new(MemoryStore::default());
    let router = Router::new()
        .route(path, get(crate::hot::answer))
        .route_layer(login_required!(Users))
        .route("/login", post(login))
        .layer(AuthManagerLayerBuilder::new(users, sessions).build());
    let mut cookies = Vec::with_capacity(callers);
    for id in 0..callers {
        let request = Request::post(format!("/login?id={id}")).body(Body::empty())?;
        let response = router.clone().oneshot(request).await?;
        let cookie = response.headers().get(SET_COOKIE).context("the login set no cookie")?;
        let pair = cookie.to_str()?.split(';').next().unwrap_or_default();
        cookies.push(pair.to_owned());
    }
    Ok((router, cookies))
}

async fn login(
    Query(of): Query<HashMap<String, u64>>,
    mut session: AuthSession<Users>,
) -> StatusCode {
    let Some(id) = of.get("id") else { return StatusCode::BAD_REQUEST };
    let Ok(Some(user)) = session.authenticate(*id).await else { return StatusCode::UNAUTHORIZED };
    match session.login(&user).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
