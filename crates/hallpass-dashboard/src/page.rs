//! The page itself: what the server writes into it, and what somebody sees who may not have it.

use axum::http::header::{CACHE_CONTROL, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use hallpass_core::{Catalog, CatalogScope, Hallpass};

use crate::asset::{self, ASSETS, When};
use crate::headers;
use crate::template::{Template, escape};
use crate::visitor::Visitor;

/// What the host said about the page.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// Where the API is; below the page if absent.
    pub(crate) api: Option<String>,
    pub(crate) sign_in: Option<String>,
    pub(crate) home: Option<String>,
    pub(crate) theme: Option<String>,
    /// What a person confirms changes with.
    pub(crate) confirmation: Option<String>,
    /// The scopes that a token may hold for one thing at a time, with what that thing is: the API's
    /// catalog does not say.
    pub(crate) parameters: Vec<(String, String)>,
}

impl Settings {
    pub(crate) fn of(hallpass: &Hallpass) -> Self {
        let scopes = hallpass.catalog().map(Catalog::scopes).unwrap_or_default();
        let named = |scope: &CatalogScope| {
            let names = scope.parameters().collect::<Vec<_>>().join(":");
            (scope.as_scope().to_string(), names)
        };
        let parameters = scopes.iter().map(named).filter(|(_, names)| !names.is_empty()).collect();
        Self { parameters, ..Self::default() }
    }
}

/// The page, ready to be filled in for whoever opens it.
#[derive(Debug)]
pub(crate) struct Page {
    settings: Settings,
    page: Template,
    notice: Template,
}

impl Page {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            page: Template::new(include_str!("../web/page.html")),
            notice: Template::new(include_str!("../web/notice.html")),
        }
    }

    /// What this visitor sees at this path.
    pub(crate) fn answer(&self, visitor: &Visitor, path: &str) -> Response {
        let mut response = match (visitor, &self.settings.sign_in) {
            (Visitor::Person { id, admin }, _) => Html(self.full(path, id, *admin)).into_response(),
            (Visitor::Nobody, Some(sign_in)) => {
                // 303: whatever it was, what follows is a look at the sign-in.
                (StatusCode::SEE_OTHER, [(LOCATION, sign_in)]).into_response()
            }
            (Visitor::Nobody, None) => self.notice(
                path,
                StatusCode::UNAUTHORIZED,
                "You are not signed in",
                "Sign in, and open this page again.",
            ),
            (Visitor::Refused, _) => self.notice(
                path,
                StatusCode::FORBIDDEN,
                "This page is not for you",
                "You are signed in, but may not manage tokens here.",
            ),
            (Visitor::Unknown, _) => self.notice(
                path,
                StatusCode::SERVICE_UNAVAILABLE,
                "This is not available just now",
                "It could not be found out who you are. Try again shortly.",
            ),
        };
        // It names the person, and a browser that goes back must ask again: the session may have ended.
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers::finish(response)
    }

    fn full(&self, path: &str, id: &str, admin: bool) -> String {
        let below = below(path);
        let settings = &self.settings;
        self.page.fill(|place| match place {
            "api" => escape(&settings.api.clone().unwrap_or_else(|| format!("{below}api"))),
            "person" => escape(id),
            "role" => if admin { "admin" } else { "owner" }.to_owned(),
            "sign_in" => escape(settings.sign_in.as_deref().unwrap_or_default()),
            "home" => escape(settings.home.as_deref().unwrap_or_default()),
            "confirmation" => escape(settings.confirmation.as_deref().unwrap_or("password")),
            "parameters" => settings.parameters.iter().map(parameter).collect(),
            "preloads" => preloads(&below),
            place => self.common(place, &below),
        })
    }

    fn notice(&self, path: &str, status: StatusCode, title: &str, text: &str) -> Response {
        let below = below(path);
        let html = self.notice.fill(|place| match place {
            "title" => escape(title),
            "text" => escape(text),
            place => self.common(place, &below),
        });
        (status, Html(html)).into_response()
    }

    fn common(&self, place: &str, below: &str) -> String {
        match place {
            "assets" => escape(&assets(below)),
            "theme" => match &self.settings.theme {
                Some(path) => format!(r#"<link rel="stylesheet" href="{}">"#, escape(path)),
                None => String::new(),
            },
            place => panic!("a template has a place {place:?} that nothing fills"),
        }
    }
}

/// What leads from the page to what is below it, whether or not the page's own path ends with a
/// slash, and whatever a proxy in front cut off from its start.
fn below(path: &str) -> String {
    match path.rsplit_once('/') {
        None | Some((_, "")) => "./".to_owned(),
        Some((_, last)) => format!("./{last}/"),
    }
}

fn assets(below: &str) -> String {
    format!("{below}assets/{}", asset::version())
}

fn parameter((scope, names): &(String, String)) -> String {
    format!(
        r#"<meta name="hallpass-parameter" data-scope="{}" content="{}">"#,
        escape(scope),
        escape(names)
    )
}

/// All scripts of the first view at once, so that none waits for the one that names it.
fn preloads(below: &str) -> String {
    let first = ASSETS.iter().filter(|asset| asset.when == When::First);
    first
        .filter(|asset| asset.name.ends_with(".js"))
        .map(|asset| {
            let href = escape(&format!("{}/{}", assets(below), asset.name));
            format!("<link rel=\"modulepreload\" href=\"{href}\">\n")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_below_the_page_with_and_without_a_slash() {
        for (path, expected) in [
            ("/settings/tokens", "./tokens/"),
            ("/settings/tokens/", "./"),
            ("/tokens", "./tokens/"),
            ("/", "./"),
            ("/a:b", "./a:b/"),
        ] {
            assert_eq!(below(path), expected, "{path}");
        }
    }

    #[test]
    fn every_place_is_filled() {
        let page = Page::new(Settings { theme: Some("/x.css".into()), ..Settings::default() });
        for visitor in [
            Visitor::Person { id: "alice".into(), admin: true },
            Visitor::Nobody,
            Visitor::Refused,
            Visitor::Unknown,
        ] {
            drop(page.answer(&visitor, "/tokens"));
        }
    }
}
