//! The page "Personal Access Token" of the user interface, and its sign-in.

use axum::Router;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use hallpass::{Dashboard, Hallpass};
use serde::Deserialize;

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
        .route("/login", get(async || Html(LOGIN)).post(login))
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
        let wanted = self.next.as_deref().filter(|path| path.starts_with(PATS));
        Redirect::to(wanted.unwrap_or(PATS))
    }
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
    Ok(([(SET_COOKIE, cookie)], destination.redirect()).into_response())
}

const LOGIN: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in</title>
<h1>Magistrala</h1>
<form method="post">
  <p><label>User name <input name="username" autocomplete="username" required></label>
  <p><label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <p><button>Sign in</button>
</form>
</html>
"#;
