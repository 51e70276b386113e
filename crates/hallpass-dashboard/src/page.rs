//! The page itself: the HTML for a person who is signed in, and the notices for other visitors.

use std::fmt;

use axum::http::header::{CACHE_CONTROL, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use hallpass_core::{Catalog, CatalogScope, Hallpass};

use crate::asset::Assets;
use crate::bundle;
use crate::headers;
use crate::template::{Template, escape};
use crate::texts::{self, Texts};
use crate::visitor::Visitor;

/// The settings of the host.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The path of the API. It is below the page if absent.
    pub(crate) api: Option<String>,
    pub(crate) sign_in: Option<String>,
    pub(crate) home: Option<String>,
    pub(crate) theme: Option<String>,
    /// The name of the confirmation that a person enters for changes.
    pub(crate) confirmation: Option<String>,
    pub(crate) person_name: Option<PersonName>,
    /// The path in the `curl` command that is shown with a new secret.
    pub(crate) example_request: String,
    /// The default name of a token.
    pub(crate) default_name: Option<String>,
    /// Labels and addresses of the host's links.
    pub(crate) links: Vec<(String, String)>,
    /// HTML of the host's above the page.
    pub(crate) header: String,
    pub(crate) languages: Vec<Texts>,
    /// The scopes that a token may hold for single resources, with the names of their parameters.
    /// The API's catalog does not contain them.
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
        Self {
            api: None,
            sign_in: None,
            home: None,
            theme: None,
            confirmation: None,
            person_name: None,
            example_request: "/".to_owned(),
            default_name: None,
            links: Vec::new(),
            header: String::new(),
            languages: Texts::shipped(),
            parameters,
        }
    }

    /// Returns the name to show for the person with this id.
    fn name_of(&self, id: &str) -> String {
        self.person_name.as_ref().map_or_else(|| id.to_owned(), |name| (name.0)(id))
    }
}

/// The host's function from the id of a person to the name.
pub(crate) struct PersonName(pub(crate) Box<dyn Fn(&str) -> String + Send + Sync>);

impl fmt::Debug for PersonName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonName(..)")
    }
}

/// The page, ready to be filled in for each visitor.
pub(crate) struct Page {
    settings: Settings,
    pub(crate) assets: Assets,
    page: Template,
    notice: Template,
}

impl Page {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            assets: bundle::assets(&settings.languages),
            settings,
            page: Template::new(include_str!("../web/page.html")),
            notice: Template::new(include_str!("../web/notice.html")),
        }
    }

    /// Returns the page or the notice for this visitor. `path` is the path of the request.
    pub(crate) fn answer(&self, visitor: &Visitor, path: &str, headers: &HeaderMap) -> Response {
        let texts = texts::choose(&self.settings.languages, headers);
        let view = View { page: self, texts, below: below(path) };
        let mut response = match visitor {
            Visitor::Person { id, admin } => Html(view.full(id, *admin)).into_response(),
            Visitor::Nobody => view.notice(StatusCode::UNAUTHORIZED, "signed_out"),
            Visitor::Refused => view.notice(StatusCode::FORBIDDEN, "refused"),
            Visitor::Unknown => view.notice(StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        };
        // The page contains the person's name. When a browser goes back, it must request the page
        // again, because the session may have ended.
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept-language"));
        headers::finish(response)
    }
}

/// The page in one language at one path.
struct View<'p> {
    page: &'p Page,
    texts: &'p Texts,
    /// The relative path from the page to its folder.
    below: String,
}

impl View<'_> {
    fn full(&self, id: &str, admin: bool) -> String {
        let settings = &self.page.settings;
        self.page.page.fill(|place| match place {
            "api" => escape(&settings.api.clone().unwrap_or_else(|| format!("{}api", self.below))),
            "person" => escape(id),
            "name" => escape(&settings.name_of(id)),
            "role" => if admin { "admin" } else { "owner" }.to_owned(),
            "home" => escape(settings.home.as_deref().unwrap_or_default()),
            "confirmation" => escape(settings.confirmation.as_deref().unwrap_or_default()),
            "example" => escape(&settings.example_request),
            "default_name" => escape(settings.default_name.as_deref().unwrap_or_default()),
            "parameters" => settings.parameters.iter().map(parameter).collect(),
            "links" => settings.links.iter().map(link).collect(),
            "header" => settings.header.clone(),
            "script" => self.asset(&bundle::script_name(self.texts.language())),
            place => self.common(place),
        })
    }

    /// Returns a notice instead of the page. Its texts have keys that start with `notice.` and
    /// `key`.
    fn notice(&self, status: StatusCode, key: &str) -> Response {
        let text = |part: &str| escape(self.texts.get(&format!("notice.{key}.{part}")));
        let sign_in = self.page.settings.sign_in.as_deref();
        let sign_in = sign_in.filter(|_| status == StatusCode::UNAUTHORIZED);
        let html = self.page.notice.fill(|place| match (place, sign_in) {
            ("title", _) => text("title"),
            ("text", _) => text("text"),
            ("forward", None) => String::new(),
            // The script preserves the view, which is in the fragment of the address, for after the
            // sign-in.
            ("forward", Some(path)) => format!(
                "<p><a id=\"sign-in\" href=\"{}\">{}</a></p>\n<script type=\"module\" src=\"{}\"></script>",
                escape(path),
                escape(self.texts.get("notice.sign_in")),
                self.asset("sign-in.js"),
            ),
            (place, _) => self.common(place),
        });
        (status, Html(html)).into_response()
    }

    fn common(&self, place: &str) -> String {
        let settings = &self.page.settings;
        match place {
            "language" => escape(self.texts.language()),
            "sign_in" => escape(settings.sign_in.as_deref().unwrap_or_default()),
            "icon" => self.asset("icon.svg"),
            "style" => self.asset("hallpass.css"),
            "theme" => match &settings.theme {
                Some(path) => format!(r#"<link rel="stylesheet" href="{}">"#, escape(path)),
                None => String::new(),
            },
            place => match place.strip_prefix("text ") {
                Some(key) => escape(self.texts.get(key)),
                None => panic!("a template has a placeholder {place:?} without a value"),
            },
        }
    }

    fn asset(&self, name: &str) -> String {
        escape(&format!("{}{}", self.below, self.page.assets.path(name)))
    }
}

/// Returns the relative path from the page to its folder. It is correct with and without a trailing
/// slash in the page's own path, and regardless of the prefix that a proxy has removed.
fn below(path: &str) -> String {
    match path.rsplit_once('/') {
        None | Some((_, "")) => "./".to_owned(),
        Some((_, last)) => format!("./{last}/"),
    }
}

fn parameter((scope, names): &(String, String)) -> String {
    format!(
        r#"<meta name="hallpass-parameter" data-scope="{}" content="{}">"#,
        escape(scope),
        escape(names)
    )
}

fn link((label, address): &(String, String)) -> String {
    format!(r#"<a href="{}">{}</a>"#, escape(address), escape(label))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_memory::MemoryStore;

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
    fn every_placeholder_is_filled() {
        let settings = Settings::of(&Hallpass::builder(MemoryStore::new()).build());
        let page = Page::new(Settings {
            theme: Some("/x.css".into()),
            sign_in: Some("/login".into()),
            ..settings
        });
        for visitor in [
            Visitor::Person { id: "alice".into(), admin: true },
            Visitor::Nobody,
            Visitor::Refused,
            Visitor::Unknown,
        ] {
            drop(page.answer(&visitor, "/tokens", &HeaderMap::new()));
        }
    }
}
