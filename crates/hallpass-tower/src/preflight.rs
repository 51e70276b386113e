//! Decisions about a request that do not need the store.
//!
//! The order of the decisions matters:
//!
//! 1. A public route of the policy table needs no credential, so the request is not searched for
//!    one. A public route therefore works even if a credential is malformed or the store is
//!    unavailable.
//! 2. A principal of an outer layer is used next, because that layer has already removed the
//!    credential. Otherwise the request would seem to have none.
//! 3. A token in a query that must not contain one is reported before any other credential is read.
//!    The token has leaked even if the request also has a valid header.
//! 4. All sources are read before the token is checked. If the first source were checked alone, two
//!    layers or proxies could use different credentials of the same request.
//! 5. A CORS preflight passes only if it has no credential, and only to a framework's router, whose
//!    routes may have requirements of their own. If the layer is the only check, a client could
//!    send `OPTIONS` with two headers to skip it: a policy table is the only check of its routes,
//!    and hyper and gRPC services may ignore the method.
//!
//! The token is removed from the header here and not restored, unless the host has set
//! [`keep_authorization`](crate::TokenLayer::keep_authorization). So no later step has to remove
//! it.

use std::sync::Arc;

use hallpass_core::{Principal, RejectReason, Verification};
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{Method, Request};

use crate::admit::{check_cross_site, enforce_policy, find_rule, origin};
use crate::auth_context::{AuthContext, Via};
use crate::credentials::{
    FormCredential, Located, SourceIndex, TakenAuthorization, any_value, locate, peek,
};
use crate::policy::RuleIndex;
use crate::rejection::{Rejection, RejectionKind};
use crate::settings::Settings;

/// The decision about a request before the store is queried.
pub(crate) enum Preflight {
    /// The request may pass, because an outer layer has authenticated it.
    Authenticated(Principal, Via),
    /// The request may pass without a credential.
    Public(AuthContext),
    /// The token of the request must be checked, or has been checked.
    Verify(Verification, Via),
    /// The request has no token of this application. Only the host's sign-in can identify its
    /// caller.
    Fallback(OtherCredential),
    /// The request is rejected.
    Reject(Rejection),
}

/// The credential of a request without a token of this application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OtherCredential {
    Absent,
    /// A text in a source of the layer that does not have the format of this application's tokens.
    OtherFormat,
    /// The same, but it begins with the prefix of this application's tokens.
    Mistyped,
}

pub(crate) fn preflight<B>(
    settings: &Arc<Settings>,
    request: &mut Request<B>,
    rule: Option<RuleIndex>,
) -> Preflight {
    if is_public(settings, rule) {
        return Preflight::Public(AuthContext::public(settings));
    }
    match known(settings, request) {
        Ok(Some((principal, via))) => {
            return match enforce_policy(settings, request, rule, &principal) {
                Ok(()) => Preflight::Authenticated(principal, via),
                Err(rejection) => Preflight::Reject(rejection),
            };
        }
        Ok(None) => {}
        Err(rejection) => return Preflight::Reject(rejection),
    }
    if watches_query(settings) && has_query_token(settings, request) {
        return Preflight::Reject(settings.rejection(RejectionKind::InvalidRequest));
    }
    let sources = &settings.sources;
    let authorization = TakenAuthorization::out_of(request.headers_mut(), sources);
    let form: Option<FormCredential> =
        if sources.form().is_some() { request.extensions_mut().remove() } else { None };
    let read = authorization.read(sources);
    let located = locate(read, request.headers(), request.uri(), sources, form);
    let credential = match &located {
        Located::Malformed(fault) => return Preflight::Reject(settings.malformed(*fault)),
        Located::One(source, text) => {
            let text = text.as_bytes();
            if !is_others(settings, *source, text) {
                let origin = origin(request.extensions());
                let verification = settings.hallpass.verify_from(text, origin);
                let via = Via::Token(*source);
                if settings.keep_authorization {
                    authorization.put_back(request.headers_mut());
                }
                return Preflight::Verify(verification, via);
            }
            if settings.hallpass.has_prefix(text) {
                OtherCredential::Mistyped
            } else {
                OtherCredential::OtherFormat
            }
        }
        Located::Nothing => OtherCredential::Absent,
    };
    // A credential in another format may belong to the application.
    authorization.put_back(request.headers_mut());
    if credential == OtherCredential::Absent
        && settings.passes_preflights()
        && is_cors_preflight(request)
    {
        return Preflight::Public(AuthContext::anonymous(settings));
    }
    Preflight::Fallback(credential)
}

