use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, Request, State};
use axum::routing::{MethodRouter, get};
use hallpass_axum::{Authenticator, TokenApi};
use hallpass_core::Hallpass;

use crate::asset;
use crate::local::local;
use crate::page::{Page, Settings};
use crate::visitor::Visitor;

/// The page on which people manage their tokens, and the REST API it speaks.
///
/// ```
/// use axum::{Router, http::request::Parts};
/// use hallpass_core::{Actor, Hallpass};
/// use hallpass_dashboard::Dashboard;
/// # use hallpass_memory::MemoryStore;
/// # #[derive(Clone)] struct Person { id: String }
///
/// // Who is signed in: as for `TokenApi`.
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
/// The page is at that path, with and without a slash at its end; its files are at `assets` below,
/// and the API at `api` below. It links to all of them relatively, so what it is merged into may be
/// nested anywhere, and may sit behind a proxy that cuts a prefix off.
///
/// Whom the sign-in does not know sees no page. An admin ([`Actor::admin`](hallpass_core::Actor::admin)) sees
/// everybody's tokens, and may revoke and delete them.
#[must_use = "the page is nowhere until `into_router_at` says where"]
pub struct Dashboard<S = ()> {
    settings: Settings,
    api: Option<TokenApi<S>>,
    /// Builds the page's route: it knows the type of the sign-in, which nobody else need name.
    route: Box<dyn FnOnce(Page) -> MethodRouter<S> + Send>,
}

impl<S: Clone + Send + Sync + 'static> Dashboard<S> {
    /// The page on this handle; `who` says who opens it, and who calls the API.
    pub fn new<W: Authenticator<T, S> + Clone, T: 'static>(hallpass: &Hallpass, who: W) -> Self {
        let api = TokenApi::new(hallpass, who.clone());
        Self {
            settings: Settings::of(hallpass),
            api: Some(api),
            route: Box::new(|page| visit(who, page)),
        }
    }

    /// Speaks an API that the host mounts itself, at this path as the browser sees it, and brings
    /// none along: `/tokens`, or `../tokens` relative to the page.
    ///
    /// # Panics
    ///
    /// The path leads to another site.
    #[track_caller]
    pub fn api(mut self, path: impl Into<String>) -> Self {
        self.settings.api = Some(local("the API's path", path));
        self.api = None;
        self
    }

    /// Settings of the API that the page brings along: `|api| api.trust_origin("https://app.example.com")`.
    ///
    /// # Panics
    ///
    /// It brings none: [`api`](Self::api) was called before.
    #[track_caller]
    pub fn with_api(mut self, settings: impl FnOnce(TokenApi<S>) -> TokenApi<S>) -> Self {
        match self.api.take() {
            Some(api) => self.api = Some(settings(api)),
            None => {
                panic!("the page speaks an API that is mounted elsewhere: set that one up there")
            }
        }
        self
    }

    /// Where people sign in. Who is not signed in is sent there; without it they get a page with
    /// status 401 that says so. Let the path say where to go from there if your sign-in can:
    /// `/login?next=/settings/tokens`.
    ///
    /// # Panics
    ///
    /// The path leads to another site.
    #[track_caller]
    pub fn sign_in(mut self, path: impl Into<String>) -> Self {
        self.settings.sign_in = Some(local("the sign-in", path));
        self
    }

    /// Where the page's link back leads. Without it there is none.
    ///
    /// # Panics
    ///
    /// The path leads to another site.
    #[track_caller]
    pub fn home(mut self, path: impl Into<String>) -> Self {
        self.settings.home = Some(local("the link back", path));
        self
    }

    /// A style sheet of the host's, loaded after the page's own: to set the custom properties that
    /// `docs/dashboard.md` lists.
    ///
    /// # Panics
    ///
    /// The path leads to another site.
    #[track_caller]
    pub fn theme(mut self, path: impl Into<String>) -> Self {
        self.settings.theme = Some(local("the style sheet", path));
        self
    }

    /// Names what people confirm changes with, where the handle asks for it
    /// ([`step_up`](hallpass_axum::HallpassBuilderExt::step_up)). `password` by default; for example,
    /// `one-time code`.
    pub fn confirmation(mut self, what: impl Into<String>) -> Self {
        self.settings.confirmation = Some(what.into());
        self
    }

    /// The page at this path, such as `/settings/tokens`, to be merged into the host's router.
    ///
    /// # Panics
    ///
    /// The path is one that axum does not take: it starts with `/` and has no wildcard.
    #[track_caller]
    pub fn into_router_at(self, path: &str) -> Router<S> {
        assert!(path.starts_with('/'), "{path:?} is no path to mount at: it starts with `/`");
        let path = path.strip_suffix('/').unwrap_or(path);
        let page = (self.route)(Page::new(self.settings));
        let mut router = Router::new()
            .route(&format!("{path}/"), page.clone())
            .route(&format!("{path}/assets/{{version}}/{{file}}"), get(asset::serve));
        if !path.is_empty() {
            router = router.route(path, page);
        }
        match self.api {
            Some(api) => router.merge(api.into_router_at(&format!("{path}/api"))),
            None => router,
        }
    }
}

/// The page's route for this sign-in.
fn visit<W, T, S>(who: W, page: Page) -> MethodRouter<S>
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
        page.answer(&visitor, uri.path())
    })
}

impl<S> fmt::Debug for Dashboard<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dashboard").field("settings", &self.settings).finish_non_exhaustive()
    }
}
