//! The tab **Access Tokens** of the dashboard's settings, and the sign-in of the dashboard.

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use case_studies::{Destination, sign_in_page};
use hallpass::{Dashboard, Hallpass};

use crate::people::{Credentials, SESSION, SESSION_LIFETIME, begin, signed_in};

const TOKENS: &str = "/settings/access-tokens";

/// The words of the platform's own dashboard, and its order of dates.
const TEXTS: &str = include_str!("texts.json");

pub(crate) fn routes(hallpass: &Hallpass, sessions: &Hallpass) -> Router {
    let dashboard = Dashboard::new(hallpass, signed_in)
        .with_api(|api| api.session_cookie(SESSION))
        .sign_in("/login")
        .link("API docs", "https://docs.jelastic.com/api/")
        .example_request("/1.0/users/account/rest/getuserinfo")
        .texts("en", TEXTS)
        .into_router_at(TOKENS);
    Router::new()
        .route("/login", get(async || sign_in_page("Dashboard", "Login", "login")).post(login))
        .merge(dashboard)
        .with_state(sessions.clone())
}

/// `POST /login`
async fn login(
    State(sessions): State<Hallpass>,
    Query(destination): Query<Destination>,
    Form(credentials): Form<Credentials>,
) -> Result<Response, StatusCode> {
    let session = begin(&sessions, &credentials.login, &credentials.password).await;
    let session = session.map_err(|error| error.http_status())?;
    // Over TLS, the cookie is also `Secure`.
    let cookie = format!(
        "{SESSION}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax",
        session.token.reveal(),
        SESSION_LIFETIME.as_secs()
    );
    Ok(([(SET_COOKIE, cookie)], destination.redirect(TOKENS)).into_response())
}
