//! The routes of the service.

use axum::Router;
use axum::http::StatusCode;
use hallpass::prelude::*;
use hallpass::{Dashboard, Hallpass, TokenApi};
use tower_http::trace::TraceLayer;
use tower_sessions::cookie::SameSite;
use tower_sessions::{MemoryStore as Sessions, SessionManagerLayer};

use crate::problem::Problem;
use crate::projects::Projects;
use crate::{pages, projects, users};

/// The name of the session cookie. With TLS it should start with `__Host-`.
const COOKIE: &str = "quickstart";

/// The state that all nodes of a service share besides the token store: the sessions and the
/// projects. A real service keeps them in its database.
#[derive(Clone, Debug, Default)]
pub struct Common {
    sessions: Sessions,
    projects: Projects,
}

/// Builds the service: an API that programs call with tokens, and the pages and the token API for
/// users. If the handle requires step-up, users confirm every change of a token with their
/// password.
pub fn app(hallpass: &Hallpass, common: &Common) -> Router {
    // A service with TLS sets `with_secure(true)`.
    let sessions = SessionManagerLayer::new(common.sessions.clone())
        .with_name(COOKIE)
        .with_secure(false)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/");
    let tokens = TokenApi::new(hallpass, users::signed_in).session_cookie(COOKIE);
    let api = Router::new().nest("/api", projects::routes(&common.projects).into_router(hallpass));
    let dashboard = Dashboard::new(hallpass, users::signed_in)
        .api("/tokens")
        .sign_in("/login")
        .home("/")
        .example_request("/api/me")
        .into_router_at("/settings/tokens");
    let user_routes = pages::routes()
        .merge(users::routes())
        .merge(tokens.into_router_at("/tokens"))
        .merge(dashboard)
        .layer(sessions);
    // This layer wraps all others, so it sees the original URLs. Its spans do not contain tokens.
    let trace = TraceLayer::new_for_http().make_span_with(hallpass.layer().make_span());
    api.merge(user_routes)
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(trace)
}

async fn not_found() -> Problem {
    Problem(StatusCode::NOT_FOUND, "there is no resource at this path".to_owned())
}

async fn method_not_allowed() -> Problem {
    let detail = "the header `Allow` lists the allowed methods".to_owned();
    Problem(StatusCode::METHOD_NOT_ALLOWED, detail)
}
