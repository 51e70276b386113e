//! Admits or rejects a request after it was authenticated.
//!
//! A request is admitted only after the policy table has allowed it. A use of the token is recorded
//! provisionally at that point: an inner service may still reject the request, for example because
//! a handler requires another scope. The use is then cancelled, so that a rejected request does not
//! change the time of last use.
//!
//! Each function ends with either [`admit_principal`] or [`pass`]. Both remove credentials from the
//! request before an inner service sees it: the first one removes the accepted credential, and the
//! second one removes tokens that were not checked.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use hallpass_core::{AuthError, Origin, PendingUse, Principal, RejectReason};
use http::{Extensions, Request, Response};

use crate::auth_context::{AuthContext, Via, decide, log_other_handle};
use crate::cache_headers::CacheRules;
use crate::cross_site;
use crate::fallback::{HostVerdict, SignInResponse};
use crate::outage_log;
use crate::policy::RuleIndex;
use crate::preflight::OtherCredential;
use crate::redact;
use crate::rejection::{Rejection, RejectionKind};
use crate::routed_path::NotText;
use crate::settings::Settings;
use crate::span;
use crate::unguarded::Watch;

/// The work to do on the response after a request was passed to the inner service.
pub(crate) struct Admitted {
    pub(crate) caching: CacheRules,
    /// The use of the token. It is recorded unless an inner service rejects the request.
    pub(crate) pending_use: Option<PendingUse>,
    /// The watch that detects an unguarded route.
    pub(crate) watch: Option<Arc<Watch>>,
}

/// The response to a request that is not admitted.
pub(crate) enum RejectedBy {
    /// This layer responds.
    Layer(Rejection),
    /// The host's sign-in has responded itself.
    Host(Box<Response<Bytes>>),
}

impl From<Rejection> for RejectedBy {
    fn from(rejection: Rejection) -> Self {
        Self::Layer(rejection)
    }
}

/// Admits an authenticated principal, or returns a rejection.
pub(crate) fn admit<B>(
    settings: &Arc<Settings>,
    request: &mut Request<B>,
    rule: Option<RuleIndex>,
    verdict: Result<Principal, AuthError>,
    via: Via,
) -> Result<Admitted, Rejection> {
    let principal = verdict.map_err(|error| settings.rejection(Rejection::kind_of(&error)))?;
    enforce_policy(settings, request, rule, &principal)?;
    let pending_use = settings.hallpass.pending_use(&principal);
    Ok(admit_principal(request, settings, principal, via, pending_use))
}

/// Admits the principal that the host's sign-in returned, or returns the response.
pub(crate) fn admit_by_host<B>(
    settings: &Arc<Settings>,
    request: &mut Request<B>,
    rule: Option<RuleIndex>,
    verdict: HostVerdict,
    credential: OtherCredential,
) -> Result<Admitted, RejectedBy> {
    let principal = match verdict {
        Ok(Some(principal)) => principal.within_catalog_of(&settings.hallpass),
        Ok(None) => return Ok(admit_anonymous(settings, request, credential)?),
        Err(error) => {
            return Err(match error.downcast::<SignInResponse>() {
                Ok(response) => {
                    rejected_by_host(settings, request.extensions(), *response, credential)
                }
                Err(error) => unavailable(settings, &*error).into(),
            });
        }
    };
    check_cross_site(settings, request, &principal)?;
    enforce_policy(settings, request, rule, &principal)?;
    span::record(&principal);
    let context = AuthContext::known(principal, Via::Host, settings);
    let mut admitted = pass(request, context, settings);
    admitted.caching.is_private = true;
    // They may contain a key of an older system. In a URL, such a key leaks just like a token.
    admitted.caching.by_query |= redact::cut_parameters(request, settings);
    Ok(admitted)
}

/// Checks that no page of another site has made a browser send this request of a person whom the
/// host's sign-in has authenticated.
pub(crate) fn check_cross_site<B>(
    settings: &Settings,
    request: &Request<B>,
    principal: &Principal,
) -> Result<(), Rejection> {
    if !cross_site::is_forged(request, &settings.trusted_origins) {
        return Ok(());
    }
    settings.hallpass.report_rejection(
        RejectReason::CrossSite,
        Some(principal.owner()),
        principal.token_id(),
        origin(request.extensions()),
    );
    Err(settings.rejection(RejectionKind::CrossSite))
}

