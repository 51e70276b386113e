//! The response future of the layer's service.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hallpass_core::{AuthError, PendingUse, PendingVerification, Principal};
use http::header::REFERRER_POLICY;
use http::{HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::admit::{Admitted, RejectedBy, admit, admit_by_host};
use crate::auth_context::Via;
use crate::body::ResponseBody;
use crate::cache_headers::CacheRules;
use crate::fallback::{HostVerdict, SignInFuture};
use crate::policy::RuleIndex;
use crate::preflight::OtherCredential;
use crate::rejection::{self, Rejection, is_rejection};
use crate::settings::Settings;
use crate::unguarded::Watch;

/// The check that a request waits for.
enum Check {
    /// A token is being loaded from the store.
    Token(Pin<Box<dyn Future<Output = Result<Principal, AuthError>> + Send>>, Via),
    /// The host's sign-in is determining the caller.
    Host(SignInFuture, OtherCredential),
}

pin_project! {
    /// The response future of a [`TokenService`](crate::TokenService).
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        /// This is boxed, like a rejection, so that the future of a cache hit is small.
        Checking { check: Check, waiting: Option<Box<Waiting<S, B>>> },
        /// The inner service handles the request.
        Calling {
            #[pin]
            future: S::Future,
            caching: CacheRules,
            pending_use: Option<PendingUse>,
            watch: Option<Arc<Watch>>,
        },
        /// The request is rejected.
        Rejected { response: Option<Box<Response<Bytes>>> },
    }
}

/// A request that waits for its check, together with the service that is ready for it.
pub(crate) struct Waiting<S, B> {
    pub(crate) request: Request<B>,
    pub(crate) service: S,
    pub(crate) settings: Arc<Settings>,
    pub(crate) rule: Option<RuleIndex>,
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(crate) fn calling(future: S::Future, admitted: Admitted) -> Self {
        Self { state: State::calling(future, admitted) }
    }

    pub(crate) fn checking(check: PendingVerification, via: Via, waiting: Waiting<S, B>) -> Self {
        let check = Check::Token(Box::pin(check.resolve()), via);
        Self { state: State::Checking { check, waiting: Some(Box::new(waiting)) } }
    }

    pub(crate) fn signing_in(
        sign_in: SignInFuture,
        credential: OtherCredential,
        waiting: Waiting<S, B>,
    ) -> Self {
        let check = Check::Host(sign_in, credential);
        Self { state: State::Checking { check, waiting: Some(Box::new(waiting)) } }
    }

    pub(crate) fn rejected(
        rejection: Rejection,
        request: &Request<B>,
        settings: &Settings,
    ) -> Self {
        Self { state: State::rejected(rejection.into(), request, settings) }
    }
}

impl<S: Service<Request<B>>, B> State<S, B> {
    fn calling(future: S::Future, admitted: Admitted) -> Self {
        let Admitted { caching, pending_use, watch } = admitted;
        Self::Calling { future, caching, pending_use, watch }
    }

    fn rejected(rejected: RejectedBy, request: &Request<B>, settings: &Settings) -> Self {
        let response = match rejected {
            RejectedBy::Layer(rejection) => rejection.into_response(),
            RejectedBy::Host(response) => rejection::by_host(*response),
        };
        let mut response = rejection::answering(response, request.method());
        let vary = Some(settings.vary.clone());
        let caching = CacheRules { vary, is_private: false, by_query: false };
        caching.apply(response.headers_mut());
        // Tokens are cut out of the URL only when a request is admitted.
        if settings.reads_query() && request.uri().query().is_some() {
            let headers = response.headers_mut();
            headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        }
        Self::Rejected { response: Some(Box::new(response)) }
    }
}

impl<S, B, ResBody> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
{
    type Output = Result<Response<ResponseBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Checking { check, waiting } => {
                    let verdict = ready!(check.poll(cx));
                    let Waiting { mut request, mut service, settings, rule } =
                        *waiting.take().expect("a future is not polled after it is done");
                    let admitted = match verdict {
                        Verdict::Token(verdict, via) => {
                            admit(&settings, &mut request, rule, verdict, via)
                                .map_err(RejectedBy::from)
                        }
                        Verdict::Host(verdict, credential) => {
                            admit_by_host(&settings, &mut request, rule, verdict, credential)
                        }
                    };
                    match admitted {
                        Ok(admitted) => State::calling(service.call(request), admitted),
                        Err(rejected) => State::rejected(rejected, &request, &settings),
                    }
                }
                StateProjection::Calling { future, caching, pending_use, watch } => {
                    let mut response = ready!(future.poll(cx))?.map(ResponseBody::inner);
                    if let Some(watch) = watch.take()
                        && let Some(rejection) = watch.inspect(&response)
                    {
                        response = rejection.map(ResponseBody::rejection);
                    }
                    if let Some(pending) = pending_use.take()
                        && is_rejection(response.extensions())
                    {
                        pending.cancel();
                    }
                    caching.apply(response.headers_mut());
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Rejected { response } => {
                    let response =
                        *response.take().expect("a future is not polled after it is done");
                    return Poll::Ready(Ok(response.map(ResponseBody::rejection)));
                }
            };
            state.set(next);
        }
    }
}

/// The result of a [`Check`].
enum Verdict {
    Token(Result<Principal, AuthError>, Via),
    Host(HostVerdict, OtherCredential),
}

impl Check {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Verdict> {
        match self {
            Self::Token(check, via) => {
                let via = *via;
                check.as_mut().poll(cx).map(|verdict| Verdict::Token(verdict, via))
            }
            Self::Host(sign_in, credential) => {
                let credential = *credential;
                sign_in.as_mut().poll(cx).map(|verdict| Verdict::Host(verdict, credential))
            }
        }
    }
}

impl<S: Service<Request<B>>, B> std::fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
