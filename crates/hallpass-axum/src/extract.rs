use std::any::TypeId;
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::pin::pin;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll, Waker};

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, NestedPath, OptionalFromRequestParts, RawPathParams};
use hallpass_core::{IntoRequirement, PathParameters, Principal, Requirement};
use hallpass_tower::{
    NotText, PrincipalExt as _, RejectionKind, RoutedParameters, RouterPaths, refuse,
    require_principal,
};
use http::request::Parts;
use http::{Extensions, Request};

use crate::parameters::enforce_routed;
use crate::rejection::RejectionResponse;

/// Who calls: any valid token will do.
///
/// As `Option<Authenticated>`, under a layer that is
/// [`optional`](hallpass_tower::TokenLayer::optional), it is `None` for requests without a token.
///
/// ```
/// use hallpass_axum::Authenticated;
///
/// async fn me(Authenticated(me): Authenticated) -> String {
///     format!("{} with {}", me.owner(), me.scopes())
/// }
/// # let _: axum::routing::MethodRouter = axum::routing::get(me);
/// ```
#[derive(Clone, Debug)]
pub struct Authenticated(pub Principal);

impl Deref for Authenticated {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for Authenticated {
    type Rejection = RejectionResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        match require_principal(&parts.extensions) {
            Ok(principal) => Ok(Self(principal.clone())),
            Err(refusal) => Err(RejectionResponse::new(refusal, parts)),
        }
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Authenticated {
    type Rejection = RejectionResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.principal().cloned().map(Self))
    }
}

/// A scope that a handler's signature asks for: the type names it.
pub trait RequiredScope: 'static {
    /// What the route needs, such as `projects:read:{id}`.
    const SCOPE: &'static str;
}

/// Who calls, and that they hold the scope that `T` names.
///
/// ```
/// use hallpass_axum::{RequiredScope, Scoped};
///
/// struct ReadProject;
/// impl RequiredScope for ReadProject {
///     const SCOPE: &'static str = "projects:read:{id}";
/// }
///
/// async fn show(caller: Scoped<ReadProject>) -> String {
///     caller.owner().to_string()
/// }
/// # let _: axum::routing::MethodRouter = axum::routing::get(show);
/// ```
pub struct Scoped<T>(Principal, PhantomData<fn() -> T>);

impl<T> Scoped<T> {
    /// The principal.
    #[must_use]
    pub fn into_principal(self) -> Principal {
        self.0
    }
}

impl<T> Deref for Scoped<T> {
    type Target = Principal;

    fn deref(&self) -> &Principal {
        &self.0
    }
}

impl<T> fmt::Debug for Scoped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scoped").field(&self.0).finish()
    }
}

impl<T: RequiredScope, S: Sync> FromRequestParts<S> for Scoped<T> {
    type Rejection = RejectionResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let enforced = match requirement_of::<T>() {
            Some(requirement) => enforce_routed(parts, &requirement),
            None => Err(refuse(&parts.extensions, RejectionKind::Misconfigured)),
        };
        let principal = enforced.and_then(|()| require_principal(&parts.extensions));
        match principal {
            Ok(principal) => Ok(Self(principal.clone(), PhantomData)),
            Err(refusal) => Err(RejectionResponse::new(refusal, parts)),
        }
    }
}

/// The requirement that a type names, read once; `None` if it is not valid, which the log says.
fn requirement_of<T: RequiredScope>() -> Option<Arc<Requirement>> {
    static KNOWN: RwLock<Option<HashMap<TypeId, Option<Arc<Requirement>>>>> = RwLock::new(None);
    let id = TypeId::of::<T>();
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(requirement) = known.as_ref().and_then(|known| known.get(&id)) {
        return requirement.clone();
    }
    drop(known);
    let requirement = match T::SCOPE.into_requirement() {
        Ok(requirement) => Some(Arc::new(requirement)),
        Err(error) => {
            tracing::error!(target: "hallpass", scope = T::SCOPE, %error, "a `RequiredScope` names no scope: nobody is let in");
            None
        }
    };
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    known.get_or_insert_default().entry(id).or_insert(requirement).clone()
}

/// What axum's own extractors know of the path of a request, for the layer's policy table.
#[derive(Debug)]
pub(crate) struct AxumPaths;

/// The path parameters that axum's router found, percent-decoded, nesting included.
struct Routed(RawPathParams);

impl PathParameters for Routed {
    /// A name that comes twice, inside and outside of a nest, does not count: the handler may read the
    /// other one.
    fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(key, _)| *key == name).map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none())
    }
}

impl RouterPaths for AxumPaths {
    fn parameters(&self, extensions: &mut Extensions) -> Option<RoutedParameters> {
        // The extractor wants a whole head, of which it reads the extensions alone.
        let (mut head, ()) = Request::new(()).into_parts();
        std::mem::swap(&mut head.extensions, extensions);
        let extracted = {
            let future = pin!(RawPathParams::from_request_parts(&mut head, &()));
            future.poll(&mut Context::from_waker(Waker::noop()))
        };
        std::mem::swap(&mut head.extensions, extensions);
        match extracted {
            Poll::Ready(Ok(parameters)) => Some(Ok(Box::new(Routed(parameters)))),
            Poll::Ready(Err(RawPathParamsRejection::InvalidUtf8InPathParam(_))) => {
                Some(Err(NotText))
            }
            // It never waits. If it did, the rule would not be met.
            Poll::Ready(Err(_)) | Poll::Pending => None,
        }
    }

    fn nest<'e>(&self, extensions: &'e Extensions) -> Option<&'e str> {
        extensions.get::<NestedPath>().map(NestedPath::as_str)
    }
}
