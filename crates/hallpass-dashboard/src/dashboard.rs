use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, RawPathParams, Request, State};
use axum::http::HeaderMap;
use axum::routing::{MethodRouter, get};
use hallpass_axum::{Authenticator, TokenApi};
use hallpass_core::Hallpass;

use crate::local::{linkable, local};
use crate::page::{Page, PersonName, Settings};
use crate::texts;
use crate::visitor::Visitor;

/// The page on which people manage their tokens, and the REST API that it uses.
///
/// ```
/// use axum::{Router, http::request::Parts};
/// use hallpass_core::{Actor, Hallpass};
/// use hallpass_dashboard::Dashboard;
/// # use hallpass_memory::MemoryStore;
/// # #[derive(Clone)] struct Person { id: String }
///
/// // The sign-in, as for `TokenApi`.
/// async fn signed_in(parts: Parts) -> Option<Actor> {
///     parts.extensions.get::<Person>().map(|person| Actor::owner(&person.id))
/// }
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let app: Router = Router::new()
///     .merge(Dashboard::new(&hallpass, signed_in).sign_in("/login").into_router_at("/settings/tokens"));
/// # let _ = app;
/// ```
///
/// The page is at that path, with and without a slash at its end. Its files are below `assets`, and
/// the API is below `api`. All links are relative, so the host's router may be nested anywhere, and
/// a proxy may remove a prefix.
///
/// People who are not signed in do not see the page. An admin
/// ([`Actor::admin`](hallpass_core::Actor::admin)) sees the tokens of all owners, and may revoke
/// and delete them.
#[must_use = "the page is not served until `into_router_at` mounts it"]
pub struct Dashboard<S = ()> {
    settings: Settings,
    api: Option<TokenApi<S>>,
    /// Builds the page's route. The function hides the type of the sign-in.
    route: Box<dyn FnOnce(Arc<Page>) -> MethodRouter<S> + Send>,
}

