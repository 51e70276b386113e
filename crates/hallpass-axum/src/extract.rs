//! Extractors of the principal.
//!
//! The extractors read the result of the layer from the request's extensions. They never check a
//! token themselves, so a request that has not passed the layer gets a 500 and is never accepted.
//!
//! [`Scoped`] names its scope as a constant, which is checked at compile time: a scope that no
//! route can require does not compile. A scope with a path parameter is compared with the route's
//! value on each request.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use hallpass_core::{IntoRequirement, Principal, Requirement, Scope};
use hallpass_tower::{optional_principal, require_principal};
use http::request::Parts;

use crate::parameters::{enforce_routed, is_met};
use crate::rejection::RejectionResponse;

/// An extractor of the principal of a request. It accepts any valid token.
///
/// Under a layer that is [`optional`](hallpass_tower::TokenLayer::optional),
/// `Option<Authenticated>` is `None` for requests without a token. Without a layer, it is rejected
/// with a 500, like every other extractor of this crate.
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
        Ok(Self(require_principal(&parts.extensions)?.clone()))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for Authenticated {
    type Rejection = RejectionResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(optional_principal(&parts.extensions)?.cloned().map(Self))
    }
}

/// A marker type that stands for a scope in a handler's signature.
pub trait RequiredScope: 'static {
    /// The scope that the route needs, such as `projects:read:{id}`. If a route cannot require this
    /// scope, the code that uses it does not compile.
    const SCOPE: &'static str;
}

/// An extractor of a principal that has the scope that `T` names.
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
///
/// With a scope that no route can require, the same does not compile:
///
/// ```compile_fail
/// # use hallpass_axum::{RequiredScope, Scoped};
/// # struct ReadProject;
/// impl RequiredScope for ReadProject {
///     const SCOPE: &'static str = "projects::*";
/// }
/// # async fn show(caller: Scoped<ReadProject>) -> String {
/// #     caller.owner().to_string()
/// # }
/// # let _: axum::routing::MethodRouter = axum::routing::get(show);
/// ```
///
/// `Option<Scoped<T>>` is `None` for a principal that does not have the scope, and for requests
/// without a token under a layer that is [`optional`](hallpass_tower::TokenLayer::optional). The
/// handler then decides how to respond.
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
        enforce_routed(parts, &requirement_of::<T>())?;
        Ok(Self(require_principal(&parts.extensions)?.clone(), PhantomData))
    }
}

impl<T: RequiredScope, S: Sync> OptionalFromRequestParts<S> for Scoped<T> {
    type Rejection = RejectionResponse;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Self::Rejection> {
        let Some(principal) = optional_principal(&parts.extensions)?.cloned() else {
            return Ok(None);
        };
        let is_met = is_met(parts, &principal, &requirement_of::<T>())?;
        Ok(is_met.then_some(Self(principal, PhantomData)))
    }
}

/// Returns the requirement that a type names. It is parsed once.
pub(crate) fn requirement_of<T: RequiredScope>() -> Arc<Requirement> {
    static KNOWN: RwLock<BTreeMap<&'static str, Arc<Requirement>>> = RwLock::new(BTreeMap::new());
    const {
        assert!(
            is_scope(T::SCOPE),
            "`RequiredScope::SCOPE` is not a scope that a route can require"
        );
    };
    let known = KNOWN.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(requirement) = known.get(T::SCOPE) {
        return Arc::clone(requirement);
    }
    drop(known);
    let requirement =
        T::SCOPE.into_requirement().expect("`is_scope` applies the rules of a requirement");
    let requirement = Arc::new(requirement);
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(known.entry(T::SCOPE).or_insert(requirement))
}

/// Checks whether a route can require this text. These are the rules of [`Requirement`] for a
/// single scope, written so that the compiler can evaluate them.
const fn is_scope(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (mut at, mut segments, mut braces) = (0, 0, 0);
    while at <= bytes.len() {
        let start = at;
        let is_parameter = at < bytes.len() && bytes[at] == b'{';
        if is_parameter {
            at += 1;
        }
        let name = at;
        while at < bytes.len() && bytes[at] != b':' && !(is_parameter && bytes[at] == b'}') {
            let fits = match bytes[at] {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' => true,
                b'{' | b'}' | b'*' | b'"' | b'\\' => false,
                byte => byte.is_ascii_graphic() && !is_parameter,
            };
            if !fits {
                return false;
            }
            at += 1;
        }
        if is_parameter {
            if at == name || at == bytes.len() || bytes[at] != b'}' {
                return false;
            }
            at += 1;
            braces += 2;
        }
        if at == start || (at < bytes.len() && bytes[at] != b':') || has_dots(bytes, start, at) {
            return false;
        }
        segments += 1;
        at += 1;
    }
    segments <= Scope::MAX_SEGMENTS && bytes.len() - braces <= Scope::MAX_LEN
}

/// Returns whether a part of a segment between slashes is `.` or `..`.
const fn has_dots(bytes: &[u8], start: usize, end: usize) -> bool {
    let (mut at, mut part, mut dots) = (start, start, 0);
    while at <= end {
        if at == end || bytes[at] == b'/' {
            if dots == at - part && (dots == 1 || dots == 2) {
                return true;
            }
            part = at + 1;
            dots = 0;
        } else if bytes[at] == b'.' {
            dots += 1;
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use hallpass_core::Requirement;

    use super::is_scope;

    /// Compares these rules with the parser's, for every text of a few characters and for texts
    /// near the limits.
    #[test]
    fn compiler_and_parser_agree_on_every_scope() {
        let alphabet = ["a", ":", "{", "}", "*", "_", ".", "/", " ", "\"", "\\", "é"];
        let mut texts = vec![String::new()];
        let mut from = 0;
        for _ in 0..5 {
            let end = texts.len();
            for place in from..end {
                for letter in alphabet {
                    texts.push(format!("{}{letter}", texts[place]));
                }
            }
            from = end;
        }
        for segments in 7..=9 {
            texts.push(vec!["a"; segments].join(":"));
            texts.push(vec!["{a}"; segments].join(":"));
        }
        for length in 127..=131 {
            texts.push("a".repeat(length));
            texts.push(format!("{{{}}}", "a".repeat(length)));
        }
        assert!(texts.len() > 100_000);
        for text in texts {
            assert_eq!(is_scope(&text), text.parse::<Requirement>().is_ok(), "{text:?}");
        }
    }
}
