//! The builder of the page: the type that a host creates, sets up and mounts.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, RawPathParams, Request, State};
use axum::http::HeaderMap;
use axum::routing::get;
use hallpass_axum::{Authenticator, IntoActor, TokenApi};
use hallpass_core::Hallpass;

use crate::local::{linkable, local};
use crate::names::Names;
use crate::page::{Page, Part, Settings};
use crate::texts;
use crate::visitor::Visitor;

/// A function that builds the routes of a page at a path.
type Routes<S> = Box<dyn FnOnce(Arc<Page>, &str) -> Router<S> + Send>;

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
    /// Builds the routes at this path. The function hides the type of the sign-in.
    routes: Routes<S>,
}

impl<S: Clone + Send + Sync + 'static> Dashboard<S> {
    /// Creates the page for this handle. `who` returns the person who opens it or calls the API.
    pub fn new<W, T: 'static>(hallpass: &Hallpass, who: W) -> Self
    where
        W: Authenticator<T, S, Output: IntoActor> + Clone,
    {
        let api = TokenApi::new(hallpass, who.clone());
        Self {
            settings: Settings::of(hallpass),
            api: Some(api),
            routes: Box::new(|page, path| routes(who, page, path)),
        }
    }

    /// Uses an API that the host mounts itself, instead of mounting one. `path` is the path that
    /// the browser requests, such as `/tokens`. It may be relative to the page, such as
    /// `../tokens`.
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
    /// Without it, they get a page with status 401 and a notice that they are not signed in.
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

    /// Sets the names that the page shows for people. Use it if the ids of owners, such as
    /// numbers, are not meaningful to people. The function gets at most 200 ids of owners and
    /// actors, and returns pairs of an id and a name. The page shows the id of a person without a
    /// name. People see their own name, and an admin sees the names and ids of all owners.
    ///
    /// ```
    /// # use axum::http::request::Parts;
    /// # use hallpass_core::{Actor, Hallpass};
    /// # use hallpass_dashboard::Dashboard;
    /// # async fn signed_in(_: Parts) -> Option<Actor> { None }
    /// # #[derive(Clone)] struct Accounts;
    /// # impl Accounts { async fn names(&self, _: &[String]) -> Vec<(String, String)> { Vec::new() } }
    /// # fn page(hallpass: &Hallpass, accounts: Accounts) -> Dashboard {
    /// Dashboard::new(hallpass, signed_in).person_names(move |ids| {
    ///     let accounts = accounts.clone();
    ///     async move { accounts.names(&ids).await }
    /// })
    /// # }
    /// ```
    pub fn person_names<F, A, N>(mut self, names: F) -> Self
    where
        F: Fn(Vec<String>) -> A + Send + Sync + 'static,
        A: Future<Output = N> + Send + 'static,
        N: IntoIterator<Item = (String, String)>,
    {
        self.settings.names = Some(Names::new(names));
        self
    }

    /// Offers scopes with parameters ([`CatalogScope::per`](hallpass_core::CatalogScope::per)) for
    /// chosen resources only, and never for all resources. Use it if nobody may be granted such a
    /// scope for all resources, for example because the owner directory limits people to their own
    /// domain.
    pub fn for_chosen_resources_only(mut self) -> Self {
        self.settings.for_chosen_only = true;
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

    /// Shows the page in this language, regardless of what browsers prefer: `en`, `de`, or one of
    /// [`texts`](Self::texts).
    pub fn language(mut self, language: &str) -> Self {
        self.settings.language = Some(language.to_owned());
        self
    }

    /// Returns a router with the page at this path, such as `/settings/tokens`, to be merged into
    /// the host's router.
    ///
    /// # Panics
    ///
    /// Panics if axum does not accept the path. It must start with `/` and have no wildcard. Panics
    /// if the page has no texts in its [`language`](Self::language).
    #[track_caller]
    pub fn into_router_at(mut self, path: &str) -> Router<S> {
        assert!(
            path.starts_with('/'),
            "cannot mount the page at {path:?}: the path must start with `/`"
        );
        if let Some(language) = &self.settings.language {
            self.settings.languages.retain(|texts| texts.language() == language);
            assert!(!self.settings.languages.is_empty(), "the page has no texts in {language:?}");
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let page = Arc::new(Page::new(self.settings));
        let files = Arc::clone(&page);
        let serve = async move |parameters: RawPathParams, headers: HeaderMap| {
            files.assets.serve(&parameters, &headers)
        };
        let router = (self.routes)(page, path)
            .route(&format!("{path}/assets/{{version}}/{{file}}"), get(serve));
        match self.api {
            Some(api) => router.merge(api.into_router_at(&format!("{path}/api"))),
            None => router,
        }
    }
}

/// Returns the routes whose responses depend on the visitor, for this sign-in.
fn routes<W, T, S>(who: W, page: Arc<Page>, path: &str) -> Router<S>
where
    W: Authenticator<T, S, Output: IntoActor>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    let has_names = page.has_names();
    let shared = Arc::new((who, page));
    let visit = |part: Part| {
        let shared = Arc::clone(&shared);
        get(async move |State(state): State<S>, OriginalUri(uri): OriginalUri, request: Request| {
            let (who, page) = &*shared;
            let (mut parts, _) = request.into_parts();
            let caller = who.authenticate(&mut parts, &state).await;
            let visitor = Visitor::from(caller.and_then(IntoActor::into_actor));
            page.answer(part, &visitor, &uri, &parts.headers).await
        })
    };
    let mut router = Router::new()
        .route(&format!("{path}/"), visit(Part::Document))
        .route(&format!("{path}/embed.js"), visit(Part::Script));
    if has_names {
        router = router.route(&format!("{path}/owners"), visit(Part::Names));
    }
    if !path.is_empty() {
        router = router.route(path, visit(Part::Document));
    }
    router
}

impl<S> fmt::Debug for Dashboard<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dashboard").field("settings", &self.settings).finish_non_exhaustive()
    }
}
