//! The page "Personal Access Token" of the console, and the console's sign-in.

use axum::Router;
use axum::extract::{Form, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use case_studies::{Destination, sign_in_page};
use hallpass::{Dashboard, Hallpass};
use tower_sessions::Session;

use crate::people::{Account, Credentials, begin, signed_in};

const TOKENS: &str = "/account/personal-access-token";

/// The name of the session cookie.
pub(crate) const SESSION: &str = "console";

/// The words of API7 Cloud's own page.
const TEXTS: &str = r#"{
    "list.new": "Generate a new token",
    "form.title": "Generate a new token",
    "form.description": "Token note (optional)",
    "form.submit": "Generate",
    "expiry.title": "Expiry time"
}"#;

pub(crate) fn routes(hallpass: &Hallpass) -> Router {
    let dashboard = Dashboard::new(hallpass, signed_in)
        .with_api(|api| api.session_cookie(SESSION))
        .sign_in("/login")
        .link("Documentation", "https://docs.api7.ai/cloud/")
        .person_names(Account::names)
        .example_request("/api/v1/user/me")
        .default_name("token of {date}")
        .texts("en", TEXTS)
        .into_router_at(TOKENS);
    Router::new()
        .route(
            "/login",
            get(async || sign_in_page("API7 Cloud", "User name", "username")).post(login),
        )
        .merge(dashboard)
}

/// `POST /login`
async fn login(
    session: Session,
    Query(destination): Query<Destination>,
    Form(credentials): Form<Credentials>,
) -> Result<Response, StatusCode> {
    begin(&session, &credentials).await.map_err(|error| error.status())?;
    Ok(destination.redirect(TOKENS).into_response())
}
