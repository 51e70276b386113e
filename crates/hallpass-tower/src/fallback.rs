//! The host's own sign-in, for requests that carry no token.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use hallpass_core::Principal;
use http::request::Parts;
use http::{Response, StatusCode};

type BoxError = Box<dyn Error + Send + Sync>;

/// The result of the host's sign-in.
pub(crate) type HostVerdict = Result<Option<Principal>, BoxError>;

/// The types that the async function of [`TokenLayer::fallback`](crate::TokenLayer::fallback) may
/// return: a [`Principal`], an `Option` of one, or a `Result` of either. An error means that the
/// host could not determine the caller, unless it is a [`SignInResponse`].
#[diagnostic::on_unimplemented(
    message = "the host's sign-in cannot return `{Self}`",
    note = "return `Principal`, `Option<Principal>`, or a `Result` of one of them"
)]
pub trait IntoPrincipal {
    /// Converts the value.
    ///
    /// # Errors
    ///
    /// Returns the host's error if it could not determine the caller.
    fn into_principal(self) -> Result<Option<Principal>, BoxError>;
}

impl IntoPrincipal for Principal {
    fn into_principal(self) -> HostVerdict {
        Ok(Some(self))
    }
}

impl IntoPrincipal for Option<Principal> {
    fn into_principal(self) -> HostVerdict {
        Ok(self)
    }
}

impl<T: IntoPrincipal, E: Into<BoxError>> IntoPrincipal for Result<T, E> {
    fn into_principal(self) -> HostVerdict {
        self.map_err(Into::into)?.into_principal()
    }
}

/// A response that the host's sign-in returns as its error, such as a redirect to a login page, or
/// an error in the format of the host's API. The layer sends it to the client. Without this type,
/// an error results in a 503.
///
/// - The status must be a redirect (3xx) or a client error (4xx). With any other status, the layer
///   sends a 503 instead.
/// - The response has `Cache-Control: no-store` unless the host sets another value.
/// - A request with a mistyped token, which begins with the prefix of this application's tokens,
///   still gets the layer's 401.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use bytes::Bytes;
/// use hallpass_core::{Hallpass, Principal, ScopeSet};
/// use hallpass_tower::{SignInResponse, TokenLayer};
/// use http::{Request, Response, request::Parts};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// # use hallpass_memory::MemoryStore;
///
/// async fn signed_in(parts: Parts) -> Result<Principal, SignInResponse> {
///     if !parts.headers.contains_key("cookie") {
///         let response = Response::builder().status(303).header("location", "/login");
///         return Err(SignInResponse::new(response.body(Bytes::new()).unwrap()));
///     }
///     Ok(Principal::external("alice".parse().unwrap(), ScopeSet::default()))
/// }
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let service = ServiceBuilder::new()
///     .layer(TokenLayer::new(&hallpass).fallback(signed_in))
///     .service(service_fn(|_: Request<()>| async {
///         Ok::<_, std::convert::Infallible>(Response::new(http_body_util::Full::<Bytes>::default()))
///     }));
/// let response = service.oneshot(Request::new(())).await.unwrap();
/// assert_eq!(response.status(), 303);
/// assert_eq!(response.headers()["location"], "/login");
/// # }
/// ```
#[derive(Debug)]
pub struct SignInResponse(Box<Response<Bytes>>);

impl SignInResponse {
    /// Wraps a response.
    #[must_use]
    pub fn new(response: Response<Bytes>) -> Self {
        Self(Box::new(response))
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.0.status()
    }

    pub(crate) fn into_response(self) -> Box<Response<Bytes>> {
        self.0
    }
}

impl fmt::Display for SignInResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the sign-in returned an error with the status {}: only a redirect (3xx) or a client \
             error (4xx) is sent to the client",
            self.status()
        )
    }
}

impl Error for SignInResponse {}

/// A running sign-in of the host.
pub(crate) type SignInFuture = Pin<Box<dyn Future<Output = HostVerdict> + Send>>;

type SignIn = dyn Fn(Parts) -> SignInFuture + Send + Sync;

/// The host's sign-in with its type erased.
#[derive(Clone)]
pub(crate) struct Fallback(Arc<SignIn>);

impl Fallback {
    pub(crate) fn new<F, Fut>(authenticator: F) -> Self
    where
        F: Fn(Parts) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoPrincipal> + Send + 'static,
    {
        Self(Arc::new(move |parts| {
            let sign_in = authenticator(parts);
            Box::pin(async { sign_in.await.into_principal() })
        }))
    }

    pub(crate) fn sign_in(&self, parts: Parts) -> SignInFuture {
        (self.0)(parts)
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Fallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fallback(..)")
    }
}