/// Returns whether the policy table declares a route public.
fn is_public(settings: &Settings, rule: Option<RuleIndex>) -> bool {
    let declared = settings.policy.as_ref().zip(rule);
    declared.is_some_and(|(table, rule)| table.requirement(rule).is_public())
}

/// Returns whether a credential has another format than this application's tokens and may belong to
/// the application or the host.
fn is_others(settings: &Settings, source: SourceIndex, text: &[u8]) -> bool {
    if settings.fallback.is_some() {
        return !settings.hallpass.is_well_formed(text);
    }
    // A text with the prefix of this application's tokens is not included, because it is a mistyped
    // token. Sources other than `Authorization` are not included either, because they are only for
    // tokens of this application.
    settings.optional
        && settings.policy.is_none()
        && settings.sources.get(source).is_authorization()
        && !settings.hallpass.has_prefix(text)
}

/// Returns the principal that an outer layer of this handle has authenticated, if this layer
/// accepts it, too.
fn known<B>(
    settings: &Settings,
    request: &Request<B>,
) -> Result<Option<(Principal, Via)>, Rejection> {
    let Some(outer) = AuthContext::of(request.extensions(), &settings.hallpass) else {
        return Ok(acting(settings, request));
    };
    let Some(via) = outer.accepted_by(settings) else {
        // The token has already been removed from the URL, so only the principal can be reported.
        if watches_query(settings) && outer.is_by_query() {
            settings.hallpass.report_rejection(
                RejectReason::TokenInUrl,
                Some(outer.principal.owner()),
                outer.principal.token_id(),
                origin(request.extensions()),
            );
            return Err(settings.rejection(RejectionKind::InvalidRequest));
        }
        return Ok(None);
    };
    if via == Via::Host {
        // This layer may trust fewer origins than the outer one.
        check_cross_site(settings, request, outer.principal)?;
    }
    if !outer.has_read_all_of(settings) {
        let sources = &settings.sources;
        let read = peek(request.headers(), sources);
        let form = request.extensions().get().copied();
        match (locate(read, request.headers(), request.uri(), sources, form), via) {
            (Located::Malformed(fault), _) => return Err(settings.malformed(fault)),
            // The outer layer is set to keep the header.
            (Located::One(source, _), Via::Token(known)) if source == known => {}
            (Located::One(_, text), _) if settings.hallpass.is_well_formed(text.as_bytes()) => {
                return Err(settings.rejection(RejectionKind::InvalidRequest));
            }
            (Located::One(..) | Located::Nothing, _) => {}
        }
    }
    Ok(Some((outer.principal.clone(), via)))
}

#[cfg(feature = "testing")]
fn acting<B>(settings: &Settings, request: &Request<B>) -> Option<(Principal, Via)> {
    let principal = crate::acting::principal(request.extensions(), &settings.hallpass)?;
    Some((principal, Via::Acting))
}

#[cfg(not(feature = "testing"))]
fn acting<B>(_: &Settings, _: &Request<B>) -> Option<(Principal, Via)> {
    None
}

/// Returns whether the layer rejects a token in the query although it does not read the query.
fn watches_query(settings: &Settings) -> bool {
    settings.reject_query_tokens && !settings.reads_query()
}

fn has_query_token<B>(settings: &Settings, request: &Request<B>) -> bool {
    let origin = origin(request.extensions());
    let is_token = |text: &[u8]| settings.hallpass.report_query_token(text, origin);
    let query = request.uri().query();
    query.is_some_and(|query| any_value(query, &settings.watched_names, is_token))
}

/// Returns whether the head of a request identifies the caller, or the route is public, so that its
/// body need not be searched for a credential.
pub(crate) fn is_decided_by_head<B>(settings: &Settings, request: &mut Request<B>) -> bool {
    let sources = &settings.sources;
    let read = peek(request.headers(), sources);
    AuthContext::of(request.extensions(), &settings.hallpass).is_some()
        || !matches!(
            locate(read, request.headers(), request.uri(), sources, None),
            Located::Nothing
        )
        || is_public(settings, find_rule(settings, request))
}

/// Returns whether a request is a CORS preflight.
pub(crate) fn is_cors_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
