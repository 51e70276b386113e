//! [`TokenLayer`] and its settings.

mod host_sign_in;
mod sources;

use std::sync::Arc;

use bytes::Bytes;
use hallpass_core::Hallpass;
use http::{Request, Response};
use tower_layer::Layer;

use crate::framework::RouteMatcher;
use crate::metrics;
use crate::policy::PolicyTable;
use crate::preflight::is_decided_by_head;
use crate::rejection::{Rejection, RejectionKind};
use crate::service::TokenService;
use crate::settings::{Render, Settings};

/// A layer that passes on only requests with a valid token.
///
/// It finds the credential (`Authorization: Bearer`, or `?session=`), checks it, removes it from
/// the request, and inserts the [`Principal`](hallpass_core::Principal) into the request's
/// extensions.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use hallpass_core::{Actor, Hallpass, NewToken};
/// use hallpass_tower::{PolicyTable, TokenLayer};
/// use http::{Request, Response};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// # use hallpass_memory::MemoryStore;
/// # type Body = http_body_util::Full<bytes::Bytes>;
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let layer = TokenLayer::new(&hallpass)
///     .bearer_only()
///     .policy(PolicyTable::new().get("/projects", "projects:list"));
/// let service = ServiceBuilder::new().layer(layer).service(service_fn(|request: Request<()>| async move {
///     assert!(!request.headers().contains_key("authorization"));
///     Ok::<_, std::convert::Infallible>(Response::new(Body::from("atlas, borealis")))
/// }));
///
/// let new = NewToken::named("ci").scope("projects:list");
/// let issued = hallpass.issue(&Actor::owner("alice"), new).await.unwrap();
/// let request = Request::get("/projects")
///     .header("authorization", format!("Bearer {}", issued.token.reveal()))
///     .body(()).unwrap();
/// let answer = service.clone().oneshot(request).await.unwrap();
/// assert_eq!(answer.status(), 200);
/// assert_eq!(answer.headers()["vary"], "authorization");
/// assert_eq!(answer.headers()["cache-control"], "private");
///
/// let answer = service.oneshot(Request::get("/projects").body(()).unwrap()).await.unwrap();
/// assert_eq!(answer.headers()["www-authenticate"], "Bearer realm=\"api\"");
/// # }
/// ```
///
/// Apply it outside of all services that read requests, including loggers, so that they see no
/// credentials. Only CORS, and services that rewrite paths, belong outside of the layer.
///
/// Layers of one handle may be nested. An inner layer takes over the principal of the outer one if
/// it accepts the source that the credential came from, and decides for itself otherwise.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct TokenLayer(Arc<Settings>);

impl TokenLayer {
    /// Creates a layer that takes tokens from `Authorization: Bearer` and from `?session=`.
    ///
    /// For axum, use `hallpass.layer()` of hallpass-axum's `HallpassExt` instead. It reads axum's
    /// matched routes. A layer from this function does not detect unguarded routes, finds the rules
    /// of a policy table by the path alone, and requires a token for CORS preflights.
    pub fn new(hallpass: &Hallpass) -> Self {
        metrics::describe();
        Self(Arc::new(Settings::new(hallpass.clone())))
    }

    /// Returns the handle that checks the tokens.
    #[must_use]
    pub fn hallpass(&self) -> &Hallpass {
        &self.0.hallpass
    }

