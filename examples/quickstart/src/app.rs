//! The routes.

use axum::Router;
use axum::http::StatusCode;
use hallpass::prelude::*;
use hallpass::{Dashboard, Hallpass, TokenApi};
use tower_http::trace::TraceLayer;
use tower_sessions::cookie::SameSite;
use tower_sessions::{MemoryStore as Sessions, SessionManagerLayer};

use crate::problem::Problem;
use crate::projects::Projects;
use crate::{pages, people, projects};

/// The cookie of people who are signed in. Over TLS its name would start with `__Host-`.
const COOKIE: &str = "quickstart";

/// The state that the nodes of one service share besides the store of tokens: the sessions and the
/// projects. A real service keeps them in its database.
#[derive(Clone, Debug, Default)]
pub struct Common {
    sessions: Sessions,
    projects: Projects,
}

/// Builds the service: an API for programs, and pages and the token API for people. If the handle
/// requires step-up, people confirm every change of a token with their password.
pub fn app(hallpass: &Hallpass, common: &Common) -> Router {
    // Over TLS: `with_secure(true)`.
    let sessions = SessionManagerLayer::new(common.sessions.clone())
        .with_name(COOKIE)
        .with_secure(false)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/");
    let tokens = TokenApi::new(hallpass, people::signed_in).session_cookie(COOKIE);
    let api = Router::new().nest("/api", projects::routes(&common.projects).into_router(hallpass));
    let dashboard = Dashboard::new(hallpass, people::signed_in)
        .api("/tokens")
        .sign_in("/login")
        .home("/")
        .example_request("/api/me")
        .into_router_at("/settings/tokens");
    let people = pages::routes()
        .merge(people::routes())
        .merge(tokens.into_router_at("/tokens"))
        .merge(dashboard)
        .layer(sessions);
    // This layer is outside of all others, so it sees the original URLs. Its spans leave out the
    // tokens.
    let trace = TraceLayer::new_for_http().make_span_with(hallpass.layer().make_span());
    api.merge(people)
        .fallback(nothing_here)
        .method_not_allowed_fallback(no_such_method)
        .layer(trace)
}

async fn nothing_here() -> Problem {
    Problem(StatusCode::NOT_FOUND, "there is nothing here".to_owned())
}

async fn no_such_method() -> Problem {
    Problem(StatusCode::METHOD_NOT_ALLOWED, "`Allow` names the methods that are".to_owned())
}
