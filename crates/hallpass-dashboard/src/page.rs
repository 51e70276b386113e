//! The page itself: the HTML for a person who is signed in, and the notices for other visitors.

use std::collections::BTreeMap;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{Html, IntoResponse, Response};
use hallpass_core::{Catalog, CatalogScope, Hallpass};
use serde_json::{Value, json};

use crate::asset::Assets;
use crate::bundle;
use crate::headers;
use crate::names::{self, Names};
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
    /// The page's name for the text that confirms a change, such as `Password`.
    pub(crate) confirmation: Option<String>,
    pub(crate) names: Option<Names>,
    /// The path in the `curl` command that is shown with a new secret.
    pub(crate) example_request: String,
    /// The default name of a token.
    pub(crate) default_name: Option<String>,
    /// Labels and addresses of the host's links.
    pub(crate) links: Vec<(String, String)>,
    /// HTML of the host's above the page.
    pub(crate) header: String,
    pub(crate) languages: Vec<Texts>,
    /// The language that the page has for all browsers.
    pub(crate) language: Option<String>,
    /// The scopes that a token may hold for single resources, with the names of their parameters.
    /// The API's catalog does not contain them.
    parameters: BTreeMap<String, Vec<String>>,
    /// Set if these scopes are granted only for chosen resources.
    pub(crate) for_chosen_only: bool,
}

impl Settings {
    pub(crate) fn of(hallpass: &Hallpass) -> Self {
        let scopes = hallpass.catalog().map(Catalog::scopes).unwrap_or_default();
        let named = |scope: &CatalogScope| {
            let names: Vec<_> = scope.parameters().map(str::to_owned).collect();
            (scope.as_scope().to_string(), names)
        };
        let parameters = scopes.iter().map(named).filter(|(_, names)| !names.is_empty()).collect();
        Self {
            api: None,
            sign_in: None,
            home: None,
            theme: None,
            confirmation: None,
            names: None,
            example_request: "/".to_owned(),
            default_name: None,
            links: Vec::new(),
            header: String::new(),
            languages: Texts::shipped(),
            language: None,
            parameters,
            for_chosen_only: false,
        }
    }
}

/// The page, ready to be filled in for each visitor.
pub(crate) struct Page {
    settings: Settings,
    pub(crate) assets: Assets,
    page: Template,
    notice: Template,
}

/// A part of the page that a visitor requests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// The page in a document of its own.
    Document,
    /// The script with which the host shows the page inside its own page.
    Script,
    /// The names of the owners in the query.
    Names,
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

    /// Returns whether the host has set a function for names.
    pub(crate) fn has_names(&self) -> bool {
        self.settings.names.is_some()
    }

    /// Responds to a request for this part of the page.
    pub(crate) async fn answer(
        &self,
        part: Part,
        visitor: &Visitor,
        uri: &Uri,
        headers: &HeaderMap,
    ) -> Response {
        let texts = texts::choose(&self.settings.languages, headers);
        let mut response = match part {
            Part::Document => {
                let view = View { page: self, texts, below: below(uri.path()) };
                view.document(visitor).await
            }
            Part::Script => {
                let view = View { page: self, texts, below: "./".to_owned() };
                view.script(visitor).await
            }
            Part::Names => self.names(visitor, uri.query().unwrap_or_default()).await,
        };
        // The page contains the person's name. When a browser goes back, it must request the page
        // again, because the session may have ended.
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(VARY, HeaderValue::from_static("accept-language"));
        headers::finish(response)
    }

    /// Returns the names of owners. Only admins may request them.
    async fn names(&self, visitor: &Visitor, query: &str) -> Response {
        let Visitor::Person { admin: true, .. } = visitor else {
            return StatusCode::FORBIDDEN.into_response();
        };
        match names::ids_in(query) {
            Some(ids) => {
                let names = json!(names::of(self.settings.names.as_ref(), ids).await);
                ([(CONTENT_TYPE, "application/json")], names.to_string()).into_response()
            }
            None => StatusCode::BAD_REQUEST.into_response(),
        }
    }
}

/// The page in one language at one path.
struct View<'p> {
    page: &'p Page,
    texts: &'p Texts,
    /// The relative path from the page or its script to the page's folder.
    below: String,
}

