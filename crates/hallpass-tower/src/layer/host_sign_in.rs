//! The settings of [`TokenLayer`] for the host's own sign-in.

use std::future::Future;

use http::request::Parts;

use super::TokenLayer;
use crate::cross_site;
use crate::fallback::{Fallback, IntoPrincipal};

impl TokenLayer {
    /// Authenticates requests without a token of this application by the host's own sign-in. These
    /// are requests with no credential, with another scheme, or with a text in another format.
    ///
    /// The async function gets the head of the request. It returns
    /// [`Principal::external`](hallpass_core::Principal::external) with the scopes that the person
    /// has, `None` if the request is not signed in, or an error. An error results in a 503 unless
    /// it is a [`SignInResponse`](crate::SignInResponse). Requirements, policy tables, extractors
    /// and events treat such a principal like the owner of a token. Its own credential stays in the
    /// request.
    ///
    /// Return an error, and not `None`, if the request lacks what the session middleware always
    /// adds. That middleware is then not outside of this layer. With `None`, every person would
    /// get a 401, and no log line would name the mistake.
    ///
    /// Browsers send cookies along with requests of other sites. So a request that may change state
    /// is rejected with 403 if `Sec-Fetch-Site` is neither `same-origin` nor `none`, or, without
    /// that header, if `Origin` is not the request's own host. Requests whose `Authorization` has a
    /// scheme that browsers do not send automatically pass without this check, and so do those of
    /// pages that the host [trusts](Self::trust_origin).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use hallpass_core::{Hallpass, Principal, ScopeSet};
    /// use hallpass_tower::{PrincipalExt, TokenLayer};
    /// use http::{Request, Response, request::Parts};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    /// # use hallpass_memory::MemoryStore;
    /// # type Body = http_body_util::Full<bytes::Bytes>;
    /// # #[derive(Clone)] struct Session { user: Option<String> }
    /// type BoxError = Box<dyn std::error::Error + Send + Sync>;
    ///
    /// // The host's session middleware, further out, has put the session into the request.
    /// async fn signed_in(parts: Parts) -> Result<Option<Principal>, BoxError> {
    ///     let session = parts.extensions.get::<Session>();
    ///     let session = session.ok_or("no session: put the sessions outside of the token layer")?;
    ///     let Some(user) = &session.user else { return Ok(None) };
    ///     Ok(Some(Principal::external(user.parse()?, ScopeSet::parse(["projects"])?)))
    /// }
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let service = ServiceBuilder::new()
    ///     .layer(TokenLayer::new(&hallpass).fallback(signed_in))
    ///     .service(service_fn(|request: Request<()>| async move {
    ///         let owner = request.principal().unwrap().owner().to_string();
    ///         Ok::<_, std::convert::Infallible>(Response::new(Body::from(owner)))
    ///     }));
    /// for (user, status) in [(Some("alice".to_owned()), 200), (None, 401)] {
    ///     let mut request = Request::new(());
    ///     request.extensions_mut().insert(Session { user });
    ///     assert_eq!(service.clone().oneshot(request).await.unwrap().status(), status);
    /// }
    /// let without_session = service.oneshot(Request::new(())).await.unwrap();
    /// assert_eq!(without_session.status(), 503);
    /// # }
    /// ```
    pub fn fallback<F, Fut>(mut self, authenticator: F) -> Self
    where
        F: Fn(Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoPrincipal> + Send + 'static,
    {
        let settings = self.settings();
        settings.fallback = Some(Fallback::new(authenticator));
        settings.set_vary();
        self
    }

    /// Allows pages of another origin, such as `https://app.example.com`, to make changes for
    /// people whom [`fallback`](Self::fallback) signs in, and to open WebSockets for them. Use it
    /// for other origins of the host. It does not add CORS headers, so the host must add them.
    /// Requests with a token do not need it.
    ///
    /// # Panics
    ///
    /// Panics if the text is not an origin as browsers send it: `http` or `https`, a host in lower
    /// case, and a port unless it is the default one; no path and no final slash.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use hallpass_core::{Hallpass, Principal, ScopeSet};
    /// use hallpass_tower::TokenLayer;
    /// use http::{Request, Response, request::Parts};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    /// # use hallpass_memory::MemoryStore;
    /// # type Body = http_body_util::Full<bytes::Bytes>;
    /// # async fn signed_in(_: Parts) -> Option<Principal> {
    /// #     Some(Principal::external("alice".parse().ok()?, ScopeSet::default()))
    /// # }
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let layer = TokenLayer::new(&hallpass)
    ///     .fallback(signed_in)
    ///     .trust_origin("https://app.example.com");
    /// # let service = ServiceBuilder::new().layer(layer).service(service_fn(|_: Request<()>| async {
    /// #     Ok::<_, std::convert::Infallible>(Response::new(Body::default()))
    /// # }));
    ///
    /// let post = |origin: &str| {
    ///     let request = Request::post("/projects").header("sec-fetch-site", "cross-site");
    ///     request.header("origin", origin).body(()).unwrap()
    /// };
    /// let trusted = post("https://app.example.com");
    /// assert_eq!(service.clone().oneshot(trusted).await.unwrap().status(), 200);
    /// let other = post("https://other.example.com");
    /// assert_eq!(service.oneshot(other).await.unwrap().status(), 403);
    /// # }
    /// ```
    #[track_caller]
    pub fn trust_origin(mut self, origin: &str) -> Self {
        let origin = cross_site::trusted_origin(origin);
        self.settings().trusted_origins.push(origin);
        self
    }
}
