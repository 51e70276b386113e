//! The page "Personal Access Token" of the console, and the console's sign-in.

use axum::Router;
use axum::extract::{Form, Query};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use hallpass::{Dashboard, Hallpass};
use serde::Deserialize;
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
    Router::new().route("/login", get(async || Html(LOGIN)).post(login)).merge(dashboard)
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

/// `POST /login`
async fn login(
    session: Session,
    Query(destination): Query<Destination>,
    Form(credentials): Form<Credentials>,
) -> Result<Response, StatusCode> {
    begin(&session, &credentials).await.map_err(|error| error.status())?;
    Ok(destination.redirect().into_response())
}

const LOGIN: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in</title>
<h1>API7 Cloud</h1>
<form method="post">
  <p><label>User name <input name="username" autocomplete="username" required></label>
  <p><label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <p><button>Sign in</button>
</form>
</html>
"#;
