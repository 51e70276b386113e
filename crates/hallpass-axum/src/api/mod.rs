//! The management API. [`TokenApi`] assembles it, and each group of calls has a file.
//!
//! Each handler gets its caller from an extractor ([`extract`]), calls one method of the handle,
//! and converts the result ([`crate::responses`], [`crate::problem`]). The rules of the lifecycle
//! are in hallpass-core, so the command line and the host's own code follow the same rules.

mod audit;
mod bulk;
mod catalog;
mod current;
mod extract;
mod list;
mod scopes;
mod tokens;

use std::fmt;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use hallpass_core::Hallpass;
use hallpass_tower::{RejectionKind, RejectionSettings, trusted_origin};
use tower_http::csrf::{CsrfLayer, ProtectionError};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

pub(crate) use self::extract::SignedIn;
use self::extract::WithoutToken;
use crate::authenticator::{Authenticator, BoxedAuthenticator, IntoActor, boxed};
use crate::headers;
use crate::openapi::{base, complete};
use crate::origin::{TrustedProxies, origin_of};
use crate::problem::{Kind, Problem, no_such_method};

/// A REST API for people to manage their tokens.
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
/// // The sign-in: an async function of extractors, like a handler.
/// async fn signed_in(State(app): State<App>, headers: HeaderMap) -> Option<Actor> {
///     app.sessions.person_of(headers.get("cookie")?).await.map(Actor::owner)
/// }
///
/// # #[derive(Clone)] struct Sessions;
/// # impl Sessions { async fn person_of(&self, _: &axum::http::HeaderValue) -> Option<String> { None } }
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let app: Router = Router::new()
///     .merge(TokenApi::new(&hallpass, signed_in).into_router_at("/tokens"))
///     .with_state(App { sessions: Sessions });
/// # let _ = app;
/// ```
///
/// A token cannot manage tokens: a request with a valid one in `Authorization: Bearer` is rejected
/// with 403, except for `/current`. So merge the API after a
/// [`TokenLayer`](hallpass_tower::TokenLayer) was added to the router, so that the API is outside
/// of the layer. Inside of a layer, signed-in people get a 401, because the layer wants a token. An
/// optional layer, or one with a fallback, passes them on.
///
/// # Cross-site protection
///
/// A change is rejected with 403 if the browser's headers show that another site sent it
/// ([`tower_http::csrf`]). A request with `Sec-Fetch-Site: same-origin` or `none` passes, whatever
/// `Host` a proxy set. If `Sec-Fetch-Site` is absent, `Origin` must name the request's own host.
/// Requests without both headers do not come from a browser, and pass. `/current` is exempt: a
/// token authenticates it, and another site cannot make a browser send one.
#[must_use = "the API is not served until `into_router_at` returns its router"]
pub struct TokenApi<S = ()> {
    mount: Mount<S>,
    csrf: CsrfLayer,
    cookie: String,
}

/// The state that the handlers of one mount share.
pub(crate) struct Mount<S> {
    hallpass: Hallpass,
    authenticator: BoxedAuthenticator<S>,
}