impl<S: Clone + Send + Sync + 'static> Dashboard<S> {
    /// Creates the page for this handle. `who` returns the person who opens it or calls the API.
    pub fn new<W: Authenticator<T, S> + Clone, T: 'static>(hallpass: &Hallpass, who: W) -> Self {
        let api = TokenApi::new(hallpass, who.clone());
        Self {
            settings: Settings::of(hallpass),
            api: Some(api),
            route: Box::new(|page| visit(who, page)),
        }
    }

    /// Uses an API that the host mounts itself, instead of mounting one. The path is the one that
    /// the browser uses: `/tokens`, or `../tokens` relative to the page.
    ///
    /// # Panics
    ///
    /// Panics if the path leads to another site.
    #[track_caller]
    pub fn api(mut self, path: impl Into<String>) -> Self {
        self.settings.api = Some(local("the API's path", path));
        self.api = None;
        self
    }

    /// Changes the settings of the API that the page mounts:
    /// `|api| api.trust_origin("https://app.example.com")`.
    ///
    /// # Panics
    ///
    /// Panics if [`api`](Self::api) was called before: then the page mounts none.
    #[track_caller]
    pub fn with_api(mut self, settings: impl FnOnce(TokenApi<S>) -> TokenApi<S>) -> Self {
        match self.api.take() {
            Some(api) => self.api = Some(settings(api)),
            None => {
                panic!(
                    "the page uses an API that is mounted elsewhere: change the settings of that \
                     API where it is mounted"
                )
            }
        }
        self
    }

    /// Sets the path where people sign in. People who are not signed in are redirected there.
    /// Without it, they get a page with status 401 that asks them to sign in.
    ///
    /// The page adds a parameter `next` to the path: the address that the person wanted, with the
    /// view in its fragment. Redirect people there after the sign-in, but only if it is a path on
    /// your own site.
    ///
    /// # Panics
    ///
    /// Panics if the path leads to another site.
    #[track_caller]
    pub fn sign_in(mut self, path: impl Into<String>) -> Self {
        self.settings.sign_in = Some(local("the sign-in", path));
        self
    }

    /// Sets the path of the page's link back. Without it, the page has no such link.
    ///
    /// # Panics
    ///
    /// Panics if the path leads to another site.
    #[track_caller]
    pub fn home(mut self, path: impl Into<String>) -> Self {
        self.settings.home = Some(local("the link back", path));
        self
    }

    /// Adds a link at the top of the page, to your documentation for example. It may lead to
    /// another site by `https`.
    ///
    /// # Panics
    ///
    /// Panics if the address is neither a path on this site nor an `https` URL.
    #[track_caller]
    pub fn link(mut self, label: impl Into<String>, address: impl Into<String>) -> Self {
        self.settings.links.push((label.into(), linkable("the link", address)));
        self
    }

    /// Inserts this HTML above the page, for example your own header. It is inserted as it is, so
    /// it must not contain untrusted text. The page's policy applies to it: it allows no inline
    /// script or style, and only images from this site.
    pub fn header(mut self, html: impl Into<String>) -> Self {
        self.settings.header = html.into();
        self
    }

    /// Adds a style sheet of the host's, which is loaded after the page's own. Use it to set the
    /// custom properties that `docs/dashboard.md` lists.
    ///
    /// # Panics
    ///
    /// Panics if the path leads to another site.
    #[track_caller]
    pub fn theme(mut self, path: impl Into<String>) -> Self {
        self.settings.theme = Some(local("the style sheet", path));
        self
    }

    /// Sets the name of the confirmation that people enter for changes, if the API requires one
    /// ([`HallpassBuilderExt::step_up`](hallpass_axum::HallpassBuilderExt::step_up)), for example
    /// `one-time code`. The default is a password.
    pub fn confirmation(mut self, what: impl Into<String>) -> Self {
        self.settings.confirmation = Some(what.into());
        self
    }

    /// Sets the name that the page shows for a person. Use it if the id of an owner is not
    /// meaningful to people, such as a number. The default is the id.
    pub fn person_name(mut self, name: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        self.settings.person_name = Some(PersonName(Box::new(name)));
        self
    }

    /// Sets the path in the `curl` command that the page shows with a new secret, such as
    /// `/api/me`. The default is `/`.
    ///
    /// # Panics
    ///
    /// Panics if the path leads to another site.
    #[track_caller]
    pub fn example_request(mut self, path: impl Into<String>) -> Self {
        self.settings.example_request = local("the path of the example", path);
        self
    }

    /// Makes the name of a new token optional, and sets the default name. `{date}` in it stands for
    /// the current day, as in `token of {date}`.
    pub fn default_name(mut self, name: impl Into<String>) -> Self {
        self.settings.default_name = Some(name.into());
        self
    }

    /// Replaces texts of a language, or adds a language: `.texts("fr", include_str!("fr.json"))`.
    /// The JSON is an object of strings with the keys of `web/en.json` in this crate. Missing texts
    /// stay as they are, or are in English. The page uses the language that the browser prefers.
    ///
    /// # Panics
    ///
    /// Panics if the JSON is not an object of strings, or has a key that the page does not use.
    #[track_caller]
    pub fn texts(mut self, language: &str, json: &str) -> Self {
        texts::add(&mut self.settings.languages, language, json);
        self
    }

    /// Shows the page in this language, regardless of what browsers prefer.
    ///
    /// # Panics
    ///
    /// Panics if the page has no texts in this language: `en`, `de`, and those of
    /// [`texts`](Self::texts).
    #[track_caller]
    pub fn language(mut self, language: &str) -> Self {
        self.settings.languages.retain(|texts| texts.language() == language);
        assert!(!self.settings.languages.is_empty(), "the page has no texts in {language:?}");
        self
    }

    /// Returns a router with the page at this path, such as `/settings/tokens`, to be merged into
    /// the host's router.
    ///
    /// # Panics
    ///
    /// Panics if axum does not accept the path. It must start with `/` and have no wildcard.
    #[track_caller]
    pub fn into_router_at(self, path: &str) -> Router<S> {
        assert!(
            path.starts_with('/'),
            "cannot mount the page at {path:?}: the path must start with `/`"
        );
        let path = path.strip_suffix('/').unwrap_or(path);
        let page = Arc::new(Page::new(self.settings));
        let files = Arc::clone(&page);
        let serve = async move |parameters: RawPathParams, headers: HeaderMap| {
            files.assets.serve(&parameters, &headers)
        };
        let page = (self.route)(page);
        let mut router = Router::new()
            .route(&format!("{path}/"), page.clone())
            .route(&format!("{path}/assets/{{version}}/{{file}}"), get(serve));
        if !path.is_empty() {
            router = router.route(path, page);
        }
        match self.api {
            Some(api) => router.merge(api.into_router_at(&format!("{path}/api"))),
            None => router,
        }
    }
}

/// Returns the page's route for this sign-in.
fn visit<W, T, S>(who: W, page: Arc<Page>) -> MethodRouter<S>
where
    W: Authenticator<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    let shared = Arc::new((who, page));
    get(async move |State(state): State<S>, OriginalUri(uri): OriginalUri, request: Request| {
        let (who, page) = &*shared;
        let (mut parts, _) = request.into_parts();
        let visitor = Visitor::from(who.authenticate(&mut parts, &state).await);
        page.answer(&visitor, uri.path(), &parts.headers)
    })
}

impl<S> fmt::Debug for Dashboard<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dashboard").field("settings", &self.settings).finish_non_exhaustive()
    }
}
