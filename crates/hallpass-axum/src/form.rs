//! Tokens in a field of an urlencoded form (RFC 6750, section 2.2): for clients that can send them
//! nowhere else.

use std::convert::Infallible;
use std::future::Future;
use std::mem::replace;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse as _, Response};
use hallpass_tower::{FormCredential, RejectionKind, ResponseBody, TokenLayer, TokenService};
use tower_layer::Layer;
use tower_service::Service;

use crate::body::{Unread, collect};
use crate::rejection::RejectionResponse;

/// The largest form that is read unless said otherwise, in bytes.
const MAX_LEN: usize = 64 * 1024;

/// More places to look for a token, which only axum's bodies allow.
pub trait TokenLayerExt {
    /// Looks for the token in a form's field of this name, too: in the body of a `POST`, `PUT` or
    /// `PATCH` whose `Content-Type` is `application/x-www-form-urlencoded`.
    ///
    /// The form is read only if no other source carries a credential. A field that is empty or
    /// there twice is rejected with 400, and so is a form with a field of that name that is not all
    /// ASCII. The handler gets the body byte for byte, the field included. Forms are read before it
    /// is known who calls, so larger ones than 64 KiB are rejected with 413. All of this in the
    /// layer's own words, [`TokenLayer::on_rejection`] included.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use axum::{Router, body::Body, http::Request, routing::post};
    /// use hallpass_axum::{HallpassExt, HandlerExt, TokenLayerExt, core::{Actor, Hallpass, NewToken}};
    /// use tower::ServiceExt as _;
    /// # let hallpass = Hallpass::builder(hallpass_memory::MemoryStore::new()).build();
    ///
    /// let app: Router = Router::new()
    ///     .route("/stop", post((async || "stopped").scoped("environment:stop")))
    ///     .layer(hallpass.layer().with_form_field("session"));
    ///
    /// let new = NewToken::named("ci").scope("environment:stop");
    /// let issued = hallpass.issue(&Actor::owner("alice"), new).await.unwrap();
    /// let request = Request::post("/stop")
    ///     .header("content-type", "application/x-www-form-urlencoded")
    ///     .body(Body::from(format!("env=42&session={}", issued.token.reveal())))
    ///     .unwrap();
    /// assert_eq!(app.oneshot(request).await.unwrap().status(), 200);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// Panics if the name is empty.
    #[track_caller]
    fn with_form_field(self, name: impl Into<String>) -> FormTokenLayer;
}

impl TokenLayerExt for TokenLayer {
    #[track_caller]
    fn with_form_field(self, name: impl Into<String>) -> FormTokenLayer {
        let field: Arc<str> = name.into().into();
        assert!(!field.is_empty(), "a form's field has a name");
        FormTokenLayer { layer: self.form_credentials(), field, max_len: MAX_LEN }
    }
}

/// A [`TokenLayer`] that looks into forms, too. Made by [`TokenLayerExt::with_form_field`].
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct FormTokenLayer {
    layer: TokenLayer,
    field: Arc<str>,
    max_len: usize,
}

impl FormTokenLayer {
    /// The largest form that is read, in bytes: 64 KiB by default.
    pub fn max_form_len(mut self, bytes: usize) -> Self {
        self.max_len = bytes;
        self
    }
}

impl<S> Layer<S> for FormTokenLayer {
    type Service = FormTokenService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { layer, field, max_len } = self;
        FormTokenService {
            inner: layer.layer(inner),
            layer: layer.clone(),
            field: Arc::clone(field),
            max_len: *max_len,
        }
    }
}

/// The service that [`FormTokenLayer`] puts around another.
#[derive(Clone, Debug)]
pub struct FormTokenService<S> {
    inner: TokenService<S>,
    /// The layer whose words rejections are in.
    layer: TokenLayer,
    field: Arc<str>,
    max_len: usize,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

impl<S, B> Service<Request> for FormTokenService<S>
where
    S: Service<Request, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: axum::body::HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Answer {
        if !may_carry(&request) || self.layer.is_decided_by_head(&request) {
            let answer = self.inner.call(request);
            return Box::pin(async { answer.await.map(into_response) });
        }
        // The clone waits for its turn; the one that is ready serves this request.
        let clone = self.inner.clone();
        let mut ready = replace(&mut self.inner, clone);
        let (layer, field, max_len) = (self.layer.clone(), Arc::clone(&self.field), self.max_len);
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match collect(body, max_len).await {
                Ok(form) => {
                    parts.extensions.insert(FormCredential::find(&form, &field));
                    let request = Request::from_parts(parts, Body::from(form));
                    ready.call(request).await.map(into_response)
                }
                Err(unread) => {
                    let kind = match unread {
                        Unread::TooLarge => RejectionKind::TooLarge,
                        Unread::Broken => RejectionKind::InvalidRequest,
                    };
                    Ok(RejectionResponse::new(layer.rejection(kind), &parts).into_response())
                }
            }
        })
    }
}

fn into_response<B>(response: Response<ResponseBody<B>>) -> Response
where
    B: axum::body::HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    response.map(Body::new)
}

/// Whether RFC 6750, section 2.2, lets the request's body carry a token.
fn may_carry(request: &Request) -> bool {
    matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH)
        && is_form(request.headers())
        && !request.body().is_end_stream()
}

fn is_form(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return false };
    let essence = one.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        && !headers.contains_key(CONTENT_ENCODING)
}
