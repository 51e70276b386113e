use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hallpass_core::{AuthError, PendingUse, PendingVerification, Principal};
use http::header::{CACHE_CONTROL, HeaderMap, REFERRER_POLICY};
use http::{HeaderValue, Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::body::ResponseBody;
use crate::policy::Place;
use crate::refusal::{Rejection, is_refusal};
use crate::service::{Entered, admit};
use crate::settings::Settings;
use crate::unguarded::Watch;

type Check = Pin<Box<dyn Future<Output = Result<Principal, AuthError>> + Send>>;

pin_project! {
    /// The answer of a [`TokenService`](crate::TokenService).
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
        /// The store is asked. Boxed, as what is refused, so that a hit moves little about.
        Checking { check: Check, waiting: Option<Box<Waiting<S, B>>> },
        /// The inner service answers.
        Calling {
            #[pin]
            future: S::Future,
            by_query: bool,
            pending_use: Option<PendingUse>,
            watch: Option<Arc<Watch>>,
        },
        /// The answer is no.
        Refused { response: Option<Box<Response<Bytes>>> },
    }
}

/// A request that waits for its check, with the service that is ready for it.
pub(crate) struct Waiting<S, B> {
    pub(crate) request: Request<B>,
    pub(crate) service: S,
    pub(crate) settings: Arc<Settings>,
    pub(crate) place: Option<Place>,
    pub(crate) from_query: bool,
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(crate) fn calling(future: S::Future, entered: Entered) -> Self {
        Self { state: State::calling(future, entered) }
    }

    pub(crate) fn checking(check: PendingVerification, waiting: Waiting<S, B>) -> Self {
        let check = Box::pin(check.resolve());
        Self { state: State::Checking { check, waiting: Some(Box::new(waiting)) } }
    }

    pub(crate) fn refused(refusal: Rejection, request: &Request<B>, from_query: bool) -> Self {
        Self { state: State::refused(refusal, request, from_query) }
    }
}

impl<S: Service<Request<B>>, B> State<S, B> {
    fn calling(future: S::Future, entered: Entered) -> Self {
        let Entered { by_query, pending_use, watch } = entered;
        Self::Calling { future, by_query, pending_use, watch }
    }

    fn refused(refusal: Rejection, request: &Request<B>, from_query: bool) -> Self {
        let mut response = refusal.answer(request);
        if from_query {
            let headers = response.headers_mut();
            headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        }
        Self::Refused { response: Some(Box::new(response)) }
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
                    let verdict = ready!(check.as_mut().poll(cx));
                    let Waiting { mut request, mut service, settings, place, from_query } =
                        *waiting.take().expect("a future is not polled after it is done");
                    match admit(&settings, &mut request, place, verdict) {
                        Ok(entered) => State::calling(service.call(request), entered),
                        Err(refusal) => State::refused(refusal, &request, from_query),
                    }
                }
                StateProjection::Calling { future, by_query, pending_use, watch } => {
                    let mut response = ready!(future.poll(cx))?.map(ResponseBody::inner);
                    if let Some(watch) = watch.take()
                        && let Some(rejection) = watch.inspect(response.status())
                    {
                        response = rejection.map(ResponseBody::refusal);
                    }
                    if let Some(pending) = pending_use.take()
                        && is_refusal(response.extensions())
                    {
                        pending.cancel();
                    }
                    if *by_query {
                        keep_private(response.headers_mut());
                    }
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Refused { response } => {
                    let response =
                        *response.take().expect("a future is not polled after it is done");
                    return Poll::Ready(Ok(response.map(ResponseBody::refusal)));
                }
            };
            state.set(next);
        }
    }
}

/// An answer to a URL that held a token: no cache keeps it, no link from it tells the URL.
fn keep_private(headers: &mut HeaderMap) {
    let strict = headers.get_all(CACHE_CONTROL).iter().any(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .any(|part| part.trim_ascii().eq_ignore_ascii_case(b"no-store"))
    });
    if !strict {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

impl<S: Service<Request<B>>, B> std::fmt::Debug for ResponseFuture<S, B> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