/// Admits or rejects a request without a principal.
pub(crate) fn admit_anonymous<B>(
    settings: &Arc<Settings>,
    request: &mut Request<B>,
    credential: OtherCredential,
) -> Result<Admitted, Rejection> {
    let knows_others = settings.fallback.is_some();
    match credential {
        // The host's sign-in has checked the credential and did not accept it.
        OtherCredential::OtherFormat | OtherCredential::Mistyped if knows_others => {
            Err(mistyped_token(settings, request.extensions()))
        }
        _ if settings.optional && settings.policy.is_none() => {
            Ok(pass(request, AuthContext::anonymous(settings), settings))
        }
        _ => {
            log_other_handle(request.extensions(), &settings.hallpass);
            Err(settings.rejection(RejectionKind::NoCredential))
        }
    }
}

/// Returns the response that the host's sign-in has given itself.
///
/// Other statuses than those of a redirect or a client error are a mistake of the host. A text, for
/// example, would be a response with 200.
fn rejected_by_host(
    settings: &Settings,
    extensions: &Extensions,
    response: SignInResponse,
    credential: OtherCredential,
) -> RejectedBy {
    if credential == OtherCredential::Mistyped {
        return mistyped_token(settings, extensions).into();
    }
    let status = response.status();
    if !status.is_redirection() && !status.is_client_error() {
        return unavailable(settings, &response).into();
    }
    log_other_handle(extensions, &settings.hallpass);
    RejectedBy::Host(response.into_response())
}

/// Reports that the host's sign-in has failed, and returns the rejection.
fn unavailable(settings: &Settings, error: &(dyn Error + 'static)) -> Rejection {
    outage_log::report(Some(error));
    settings.rejection(RejectionKind::Unavailable)
}

/// Reports a credential that looks like a token of this application but is none, and returns the
/// rejection.
fn mistyped_token(settings: &Settings, extensions: &Extensions) -> Rejection {
    let origin = origin(extensions);
    settings.hallpass.report_rejection(RejectReason::Malformed, None, None, origin);
    settings.rejection(RejectionKind::InvalidToken)
}

/// Prepares the request of a principal for the inner service.
pub(crate) fn admit_principal<B>(
    request: &mut Request<B>,
    settings: &Arc<Settings>,
    principal: Principal,
    via: Via,
    pending_use: Option<PendingUse>,
) -> Admitted {
    span::record(&principal);
    let by_query = redact::remove(request, settings);
    let watch = AuthContext::known(principal, via, settings).insert(request);
    let vary = Some(settings.vary.clone());
    Admitted { caching: CacheRules { vary, is_private: true, by_query }, pending_use, watch }
}

/// Prepares a request without an accepted credential for the inner service.
pub(crate) fn pass<B>(
    request: &mut Request<B>,
    context: AuthContext,
    settings: &Settings,
) -> Admitted {
    let by_query = redact::conceal(request, settings);
    let vary = (!context.is_public()).then(|| settings.vary.clone());
    let watch = context.insert(request);
    Admitted { caching: CacheRules { vary, is_private: false, by_query }, pending_use: None, watch }
}

pub(crate) fn find_rule<B>(settings: &Settings, request: &mut Request<B>) -> Option<RuleIndex> {
    settings.policy.as_ref()?.find(request, settings)
}

pub(crate) fn enforce_policy<B>(
    settings: &Settings,
    request: &mut Request<B>,
    rule: Option<RuleIndex>,
    principal: &Principal,
) -> Result<(), Rejection> {
    let Some(table) = &settings.policy else { return Ok(()) };
    let enforced = rule.and_then(|rule| {
        let requirement = table.requirement(rule);
        table.with_parameters(rule, request, settings, |request, parameters| {
            decide(settings, request.extensions(), principal, requirement, parameters)
        })
    });
    match enforced {
        Some(Ok(decision)) => decision,
        Some(Err(NotText)) => Err(settings.rejection(RejectionKind::InvalidRequest)),
        None => {
            tracing::debug!(
                target: "hallpass",
                method = %request.method(),
                route = settings.matched(request.extensions()),
                "the policy table has no rule for this route"
            );
            Err(settings.rejection(RejectionKind::NotDeclared))
        }
    }
}

/// Returns the origin of a request from its extensions, or an empty one if the host has not
/// inserted any.
pub(crate) fn origin(extensions: &Extensions) -> &Origin {
    static UNKNOWN: Origin = Origin::new();
    extensions.get().unwrap_or(&UNKNOWN)
}
