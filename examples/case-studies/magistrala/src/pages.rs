//! The page "Personal Access Token" of the user interface, and its sign-in.

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use case_studies::{Destination, sign_in_page};
use hallpass::{Dashboard, Hallpass};

use crate::people::{Credentials, LOGIN_LIFETIME, SESSION, begin, names, signed_in};

const PATS: &str = "/personal-access-tokens";

/// The words of Magistrala's own user interface.
const TEXTS: &str = r#"{
    "list.title": "Personal Access Tokens",
    "list.new": "Create PAT",
    "form.title": "Create PAT",
    "form.submit": "Create",
    "scopes.add": "Add Scope",
    "scopes.remove_all": "Delete All"
}"#;

pub(crate) fn routes(pats: &Hallpass, logins: &Hallpass) -> Router {
    let dashboard = Dashboard::new(pats, signed_in)
        .with_api(|api| api.session_cookie(SESSION))
        .sign_in("/login")
        .person_names(names)
        .for_chosen_resources_only()
        .link("Documentation", "https://magistrala.absmach.eu/docs/")
        .texts("en", TEXTS)
        .into_router_at(PATS);
    Router::new()
        .route(
            "/login",
            get(async || sign_in_page("Magistrala", "User name", "username")).post(login),
        )
        .merge(dashboard)
        .with_state(logins.clone())
}

/// `POST /login`
async fn login(
    State(logins): State<Hallpass>,
    Query(destination): Query<Destination>,
    Form(credentials): Form<Credentials>,
) -> Result<Response, StatusCode> {
    let login = begin(&logins, &credentials).await.map_err(|error| error.status())?;
    // Over TLS, the cookie is also `Secure`.
    let cookie = format!(
        "{SESSION}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax",
        login.token.reveal(),
        LOGIN_LIFETIME.as_secs()
    );
    Ok(([(SET_COOKIE, cookie)], destination.redirect(PATS)).into_response())
}
