//! The host's own sign-in, for requests that carry no token.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use hallpass_core::Principal;
use http::request::Parts;

type BoxError = Box<dyn Error + Send + Sync>;

/// The result of the host's sign-in.
pub(crate) type HostVerdict = Result<Option<Principal>, BoxError>;

/// The types that the async function of [`TokenLayer::fallback`](crate::TokenLayer::fallback) may
/// return: a [`Principal`], an `Option` of one, or a `Result` of either. An error means that the
/// host could not determine the caller.
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
