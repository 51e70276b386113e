use std::sync::Arc;
use std::task::{Context, Poll};

use hallpass_core::{AuthError, PendingUse, Principal, Verification};
use http::{Request, Response};
use tower_service::Service;

use crate::admission::{Admission, decide};
use crate::body::ResponseBody;
use crate::future::{ResponseFuture, Waiting};
use crate::locate::{Located, Taken, any_value, locate};
use crate::policy::Place;
use crate::redact;
use crate::refusal::{Rejection, RejectionKind};
use crate::settings::Settings;
use crate::unguarded::Watch;

/// The service that [`TokenLayer`](crate::TokenLayer) puts around another.
#[derive(Clone, Debug)]
pub struct TokenService<S> {
    inner: S,
    settings: Arc<Settings>,
}

/// What can be said of a request before any store is asked.
enum First {
    /// It may pass: an outer layer has proven it.
    Proven(Principal),
    /// It may pass, whoever sends it.
    Anybody(Admission),
    /// Its token must be checked, or has been.
    Check(Verification),
    /// It may not pass.
    Refuse(Rejection),
}

impl<S> TokenService<S> {
    pub(crate) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }

    /// The service inside.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service inside.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service inside, without the layer.
    pub fn into_inner(self) -> S {
        self.inner
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
        settings.maintenance.ensure_started(&settings.hallpass);
        let from_query = !settings.bearer_only && request.uri().query().is_some();
        // Found once: what is between here and the verdict changes no route.
        let place = place(settings, &request);
        let verdict = match first_look(settings, &mut request, place) {
            // The layer that has proven it sees to its use, too.
            First::Proven(principal) => {
                redact::strip(request.headers_mut(), settings);
                Ok(let_in(&mut request, settings, principal, None))
            }
            First::Anybody(admission) => {
                let by_query = redact::conceal(&mut request, settings);
                let watch = admission.insert(&mut request);
                Ok(Entered { by_query, pending_use: None, watch })
            }
            First::Check(Verification::Pending(check)) => {
                // The clone waits for its turn; the one that is ready serves this request.
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                let settings = Arc::clone(settings);
                let waiting = Waiting { request, service: ready, settings, place, from_query };
                return ResponseFuture::checking(check, waiting);
            }
            First::Check(Verification::Decided(verdict)) => {
                admit(settings, &mut request, place, verdict)
            }
            First::Refuse(refusal) => Err(refusal),
        };
        match verdict {
            Ok(entered) => ResponseFuture::calling(self.inner.call(request), entered),
            Err(refusal) => ResponseFuture::refused(refusal, &request, from_query),
        }
    }
}

fn first_look<B>(
    settings: &Arc<Settings>,
    request: &mut Request<B>,
    place: Option<Place>,
) -> First {
    if let (Some(table), Some(place)) = (&settings.policy, place)
        && table.requirement(place).is_public()
    {
        return First::Anybody(Admission::public(settings));
    }
    let proven = Admission::of(request.extensions(), &settings.hallpass).cloned();
    #[cfg(feature = "testing")]
    let proven =
        proven.or_else(|| crate::acting::principal(request.extensions(), &settings.hallpass));
    if let Some(principal) = proven {
        return match enforce_policy(settings, request, place, &principal) {
            Ok(()) => First::Proven(principal),
            Err(refusal) => First::Refuse(refusal),
        };
    }
    if settings.bearer_only && settings.tripwire && trips(settings, request) {
        return First::Refuse(settings.refusal(RejectionKind::InvalidRequest));
    }
    let authorization = Taken::out_of(request.headers_mut());
    let form = if settings.forms { request.extensions_mut().remove() } else { None };
    let located = locate(authorization.read(), request.uri(), settings.query_sources(), form);
    let Some(text) = located.text() else {
        return match located {
            Located::Malformed => First::Refuse(settings.refusal(RejectionKind::InvalidRequest)),
            _ if settings.optional && settings.policy.is_none() => {
                // What is no token of ours may be something of the application's.
                authorization.put_back(request.headers_mut());
                First::Anybody(Admission::stranger(settings))
            }
            _ => First::Refuse(settings.refusal(RejectionKind::NoCredential)),
        };
    };
    let verification = settings.hallpass.verify(text);
    if settings.keep_authorization {
        authorization.put_back(request.headers_mut());
    }
    First::Check(verification)
}

/// A request that goes on to the service inside: what is to be done with its answer.
pub(crate) struct Entered {
    /// Its URI held something secret.
    pub(crate) by_query: bool,
    /// Counts unless it is refused inside.
    pub(crate) pending_use: Option<PendingUse>,
    /// Notices a route that asks for nothing.
    pub(crate) watch: Option<Arc<Watch>>,
}

/// Lets a proven principal in, or says why not.
pub(crate) fn admit<B>(
    settings: &Arc<Settings>,
    request: &mut Request<B>,
    place: Option<Place>,
    verdict: Result<Principal, AuthError>,
) -> Result<Entered, Rejection> {
    let principal = verdict.map_err(|denied| settings.refusal(Rejection::kind_of(&denied)))?;
    enforce_policy(settings, request, place, &principal)?;
    let pending_use = settings.hallpass.pending_use(&principal);
    Ok(let_in(request, settings, principal, pending_use))
}

/// Makes the request ready for what is inside.
fn let_in<B>(
    request: &mut Request<B>,
    settings: &Arc<Settings>,
    principal: Principal,
    pending_use: Option<PendingUse>,
) -> Entered {
    let by_query = redact::cut_parameters(request, settings);
    let watch = Admission::known(principal, settings).insert(request);
    Entered { by_query, pending_use, watch }
}

fn place<B>(settings: &Settings, request: &Request<B>) -> Option<Place> {
    let table = settings.policy.as_ref()?;
    table.place(request.method(), request.uri(), request.extensions(), settings.framework)
}

fn enforce_policy<B>(
    settings: &Settings,
    request: &Request<B>,
    place: Option<Place>,
    principal: &Principal,
) -> Result<(), Rejection> {
    let Some(table) = &settings.policy else { return Ok(()) };
    let (uri, extensions) = (request.uri(), request.extensions());
    let declared = place.and_then(|place| {
        let parameters = table.parameters(place, uri, extensions, settings.framework)?;
        Some((table.requirement(place), parameters))
    });
    match declared {
        Some((requirement, Ok(parameters))) => {
            decide(settings, extensions, principal, requirement, &parameters)
        }
        // A path parameter is no UTF-8: no handler could read it.
        Some((_, Err(_))) => Err(settings.refusal(RejectionKind::InvalidRequest)),
        None => {
            let route = settings.framework.matched(extensions);
            tracing::debug!(
                target: "hallpass",
                method = %request.method(),
                ?route,
                "no rule of the policy table is for this route"
            );
            Err(settings.refusal(RejectionKind::NotDeclared))
        }
    }
}

fn trips<B>(settings: &Settings, request: &Request<B>) -> bool {
    request.uri().query().is_some_and(|query| {
        any_value(query, &settings.query_names, |text| settings.hallpass.report_query_token(text))
    })
}