    fn settings(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.0)
    }

    /// Passes on requests without any credential, without a principal. Use it for routers whose
    /// routes have requirements of their own. An invalid credential is still rejected, and a policy
    /// table still decides which routes need a token.
    ///
    /// A Bearer credential that is not in the format of this application's tokens, such as a JSON
    /// Web Token, stays in the request for the application.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use hallpass_core::Hallpass;
    /// use hallpass_tower::{PrincipalExt, TokenLayer};
    /// # use http::{Request, Response};
    /// # use tower::{ServiceBuilder, ServiceExt, service_fn};
    /// # use hallpass_memory::MemoryStore;
    /// # type Body = http_body_util::Full<bytes::Bytes>;
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let service = ServiceBuilder::new()
    ///     .layer(TokenLayer::new(&hallpass).optional())
    ///     .service(service_fn(|request: Request<()>| async move {
    ///         assert!(request.principal().is_none());
    ///         Ok::<_, std::convert::Infallible>(Response::new(Body::default()))
    ///     }));
    /// let anonymous = Request::new(());
    /// assert_eq!(service.clone().oneshot(anonymous).await.unwrap().status(), 200);
    /// let invalid = Request::get("/").header("authorization", "Bearer hp_mistyped").body(()).unwrap();
    /// assert_eq!(service.oneshot(invalid).await.unwrap().status(), 401);
    /// # }
    /// ```
    pub fn optional(mut self) -> Self {
        self.settings().optional = true;
        self
    }

    /// Requires a token for CORS preflights, too.
    ///
    /// By default, an `OPTIONS` request with `Origin` and `Access-Control-Request-Method` passes to
    /// axum's router without a principal, because browsers send no credentials with it, and an
    /// inner CORS layer has to respond to it. If the response is successful and has no
    /// `Access-Control-Allow-Origin`, the layer responds with 401 instead.
    ///
    /// With a [policy table](Self::policy) or [`grpc`](Self::grpc), and around other services,
    /// preflights need a token anyway. Put the CORS layer outside, or declare the `OPTIONS` route
    /// [`public`](hallpass_core::public).
    pub fn authenticate_preflights(mut self) -> Self {
        self.settings().authenticate_preflights = true;
        self
    }

    /// Sends rejections as gRPC statuses, for tonic. Every rejection of this layer then has HTTP
    /// status 200 and a `grpc-status`, whatever the request is.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use hallpass_core::Hallpass;
    /// use hallpass_tower::TokenLayer;
    /// # use http::{Request, Response};
    /// # use tower::{ServiceBuilder, ServiceExt, service_fn};
    /// # use hallpass_memory::MemoryStore;
    /// # type Body = http_body_util::Full<bytes::Bytes>;
    /// # let inner = service_fn(|_: Request<()>| async {
    /// #     Ok::<_, std::convert::Infallible>(Response::new(Body::default()))
    /// # });
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let layer = TokenLayer::new(&hallpass).grpc();
    /// # let service = ServiceBuilder::new().layer(layer).service(inner);
    ///
    /// let response = service.oneshot(Request::new(())).await.unwrap();
    /// assert_eq!(response.status(), 200);
    /// assert_eq!(response.headers()["grpc-status"], "16"); // UNAUTHENTICATED
    /// # }
    /// ```
    pub fn grpc(mut self) -> Self {
        self.settings().rejections.grpc = true;
        self
    }

    /// Leaves the `Authorization` header in the request, marked as sensitive, instead of removing
    /// it. Use it for handlers that read the header themselves, and for services that forward
    /// requests on behalf of the caller.
    pub fn keep_authorization(mut self) -> Self {
        self.settings().keep_authorization = true;
        self
    }

    /// Sets the `realm` of challenges, `api` by default.
    ///
    /// # Panics
    ///
    /// Panics if the text is empty, or not printable ASCII without quotes and backslashes.
    #[track_caller]
    pub fn realm(mut self, realm: &str) -> Self {
        let rejections = &mut self.settings().rejections;
        *rejections = rejections.clone().with_realm(realm);
        self
    }

    /// Enforces a table of what each route needs. A route that is not in it is rejected.
    ///
    /// # Panics
    ///
    /// Panics if the handle has a catalog and the table names a scope that is not in it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use hallpass_core::{Actor, Hallpass, NewToken, public};
    /// use hallpass_tower::{PolicyTable, TokenLayer};
    /// # use http::{Request, Response};
    /// # use tower::{ServiceBuilder, ServiceExt, service_fn};
    /// # use hallpass_memory::MemoryStore;
    /// # type Body = http_body_util::Full<bytes::Bytes>;
    /// # let inner = service_fn(|_: Request<()>| async {
    /// #     Ok::<_, std::convert::Infallible>(Response::new(Body::default()))
    /// # });
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let table = PolicyTable::new().get("/health", public()).get("/projects", "projects:list");
    /// let layer = TokenLayer::new(&hallpass).policy(table);
    /// # let service = ServiceBuilder::new().layer(layer).service(inner);
    ///
    /// let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
    /// let get = |path: &str| Request::get(path)
    ///     .header("authorization", format!("Bearer {}", issued.token.reveal()))
    ///     .body(()).unwrap();
    /// assert_eq!(service.clone().oneshot(get("/health")).await.unwrap().status(), 200);
    /// // The token lacks the scope, and the table has no rule for the second path.
    /// assert_eq!(service.clone().oneshot(get("/projects")).await.unwrap().status(), 403);
    /// assert_eq!(service.oneshot(get("/admin")).await.unwrap().status(), 403);
    /// # }
    /// ```
    #[track_caller]
    pub fn policy(mut self, table: PolicyTable) -> Self {
        table.check_scopes(&self.0.hallpass);
        self.settings().policy = Some(table);
        self
    }

    /// Sets whether a request is rejected with 500 if its route has no requirement, does not read
    /// the [`Principal`](hallpass_core::Principal), and is not declared with
    /// `.scoped(authenticated())` or a similar call. Any valid token could call such a route.
    ///
    /// This is on in debug builds, tests included, so that a forgotten requirement is noticed
    /// before it ships. In release builds the response is sent, the log names each such route once,
    /// and the counter `hallpass_unguarded_requests_total` counts the requests. Only responses
    /// without an error count, and only routes that a framework matched before this layer.
    pub fn reject_unguarded_routes(mut self, reject: bool) -> Self {
        self.settings().reject_unguarded_routes = reject;
        self
    }

    /// Renders rejections in the host's own way. The function gets the rejection and the response
    /// that would be sent, and returns the response that is sent. It is not called if
    /// [`grpc`](Self::grpc) is set.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use bytes::Bytes;
    /// use hallpass_core::Hallpass;
    /// use hallpass_tower::{Rejection, TokenLayer};
    /// use http::{Request, Response, header::CONTENT_TYPE};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    /// # use hallpass_memory::MemoryStore;
    /// # type Body = http_body_util::Full<Bytes>;
    ///
    /// // The status and the challenge stay; the body is text.
    /// fn as_text(rejection: &Rejection, response: Response<Bytes>) -> Response<Bytes> {
    ///     let mut response = response.map(|_| Bytes::from(rejection.detail().to_owned()));
    ///     response.headers_mut().insert(CONTENT_TYPE, "text/plain".parse().unwrap());
    ///     response
    /// }
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let service = ServiceBuilder::new()
    ///     .layer(TokenLayer::new(&hallpass).on_rejection(as_text))
    ///     .service(service_fn(|_: Request<()>| async {
    ///         Ok::<_, std::convert::Infallible>(Response::new(Body::default()))
    ///     }));
    /// let answer = service.oneshot(Request::new(())).await.unwrap();
    /// assert_eq!((answer.status().as_u16(), &answer.headers()[CONTENT_TYPE]), (401, &"text/plain".parse().unwrap()));
    /// # }
    /// ```
    pub fn on_rejection(
        mut self,
        render: impl Fn(&Rejection, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.settings().rejections.render = Some(Render::new(render));
        self
    }

    /// Returns a rejection with the settings of this layer, [`on_rejection`](Self::on_rejection)
    /// included. Use it in an outer middleware that rejects requests itself.
    ///
    /// ```
    /// use hallpass_core::Hallpass;
    /// use hallpass_tower::{RejectionKind, TokenLayer};
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let layer = TokenLayer::new(&hallpass);
    /// let too_large = layer.rejection(RejectionKind::TooLarge).into_response();
    /// assert_eq!(too_large.status(), 413);
    /// ```
    #[must_use]
    pub fn rejection(&self, kind: RejectionKind) -> Rejection {
        self.0.rejection(kind)
    }

    /// Returns a `MakeSpan` for tower-http's `TraceLayer` that leaves out the tokens in URLs. Use
    /// it for a `TraceLayer` outside of this layer, which sees requests with their credentials.
    ///
    /// ```
    /// use hallpass_core::Hallpass;
    /// use hallpass_tower::TokenLayer;
    /// use tower::ServiceBuilder;
    /// use tower_http::trace::TraceLayer;
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let layer = TokenLayer::new(&hallpass);
    /// let layers = ServiceBuilder::new()
    ///     .layer(TraceLayer::new_for_http().make_span_with(layer.make_span()))
    ///     .layer(layer);
    /// # let _ = layers;
    /// ```
    #[cfg(feature = "trace")]
    #[must_use]
    pub fn make_span(&self) -> crate::RedactingMakeSpan {
        crate::RedactingMakeSpan::new(&self.0)
    }

    /// Returns whether the head of a request identifies the caller, or the route is public, so that
    /// its body need not be searched for a credential.
    #[doc(hidden)]
    #[must_use]
    pub fn is_decided_by_head<B>(&self, request: &mut Request<B>) -> bool {
        is_decided_by_head(&self.0, request)
    }

    /// Sets how a framework's integration reads the framework's extensions.
    #[doc(hidden)]
    pub fn framework(mut self, framework: &'static dyn RouteMatcher) -> Self {
        self.settings().framework = Some(framework);
        self
    }
}

impl<S> Layer<S> for TokenLayer {
    type Service = TokenService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TokenService::new(inner, Arc::clone(&self.0))
    }
}
