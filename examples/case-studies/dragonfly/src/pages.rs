//! The pages of the console that concern tokens, at the paths of Dragonfly's own console.

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use case_studies::{Destination, sign_in_page};
use hallpass::{Dashboard, Hallpass};

use crate::people::{Credentials, SESSION, begin, signed_in};

const TOKENS: &str = "/developer/personal-access-tokens";

/// The words of Dragonfly's own console.
const TEXTS: &str = r#"{
    "list.new": "Add personal access tokens",
    "form.title": "Create personal access token",
    "form.submit": "Save"
}"#;

pub(crate) fn routes(hallpass: &Hallpass, logins: &Hallpass) -> Router {
    let dashboard = Dashboard::new(hallpass, signed_in)
        .with_api(|api| api.session_cookie(SESSION))
        .sign_in("/signin")
        .link("Documentation", "https://d7y.io/docs/advanced-guides/personal-access-tokens/")
        .example_request("/oapi/v1/clusters")
        .texts("en", TEXTS)
        .into_router_at(TOKENS);
    Router::new()
        .route("/signin", get(async || sign_in_page("Dragonfly", "Account", "name")).post(sign_in))
        .merge(dashboard)
        .with_state(logins.clone())
}

/// `POST /signin`
async fn sign_in(
    State(logins): State<Hallpass>,
    Query(destination): Query<Destination>,
    Form(credentials): Form<Credentials>,
) -> Result<Response, StatusCode> {
    let login = begin(&logins, &credentials).await.map_err(|error| error.status())?;
    Ok((login.cookies(), destination.redirect(TOKENS)).into_response())
}