impl<S: Clone + Send + Sync + 'static> TokenApi<S> {
    /// Creates the API of a handle. `authenticator` returns the caller.
    pub fn new<A, T: 'static>(hallpass: &Hallpass, authenticator: A) -> Self
    where
        A: Authenticator<T, S, Output: IntoActor>,
    {
        Self {
            mount: Mount { hallpass: hallpass.clone(), authenticator: boxed(authenticator) },
            csrf: CsrfLayer::new(),
            cookie: "id".to_owned(),
        }
    }

    /// Allows pages of another origin, such as `https://app.example.com`, to make changes for
    /// signed-in users. Use it for other origins of the host. It does not add CORS headers, so the
    /// host must add them.
    ///
    /// # Panics
    ///
    /// Panics if the text is not an origin as browsers send it: `http` or `https`, a host in lower
    /// case, and a port unless it is the default one; no path and no final slash.
    ///
    /// ```
    /// use hallpass_axum::TokenApi;
    /// # use hallpass_core::{Actor, Hallpass};
    /// # use hallpass_memory::MemoryStore;
    /// # async fn signed_in() -> Option<Actor> { None }
    ///
    /// # let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let api: axum::Router = TokenApi::new(&hallpass, signed_in)
    ///     .trust_origin("https://app.example.com")
    ///     .into_router_at("/tokens");
    /// ```
    #[track_caller]
    pub fn trust_origin(self, origin: &str) -> Self {
        // This check is stricter than that of tower-http, which accepts origins that no browser
        // sends.
        let _ = trusted_origin(origin);
        match self.csrf.add_trusted_origin(origin) {
            Ok(csrf) => Self { csrf, ..self },
            Err(error) => panic!("invalid origin {origin:?}: {error}"),
        }
    }

    /// Sets the name of the host's session cookie, for the OpenAPI document. `id` by default.
    pub fn session_cookie(mut self, name: impl Into<String>) -> Self {
        self.cookie = name.into();
        self
    }

    /// Returns a router with the API at this path, such as `/settings/tokens`, for the host to
    /// merge. The collection is served with and without a slash at the end, which axum's `nest`
    /// alone cannot do. The host's router may itself be nested anywhere.
    ///
    /// # Panics
    ///
    /// Panics if the path does not start with `/`, or has a wildcard.
    #[track_caller]
    pub fn into_router_at(self, path: &str) -> Router<S> {
        assert!(path.starts_with('/'), "invalid mount path {path:?}: it must start with `/`");
        let Self { mount, csrf, cookie } = self;
        let hallpass = mount.hallpass.clone();
        let (router, document) = routes(&csrf).split_for_parts();
        let document = complete(document, &cookie).to_json().expect("the document is JSON");
        let document = Document(document.into());
        let path = path.strip_suffix('/').unwrap_or(path);
        let mount = Arc::new(mount);
        let with_layers = |router: Router<S>| {
            router
                .method_not_allowed_fallback(no_such_method)
                .layer(Extension(document.clone()))
                .layer(Extension(Arc::clone(&mount)))
                .layer(from_fn_with_state(hallpass.clone(), finish))
        };
        if path.is_empty() {
            return with_layers(router).reset_fallback();
        }
        let (_, _, collection) = collection::<S>();
        let with_slash = Router::new().route(&format!("{path}/"), collection.layer(csrf));
        // The layers are not around the outer router. Otherwise `merge` would give the host this
        // router's response to unknown paths.
        Router::new()
            .nest(path, with_layers(router.fallback(no_such_call)))
            .merge(with_layers(with_slash).reset_fallback())
    }
}

impl<S> fmt::Debug for TokenApi<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenApi").field("csrf", &self.csrf).finish_non_exhaustive()
    }
}

/// Returns the OpenAPI 3.1 document of the management API, with paths relative to where it is
/// mounted.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    complete(routes::<()>(&CsrfLayer::new()).into_openapi(), "id")
}

fn collection<S: Clone + Send + Sync + 'static>() -> UtoipaMethodRouter<S> {
    routes!(list::list, tokens::issue)
}

fn routes<S: Clone + Send + Sync + 'static>(csrf: &CsrfLayer) -> OpenApiRouter<S> {
    let with_session = OpenApiRouter::with_openapi(base())
        .routes(collection())
        .routes(routes!(tokens::show, tokens::update, tokens::delete))
        .routes(routes!(tokens::regenerate))
        .routes(routes!(tokens::end_grace_period))
        .routes(routes!(tokens::revoke))
        .routes(routes!(tokens::copy))
        .routes(routes!(scopes::add))
        .routes(routes!(scopes::remove))
        .routes(routes!(bulk::delete))
        .routes(routes!(bulk::revoke))
        .routes(routes!(audit::audit))
        .routes(routes!(catalog::scopes))
        .routes(routes!(document))
        .layer(csrf.clone());
    with_session.routes(routes!(current::show, current::revoke))
}

/// The OpenAPI document as JSON, written once.
#[derive(Clone)]
struct Document(Bytes);

/// Show the OpenAPI document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "openapi",
    responses((status = 200, description = "This document.", body = Object)),
    security(())
)]
async fn document(_: WithoutToken, Extension(document): Extension<Document>) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-cache")];
    (headers, document.0).into_response()
}

/// The middleware around every call. It records the origin of the request, reports a rejection, and
/// renders it with the settings of the handle.
async fn finish(State(hallpass): State<Hallpass>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let origin = origin_of(&parts, hallpass.extension::<TrustedProxies>());
    parts.extensions.insert(origin.clone());
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if response.extensions().get::<ProtectionError>().is_some() {
        response = Problem::new(Kind::CrossSite, RejectionKind::CrossSite.detail()).into_response();
    }
    match response.extensions_mut().remove::<Problem>() {
        Some(problem) => {
            problem.report(&hallpass, &origin);
            problem.render(response, &RejectionSettings::of(&hallpass))
        }
        None => headers::finish(response),
    }
}

async fn no_such_call() -> Problem {
    Problem::new(Kind::NotFound, "the token API has no such path")
}

/// Parses the member `all`, whose only valid value is `true`.
fn read_all(all: Option<bool>) -> Result<bool, Problem> {
    match all {
        Some(false) => Err(Problem::invalid("all", "use `true`, or omit the field")),
        all => Ok(all.is_some()),
    }
}
