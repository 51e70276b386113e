//! Path parameters for requirements.
//!
//! **Invariant.** A requirement and the handler read the same value of a parameter. If they
//! differed, a token for one resource could be used for another one. So the value comes from axum's
//! router, as the handler's `Path` extractor sees it, and not from a second parser of the path.

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{FromRequestParts, RawPathParams};
use futures_util::FutureExt as _;
use hallpass_core::{Decision, PathParameters, Principal, Requirement};
use hallpass_tower::{Rejection, RejectionKind, enforce, rejection_for};
use http::request::Parts;

/// The path parameters that axum's router found, percent-decoded, nesting included. Without them, a
/// requirement with parameters is not met.
pub(crate) struct Parameters(pub(crate) Option<RawPathParams>);

impl PathParameters for Parameters {
    /// A name that occurs both inside and outside of a nest is ignored, because the handler may
    /// read the other value.
    fn get(&self, name: &str) -> Option<&str> {
        let parameters = self.0.as_ref()?.iter();
        let mut values = parameters.filter(|(key, _)| *key == name).map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none())
    }
}

impl Parameters {
    /// Rejects a request with a parameter that is not UTF-8, because no handler could read it.
    fn of(parts: &mut Parts) -> Result<Self, Rejection> {
        let parameters = raw(parts).transpose();
        parameters
            .map(Self)
            .map_err(|_| rejection_for(&parts.extensions, RejectionKind::InvalidRequest))
    }
}

/// Enforces a requirement on a request that axum has routed.
pub(crate) fn enforce_routed(
    parts: &mut Parts,
    requirement: &Requirement,
) -> Result<(), Rejection> {
    if !requirement.has_parameters() {
        return enforce(&parts.extensions, requirement, &());
    }
    // This comes first: a caller without a valid token must not find out whether the path is
    // well-formed.
    hallpass_tower::require_principal(&parts.extensions)?;
    let parameters = Parameters::of(parts)?;
    enforce(&parts.extensions, requirement, &parameters)
}

/// Checks whether a principal meets a requirement, for a handler that also serves principals who do
/// not. No rejection is reported. A parameter that the route does not have is still an error.
pub(crate) fn is_met(
    parts: &mut Parts,
    principal: &Principal,
    requirement: &Requirement,
) -> Result<bool, Rejection> {
    let parameters = Parameters::of(parts)?;
    match principal.check(requirement, &parameters) {
        Decision::Allow => Ok(true),
        Decision::Deny => Ok(false),
        Decision::MissingParameter(_) => {
            enforce(&parts.extensions, requirement, &parameters).map(|()| true)
        }
    }
}

/// Returns the path parameters that axum's router found, or `None` if the extractor waits.
///
/// The extractor is `async` only because its trait is: it reads the extensions and returns at once.
/// If it ever waited, every request would be rejected, because a requirement with parameters is not
/// met without them.
pub(crate) fn raw(parts: &mut Parts) -> Option<Result<RawPathParams, RawPathParamsRejection>> {
    RawPathParams::from_request_parts(parts, &()).now_or_never()
}
