//! The home page and the sign-in page.

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use tower_sessions::Session;

use crate::users::signed_in;

pub(crate) fn routes() -> Router {
    Router::new().route("/", get(home)).route("/login", get(sign_in))
}

/// The query of the sign-in page: the path that the user requested before signing in.
#[derive(Deserialize)]
struct Destination {
    next: Option<String>,
}

async fn sign_in(Query(destination): Query<Destination>) -> Response {
    login(None, destination.next.as_deref().unwrap_or("/"))
}

async fn home(session: Session) -> Result<Response, StatusCode> {
    let greeting = match signed_in(session).await? {
        Some(caller) => format!(
            "<p>Signed in as <strong>{}</strong>.</p>\
             <form method=post action=/logout><button>Sign out</button></form>\
             <p><a href=/settings/tokens>Your tokens</a> (as JSON: <a href=/tokens>/tokens</a>)</p>",
            escape(caller.id().as_str())
        ),
        None => {
            "<p><a href=/login>Sign in</a> as alice (wonderland), bob (builder) or root (toor).</p>"
                .to_owned()
        }
    };
    Ok(page("Hallpass quickstart", &greeting))
}

/// Returns the page with the sign-in form. After the sign-in the user is redirected to `next`.
pub(crate) fn login(error: Option<&str>, next: &str) -> Response {
    let error = error.map(|text| format!("<p role=alert>{text}</p>")).unwrap_or_default();
    let form = format!(
        "{error}<form method=post action=/login><input type=hidden name=next value=\"{}\">\
         <p><label>Name <input name=username autocomplete=username required autofocus></label></p>\
         <p><label>Password <input name=password type=password autocomplete=current-password required></label></p>\
         <button>Sign in</button></form>",
        escape(next)
    );
    page("Sign in", &form)
}

fn page(title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=en><meta charset=utf-8>\
         <meta name=viewport content=\"width=device-width\"><title>{title}</title><h1>{title}</h1>{body}</html>"
    );
    let headers = [
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, Html(html)).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