impl View<'_> {
    async fn document(&self, visitor: &Visitor) -> Response {
        let Some((status, key)) = notice(visitor) else {
            let settings = self.settings(visitor, str::to_owned).await;
            return Html(self.full(&settings)).into_response();
        };
        (status, Html(self.notice(status, key))).into_response()
    }

    /// Returns the script with which the host shows the page inside its own page. It contains the
    /// settings for this visitor.
    async fn script(&self, visitor: &Visitor) -> Response {
        // The script is one folder further down than the page that these paths are relative to.
        let relative = |path: &str| match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("../{path}"),
        };
        let argument = match notice(visitor) {
            None => json!({ "settings": self.settings(visitor, relative).await }),
            Some((status, key)) => {
                let text = |part: &str| self.texts.get(&format!("notice.{key}.{part}"));
                let sign_in = self.page.settings.sign_in.as_deref();
                json!({ "notice": {
                    "title": text("title"),
                    "text": text("text"),
                    "label": self.texts.get("notice.sign_in"),
                    "signIn": sign_in.filter(|_| status == StatusCode::UNAUTHORIZED).map(relative),
                } })
            }
        };
        let assets = &self.page.assets;
        let module = assets.path(&bundle::script_name(self.texts.language()));
        let style = json!(format!("./{}", assets.path("hallpass.css")));
        let script = format!(
            "import {{ mount as show }} from \"./{module}\";\n\
             const given = {{ ...{argument}, base: import.meta.url, style: {style} }};\n\
             export const mount = (element, options) => show(element, given, options);\n"
        );
        ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], script).into_response()
    }

    /// Returns the settings for the scripts. `link` converts a path of the host so that it is right
    /// for the document or script that contains the settings.
    async fn settings(&self, visitor: &Visitor, link: impl Fn(&str) -> String) -> Value {
        let Visitor::Person { id, admin } = visitor else { return Value::Null };
        let settings = &self.page.settings;
        let link = |path: &Option<String>| path.as_deref().map(&link);
        let names = names::of(settings.names.as_ref(), vec![id.clone()]).await;
        json!({
            "api": link(&settings.api).unwrap_or_else(|| format!("{}api", self.below)),
            "names": (*admin && settings.names.is_some()).then(|| format!("{}owners", self.below)),
            "person": id,
            "name": names.get(id).unwrap_or(id),
            "admin": admin,
            "signIn": link(&settings.sign_in),
            "home": link(&settings.home),
            "confirmation": settings.confirmation,
            "example": link(&Some(settings.example_request.clone())),
            "defaultName": settings.default_name,
            "forChosenOnly": settings.for_chosen_only,
            "parameters": settings.parameters,
        })
    }

    fn full(&self, settings: &Value) -> String {
        self.page.page.fill(|place| match place {
            "api" => escape(settings["api"].as_str().unwrap_or_default()),
            "settings" => escape(&settings.to_string()),
            "links" => self.page.settings.links.iter().map(link).collect(),
            "header" => self.page.settings.header.clone(),
            "script" => self.asset(&bundle::script_name(self.texts.language())),
            place => self.common(place),
        })
    }

    /// Returns a notice instead of the page. Its texts have keys that start with `notice.` and
    /// `key`.
    fn notice(&self, status: StatusCode, key: &str) -> String {
        let text = |part: &str| escape(self.texts.get(&format!("notice.{key}.{part}")));
        let sign_in = self.page.settings.sign_in.as_deref();
        let sign_in = sign_in.filter(|_| status == StatusCode::UNAUTHORIZED);
        self.page.notice.fill(|place| match (place, sign_in) {
            ("title", _) => text("title"),
            ("text", _) => text("text"),
            ("forward", None) => String::new(),
            // The script preserves the view, which is in the fragment of the address, for after the
            // sign-in.
            ("forward", Some(path)) => format!(
                "<p><a id=\"sign-in\" href=\"{}\">{}</a></p>\n<script type=\"module\" src=\"{}\"></script>",
                escape(path),
                escape(self.texts.get("notice.sign_in")),
                self.asset("notice.js"),
            ),
            (place, _) => self.common(place),
        })
    }

    fn common(&self, place: &str) -> String {
        let settings = &self.page.settings;
        match place {
            "language" => escape(self.texts.language()),
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

/// Returns the status and the key of the notice that this visitor gets instead of the page.
fn notice(visitor: &Visitor) -> Option<(StatusCode, &'static str)> {
    match visitor {
        Visitor::Person { .. } => None,
        Visitor::Nobody => Some((StatusCode::UNAUTHORIZED, "signed_out")),
        Visitor::Rejected => Some((StatusCode::FORBIDDEN, "rejected")),
        Visitor::Unknown => Some((StatusCode::SERVICE_UNAVAILABLE, "unavailable")),
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

    #[tokio::test]
    async fn every_placeholder_is_filled() {
        let settings = Settings::of(&Hallpass::builder(MemoryStore::new()).build());
        let page = Page::new(Settings {
            theme: Some("/x.css".into()),
            sign_in: Some("/login".into()),
            ..settings
        });
        for visitor in [
            Visitor::Person { id: "alice".into(), admin: true },
            Visitor::Nobody,
            Visitor::Rejected,
            Visitor::Unknown,
        ] {
            let uri = Uri::from_static("/tokens");
            drop(page.answer(Part::Document, &visitor, &uri, &HeaderMap::new()).await);
        }
    }
}
