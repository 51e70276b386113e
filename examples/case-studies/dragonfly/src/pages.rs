//! The pages of the console that concern tokens, at the paths of Dragonfly's own console.

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use hallpass::{Dashboard, Hallpass};
use serde::Deserialize;

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
        .route("/signin", get(async || Html(SIGN_IN)).post(sign_in))
        .merge(dashboard)
        .with_state(logins.clone())
}

/// The address that the person wanted before signing in. It leads nowhere but to the page.
#[derive(Deserialize)]
struct Destination {
    next: Option<String>,
}

impl Destination {
    fn redirect(&self) -> Redirect {
        let wanted = self.next.as_deref().filter(|path| path.starts_with(TOKENS));
        Redirect::to(wanted.unwrap_or(TOKENS))
    }
}

/// `POST /signin`
async fn sign_in(
    State(logins): State<Hallpass>,
    Query(destination): Query<Destination>,
    Form(credentials): Form<Credentials>,
) -> Result<Response, StatusCode> {
    let login = begin(&logins, &credentials).await.map_err(|error| error.status())?;
    Ok((login.cookies(), destination.redirect()).into_response())
}

const SIGN_IN: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in</title>
<h1>Dragonfly</h1>
<form method="post">
  <p><label>Account <input name="name" autocomplete="username" required></label>
  <p><label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <p><button>Sign in</button>
</form>
</html>
"#;
