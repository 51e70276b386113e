use std::sync::Arc;
use std::task::{Context, Poll};

use hallpass_core::{AuthError, Origin, PendingUse, Principal, RejectReason, Verification};
use http::header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN};
use http::{Method, Request, Response, request};
use tower_service::Service;

use crate::answer::CacheRules;
use crate::auth_context::{AuthContext, Via, decide};
use crate::body::ResponseBody;
use crate::credentials::{
    FormCredential, Located, SourceIndex, TakenAuthorization, any_value, locate, peek,
};
use crate::cross_site;
use crate::fallback::HostVerdict;
use crate::future::{ResponseFuture, Waiting};
use crate::outage_log;
use crate::policy::RuleIndex;
use crate::redact;
use crate::rejection::{Rejection, RejectionKind};
use crate::routed_path::NotText;
use crate::settings::Settings;
use crate::span;
use crate::unguarded::Watch;

/// The service that [`TokenLayer`](crate::TokenLayer) puts around another.
#[derive(Clone, Debug)]
pub struct TokenService<S> {
    inner: S,
    settings: Arc<Settings>,
}

/// The decision about a request before any store is asked.
enum Preflight {
    /// The request may pass, because an outer layer has authenticated it.
    Authenticated(Principal, Via),
    /// The request may pass, whoever sends it.
    Public(AuthContext),
    /// The token of the request must be checked, or has been checked.
    Verify(Verification, Via),
    /// The request has no token of ours. Only the host's sign-in may know who sends it.
    AskHost(Presented),
    /// The request is rejected.
    Reject(Rejection),
}

/// The credential of a request that carries no token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presented {
    Nothing,
    /// A text that is in a source of the layer but not in our format.
    OtherFormat,
}

impl<S> TokenService<S> {
    pub(crate) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }

    /// Returns the service inside.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Returns the service inside.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the service inside, without the layer.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// Takes the service that is ready for this request, and leaves a clone, which must become
    /// ready first.
    fn take_ready(&mut self) -> S
    where
        S: Clone,
    {
        let clone = self.inner.clone();
        std::mem::replace(&mut self.inner, clone)
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for TokenService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let settings = &self.settings;
        settings.use_flusher.ensure_started(&settings.hallpass);
        let from_query = settings.reads_query() && request.uri().query().is_some();
        // The rule is looked up once, because nothing between here and the result of the check
        // changes the route.
        let rule = find_rule(settings, &mut request);
        let verdict = match preflight(settings, &mut request, rule) {
            // The layer that has authenticated the request records the use, too.
            Preflight::Authenticated(principal, via) => {
                Ok(let_in(&mut request, settings, principal, via, None))
            }
            Preflight::Public(context) => Ok(pass(&mut request, context, settings)),
            Preflight::Verify(Verification::Pending(check), via) => {
                let settings = Arc::clone(settings);
                let service = self.take_ready();
                let waiting = Waiting { request, service, settings, rule, from_query };
                return ResponseFuture::checking(check, via, waiting);
            }
            Preflight::Verify(Verification::Decided(verdict), via) => {
                admit(settings, &mut request, rule, verdict, via)
            }
            Preflight::AskHost(presented) => match &settings.fallback {
                Some(fallback) => {
                    let answer = fallback.ask(head_of(&request));
                    let settings = Arc::clone(settings);
                    let service = self.take_ready();
                    let waiting = Waiting { request, service, settings, rule, from_query };
                    return ResponseFuture::asking(answer, presented, waiting);
                }
                None => admit_nobody(settings, &mut request, presented),
            },
            Preflight::Reject(rejection) => Err(rejection),
        };
        match verdict {
            Ok(admitted) => ResponseFuture::calling(self.inner.call(request), admitted),
            Err(rejection) => {
                ResponseFuture::rejected(rejection, &request, &self.settings, from_query)
            }
        }
    }
}

fn preflight<B>(
    settings: &Arc<Settings>,
    request: &mut Request<B>,
    rule: Option<RuleIndex>,
) -> Preflight {
    if let (Some(table), Some(rule)) = (&settings.policy, rule)
        && table.requirement(rule).is_public()
    {
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
    let presented = match &located {
        Located::Malformed(fault) => return Preflight::Reject(settings.malformed(*fault)),
        Located::One(source, text) => {
            let text = text.as_bytes();
            if !is_others(settings, *source, text) {
                let unknown = Origin::default();
                let origin = request.extensions().get().unwrap_or(&unknown);
                let verification = settings.hallpass.verify_from(text, origin);
                let via = Via::Token(*source);
                if settings.keep_authorization {
                    authorization.put_back(request.headers_mut());
                }
                return Preflight::Verify(verification, via);
            }
            Presented::OtherFormat
        }
        Located::Nothing => Presented::Nothing,
    };
    // A credential that is not a token of ours may belong to the application.
    authorization.put_back(request.headers_mut());
    if presented == Presented::Nothing
        && rule.is_none()
        && !settings.authenticate_preflights
        && is_cors_preflight(request)
    {
        return Preflight::Public(AuthContext::anonymous(settings));
    }
    Preflight::AskHost(presented)
}

/// Returns whether a credential is not in our format and may belong to the application or the host.
fn is_others(settings: &Settings, source: SourceIndex, text: &[u8]) -> bool {
    if settings.fallback.is_some() {
        return !settings.hallpass.is_well_formed(text);
    }
    // A text that starts like a token of ours is not included, because it is a mistyped token.
    // Sources other than `Authorization` are not included either, because they are only for our
    // tokens.
    settings.optional
        && settings.policy.is_none()
        && settings.sources.get(source).is_authorization()
        && !settings.hallpass.has_prefix(text)
}

/// Returns the principal that an outer layer of this handle has let in, if this layer accepts it,
/// too.
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
                RejectReason::InUrl,
                Some(outer.principal.owner()),
                outer.principal.token(),
                &origin(request),
            );
            return Err(settings.rejection(RejectionKind::InvalidRequest));
        }
        return Ok(None);
    };
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

