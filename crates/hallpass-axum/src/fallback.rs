//! The host's own sign-in on routes with tokens, as an async function of axum's extractors.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use hallpass_core::Principal;
use hallpass_tower::{IntoPrincipal, TokenLayer};
use http::StatusCode;

type BoxError = Box<dyn Error + Send + Sync>;

/// The host's sign-in for [`TokenLayerExt::fallback_with_state`]: an async function of extractors
/// that returns a [`Principal`].
///
/// It takes up to four arguments, each [`FromRequestParts`]: `State`, a session, a cookie jar, the
/// request's [`Parts`]. It returns any type that implements [`IntoPrincipal`].
///
/// [`TokenLayerExt::fallback_with_state`]: crate::TokenLayerExt::fallback_with_state
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a sign-in function",
    label = "not an async function of extractors that returns a `Principal`",
    note = "each argument implements `axum::extract::FromRequestParts` for the state, and the \
        function returns `Principal`, `Option<Principal>`, or a `Result` of one of them"
)]
pub trait FallbackAuthenticator<T, S>: Send + Sync + 'static {
    /// Returns the principal, or `None` if the caller is not signed in.
    fn authenticate(
        &self,
        parts: &mut Parts,
        state: &S,
    ) -> impl Future<Output = Result<Option<Principal>, BoxError>> + Send;
}

/// The error of an extractor that failed with a server error.
#[derive(Debug)]
struct ExtractorError(StatusCode);

impl fmt::Display for ExtractorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an extractor of the sign-in failed with {}", self.0)
    }
}

impl Error for ExtractorError {}

/// Converts the rejection of an extractor: a server error is an outage, and any other status means
/// that the caller is not signed in.
fn rejected(rejection: impl IntoResponse) -> Result<Option<Principal>, BoxError> {
    let status = rejection.into_response().status();
    if status.is_server_error() { Err(Box::new(ExtractorError(status))) } else { Ok(None) }
}

macro_rules! fallback_authenticator {
    ($($extractor:ident $value:ident),+) => {
        impl<F, Fut, S, $($extractor,)+> FallbackAuthenticator<($($extractor,)+), S> for F
        where
            F: Fn($($extractor),+) -> Fut + Send + Sync + 'static,
            Fut: Future<Output: IntoPrincipal> + Send,
            S: Send + Sync,
            $($extractor: FromRequestParts<S> + Send,)+
        {
            async fn authenticate(
                &self,
                parts: &mut Parts,
                state: &S,
            ) -> Result<Option<Principal>, BoxError> {
                $(let $value = match $extractor::from_request_parts(parts, state).await {
                    Ok(value) => value,
                    Err(rejection) => return rejected(rejection),
                };)+
                self($($value),+).await.into_principal()
            }
        }
    };
}

fallback_authenticator!(A a);
fallback_authenticator!(A a, B b);
fallback_authenticator!(A a, B b, C c);
fallback_authenticator!(A a, B b, C c, D d);

/// Makes a sign-in with extractors the fallback of a layer.
pub(crate) fn with_state<A, T, S>(layer: TokenLayer, state: S, authenticator: A) -> TokenLayer
where
    A: FallbackAuthenticator<T, S>,
    S: Clone + Send + Sync + 'static,
{
    let authenticator = Arc::new(authenticator);
    layer.fallback(move |mut parts: Parts| {
        let (authenticator, state) = (Arc::clone(&authenticator), state.clone());
        async move { authenticator.authenticate(&mut parts, &state).await }
    })
}
