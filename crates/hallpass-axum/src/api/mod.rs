//! The management API: [`TokenApi`] puts it together; a file for each thing it does.

mod catalog;
mod copy;
mod current;
mod delete;
mod document;
mod endpoint;
mod input;
mod issue;
mod list;
mod operation;
mod regenerate;
mod reply;
mod revoke;
mod scopes;
mod show;
mod table;
mod update;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, on};
use hallpass_core::Hallpass;
use utoipa::openapi::OpenApi;

use self::endpoint::Endpoint;
pub(crate) use self::operation::{Access, Operation};
pub(crate) use self::reply::text_header;
use crate::caller::{Asking, ErasedWho, Who};
use crate::confirm::{Confirm, Confirming};
use crate::cross_site::Origin;
use crate::headers;
use crate::openapi;
use crate::problem::{Kind, Problem, no_such_method};

/// The REST API with which people manage their tokens.
///
/// ```
/// use axum::{Router, extract::State, http::HeaderMap};
/// use hallpass_axum::TokenApi;
/// use hallpass_core::{Actor, Hallpass};
/// # use hallpass_memory::MemoryStore;
///
/// #[derive(Clone)]
/// struct App { sessions: Sessions }
///
/// // Who calls: an async function of extractors, as a handler is.
/// async fn signed_in(State(app): State<App>, headers: HeaderMap) -> Option<Actor> {
///     app.sessions.person_of(headers.get("cookie")?).await.map(Actor::owner)
/// }
///
/// # #[derive(Clone)] struct Sessions;
/// # impl Sessions { async fn person_of(&self, _: &axum::http::HeaderValue) -> Option<String> { None } }
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let app: Router = Router::new()
///     .merge(TokenApi::new(&hallpass, signed_in).at("/tokens"))
///     .with_state(App { sessions: Sessions });
/// # let _ = app;
/// ```
///
/// A token manages no tokens: with a valid one in `Authorization: Bearer`, every call but
/// `/current` is refused with 403. So mount the API beside the routes that a
/// [`TokenLayer`](hallpass_tower::TokenLayer) guards, not inside the layer.
///
/// # Cross-site protection
///
/// A change that no token speaks for is refused with 403 when the browser says that another site
/// asked for it: when `Sec-Fetch-Site` is anything but `same-origin` or `none`, or when there is an
/// `Origin` and it is not the request's own. The request's own is its `:authority` or `Host`; a
/// port that is not named there is the default one of the origin's scheme. An origin without TLS is
/// refused where the request is known to have come with it: by its own scheme, or by
/// `X-Forwarded-Proto: https`. A proxy in front must pass `Host` on as the browser sent it; where
/// it cannot, name the origin with [`trust_origin`](Self::trust_origin). Requests with neither
/// header come from no browser, and pass.
#[must_use = "the API is nowhere until `at` says where"]
pub struct TokenApi<S = ()> {
    hallpass: Hallpass,
    who: Arc<dyn ErasedWho<S>>,
    confirming: Option<Arc<Confirming<S>>>,
    trusted: Vec<Origin>,
    cookie: String,
}

/// What all operations share.
pub(crate) struct Shared {
    hallpass: Hallpass,
    trusted: Vec<Origin>,
    document: OpenApi,
}

impl<S: Clone + Send + Sync + 'static> TokenApi<S> {
    /// The API on this handle; `who` says who calls.
    pub fn new<W: Who<T, S>, T: 'static>(hallpass: &Hallpass, who: W) -> Self {
        Self {
            hallpass: hallpass.clone(),
            who: Arc::new(Asking::new(who)),
            confirming: None,
            trusted: Vec::new(),
            cookie: "id".to_owned(),
        }
    }

    /// Asks for a confirmation with every change: a password, a one-time code, whatever `check` can
    /// tell right from wrong. See [`Confirm`].
    ///
    /// It is sent as `Hallpass-Confirmation: <base64url of its UTF-8 text>`, of at most 1024 bytes.
    /// Without one a change is refused with 403 `confirmation-required`, with a wrong one with 403
    /// `confirmation-failed`, before anything else about the request is looked at. It holds for the
    /// one request alone. `DELETE /current`, which only takes rights away, needs none.
    ///
    /// After five wrong ones in a row a caller has to wait before the next is looked at, even if it
    /// is right: 30 seconds, and with each further wrong one twice as long, up to 15 minutes; until
    /// then the answer is 429 with `Retry-After`, and the check is not asked. A right one ends the
    /// row. No more of one caller's are checked at the same time than may still be wrong. The
    /// counts are this API's, on this node.
    pub fn confirm<C: Confirm<T, S>, T: 'static>(mut self, check: C) -> Self {
        self.confirming = Some(Arc::new(Confirming::new(check)));
        self
    }

    /// Lets pages of another origin, such as `https://app.example.com`, make changes in the name of
    /// people who are signed in. For the host's own: CORS is the host's to add.
    ///
    /// # Panics
    ///
    /// The text is no origin: `http` or `https`, a host, and a port unless it is the default; no path.
    #[track_caller]
    pub fn trust_origin(mut self, origin: &str) -> Self {
        match Origin::parse(origin) {
            Some(origin) => self.trusted.push(origin),
            None => {
                panic!("{origin:?} is no origin: write `https://app.example.com`, without a path")
            }
        }
        self
    }

    /// The name of the cookie by which the host knows who is signed in, for the OpenAPI document
    /// alone. `id` by default.
    pub fn session_cookie(mut self, name: impl Into<String>) -> Self {
        self.cookie = name.into();
        self
    }

    /// The API at this path, such as `/settings/tokens`, to be merged into the host's router. The
    /// collection answers with and without a slash at the end.
    ///
    /// axum's own `nest` can do only one of the two, so there is no router to nest. What it is
    /// merged into may be nested anywhere.
    ///
    /// # Panics
    ///
    /// The path is one that axum does not take: it starts with `/` and has no wildcard.
    #[track_caller]
    pub fn at(self, path: &str) -> Router<S> {
        let operations = table::operations();
        let document = openapi::document(&operations, &self.cookie, self.confirming.is_some());
        let shared = Arc::new(Shared { hallpass: self.hallpass, trusted: self.trusted, document });
        let mut api = Router::new();
        let mut collection = MethodRouter::new();
        for operation in operations {
            let (filter, relative) = (operation.method.filter(), operation.path);
            let endpoint = Endpoint {
                shared: Arc::clone(&shared),
                who: Arc::clone(&self.who),
                confirming: self.confirming.clone(),
                operation: Arc::new(operation),
            };
            if relative == "/" {
                collection = collection.on(filter, endpoint);
            } else {
                api = api.route(relative, on(filter, endpoint));
            }
        }
        api = api.route("/", collection.clone());
        assert!(path.starts_with('/'), "{path:?} is no path to mount at: it starts with `/`");
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            return api.method_not_allowed_fallback(no_such_method);
        }
        api = api.fallback(no_such_call).method_not_allowed_fallback(no_such_method);
        Router::new()
            .nest(path, api)
            .route(&format!("{path}/"), collection)
            .method_not_allowed_fallback(no_such_method)
    }
}

impl<S> fmt::Debug for TokenApi<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenApi")
            .field("trusted", &self.trusted)
            .field("confirms", &self.confirming.is_some())
            .finish_non_exhaustive()
    }
}

async fn no_such_call() -> Response {
    refuse(Problem::new(Kind::NotFound, "there is no such call"))
}

fn refuse(problem: Problem) -> Response {
    headers::finish(problem.into_response())
}