/// The work to do on the answer to a request that is passed to the service inside.
pub(crate) struct Admitted {
    pub(crate) caching: CacheRules,
    /// The use of the token. It is recorded unless the request is rejected inside.
    pub(crate) pending_use: Option<PendingUse>,
    /// The watch that detects an unguarded route.
    pub(crate) watch: Option<Arc<Watch>>,
}

/// Lets an authenticated principal in, or returns a rejection.
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
    Ok(let_in(request, settings, principal, via, pending_use))
}

/// Lets in the principal that the host's sign-in returned, or returns a rejection.
pub(crate) fn admit_by_host<B>(
    settings: &Arc<Settings>,
    request: &mut Request<B>,
    rule: Option<RuleIndex>,
    verdict: HostVerdict,
    presented: Presented,
) -> Result<Admitted, Rejection> {
    let principal = match verdict {
        Ok(Some(principal)) => principal.within_catalog_of(&settings.hallpass),
        Ok(None) => return admit_nobody(settings, request, presented),
        Err(error) => {
            outage_log::report(Some(&*error));
            return Err(settings.rejection(RejectionKind::Unavailable));
        }
    };
    if cross_site::is_forged(request) {
        settings.hallpass.report_rejection(
            RejectReason::CrossSite,
            Some(principal.owner()),
            principal.token(),
            &origin(request),
        );
        return Err(settings.rejection(RejectionKind::CrossSite));
    }
    enforce_policy(settings, request, rule, &principal)?;
    span::record(&principal);
    let context = AuthContext::known(principal, Via::Host, settings);
    let mut admitted = pass(request, context, settings);
    admitted.caching.is_private = true;
    if presented == Presented::OtherFormat {
        // This may be a key of an older system, which leaks in a URL just like a token.
        admitted.caching.by_query |= redact::cut_parameters(request, settings);
    }
    Ok(admitted)
}

/// Decides about a request without a principal.
fn admit_nobody<B>(
    settings: &Arc<Settings>,
    request: &mut Request<B>,
    presented: Presented,
) -> Result<Admitted, Rejection> {
    let knows_others = settings.fallback.is_some();
    match presented {
        // The host's sign-in was asked about the credential and does not know it.
        Presented::OtherFormat if knows_others => {
            settings.hallpass.report_rejection(
                RejectReason::Malformed,
                None,
                None,
                &origin(request),
            );
            Err(settings.rejection(RejectionKind::InvalidToken))
        }
        _ if settings.optional && settings.policy.is_none() => {
            Ok(pass(request, AuthContext::anonymous(settings), settings))
        }
        _ => Err(settings.rejection(RejectionKind::NoCredential)),
    }
}

/// Prepares the request of a principal for the service inside.
fn let_in<B>(
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

/// Prepares a request without an accepted credential for the service inside.
fn pass<B>(request: &mut Request<B>, context: AuthContext, settings: &Settings) -> Admitted {
    let by_query = redact::conceal(request, settings);
    let vary = (!context.is_public()).then(|| settings.vary.clone());
    let watch = context.insert(request);
    Admitted { caching: CacheRules { vary, is_private: false, by_query }, pending_use: None, watch }
}

fn find_rule<B>(settings: &Settings, request: &mut Request<B>) -> Option<RuleIndex> {
    settings.policy.as_ref()?.find(request, settings)
}

fn enforce_policy<B>(
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
            let route = settings.matcher.matched(request.extensions());
            tracing::debug!(
                target: "hallpass",
                method = %request.method(),
                ?route,
                "no rule of the policy table is for this route"
            );
            Err(settings.rejection(RejectionKind::NotDeclared))
        }
    }
}

/// Returns whether the layer rejects a token in the query although it does not read the query.
fn watches_query(settings: &Settings) -> bool {
    settings.reject_query_tokens && !settings.reads_query()
}

fn has_query_token<B>(settings: &Settings, request: &Request<B>) -> bool {
    let is_token = |text: &[u8]| settings.hallpass.report_query_token(text, &origin(request));
    let query = request.uri().query();
    query.is_some_and(|query| any_value(query, &settings.watched_names, is_token))
}

/// Returns whether the head of a request identifies the caller, so that its body need not be
/// searched for a credential.
pub(crate) fn is_decided_by_head<B>(settings: &Settings, request: &Request<B>) -> bool {
    let sources = &settings.sources;
    let read = peek(request.headers(), sources);
    AuthContext::of(request.extensions(), &settings.hallpass).is_some()
        || !matches!(
            locate(read, request.headers(), request.uri(), sources, None),
            Located::Nothing
        )
}

/// Returns whether a request is a CORS preflight.
pub(crate) fn is_cors_preflight<B>(request: &Request<B>) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Returns the origin of a request from its extensions, if the host has put it there.
fn origin<B>(request: &Request<B>) -> Origin {
    request.extensions().get().cloned().unwrap_or_default()
}

/// Copies the head of a request for the host's sign-in.
fn head_of<B>(request: &Request<B>) -> request::Parts {
    let (mut head, ()) = Request::new(()).into_parts();
    head.method = request.method().clone();
    head.uri = request.uri().clone();
    head.version = request.version();
    head.headers = request.headers().clone();
    head.extensions = request.extensions().clone();
    head
}
