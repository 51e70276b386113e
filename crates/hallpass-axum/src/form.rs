//! Tokens in a field of an urlencoded form (RFC 6750, section 2.2), for clients that cannot send
//! them elsewhere.
//!
//! The layer itself decides by the head of a request. [`FormTokenLayer`] therefore reads the form
//! first, puts the credential into the request's extensions, and restores the body, so that the
//! handler receives it unchanged. It reads a body only if the head has no credential. So most
//! requests are not buffered.

use std::sync::Arc;

use axum::BoxError;
use axum::body::{Body, HttpBody as _, to_bytes};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::{FromFn, Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use futures_util::future::BoxFuture;
use hallpass_tower::{FormCredential, RejectionKind, SignInResponse, TokenLayer, TokenService};
use tower_layer::Layer;

use crate::authenticator::{Authenticator, SignInOutput};
use crate::body::{is_too_long, media_type};
use crate::rejection::RejectionResponse;

/// The default maximum size of a form, in bytes.
const MAX_LEN: usize = 64 * 1024;

/// An extension trait of [`TokenLayer`] for settings that need axum's bodies or extractors.
pub trait TokenLayerExt {
    /// Also looks for the token in a form's field of this name: in the body of a `POST`, `PUT` or
    /// `PATCH` whose `Content-Type` is `application/x-www-form-urlencoded`.
    ///
    /// The form is read only if no other source has a credential and the route is not public. The
    /// request is rejected with 400 if the field is empty or repeated, or if the form has the field
    /// and is not all ASCII. The handler receives the body unchanged, including the field. Forms
    /// are read before the request is authenticated, so forms of more than 64 KiB are rejected with
    /// 413. The rejections use the settings of the layer, [`TokenLayer::on_rejection`] included.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use axum::{Router, body::Body, http::Request, routing::post};
    /// use hallpass_core::{Actor, Hallpass, NewToken};
    /// use hallpass_axum::{HallpassExt, HandlerExt, TokenLayerExt};
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

    /// Authenticates requests without a token by the host's own sign-in, like
    /// [`TokenLayer::fallback`]. The extractors of the async function get this state.
    ///
    /// - If the function returns an error whose status is a redirect (3xx) or a client error (4xx),
    ///   the layer sends the error as the response. An error with any other status is replaced by a
    ///   503. If the request has a mistyped token, the response is the layer's 401 in every case.
    /// - If an extractor rejects the request, the result is the same as if the function had
    ///   returned `None`: the layer's 401, or no principal if the layer is
    ///   [optional](TokenLayer::optional). To send the extractor's own response, let the function
    ///   take `Result<Person, Rejection>` and return the rejection as its error.
    /// - If the rejection of an extractor is a server error, the response is a 503. The extractors
    ///   of sessions reject a request in that way if the session middleware is not outside of this
    ///   layer.
    ///
    /// ```
    /// use axum::{Router, extract::State, http::HeaderMap, routing::get};
    /// use hallpass_core::{Hallpass, Principal, ScopeSet};
    /// use hallpass_axum::{HallpassExt, HandlerExt, TokenLayerExt};
    /// # #[derive(Clone)] struct Sessions;
    /// # impl Sessions { async fn user(&self, cookie: &str) -> Option<String> { Some(cookie.to_owned()) } }
    ///
    /// /// Looks a session up, for example in the service's own database.
    /// async fn person(State(sessions): State<Sessions>, headers: HeaderMap) -> Option<Principal> {
    ///     let user = sessions.user(headers.get("cookie")?.to_str().ok()?).await?;
    ///     Some(Principal::external(user.parse().ok()?, ScopeSet::parse(["projects"]).ok()?))
    /// }
    ///
    /// fn app(hallpass: &Hallpass, sessions: Sessions) -> Router {
    ///     Router::new()
    ///         .route("/projects", get((async || "atlas").scoped("projects:list")))
    ///         .layer(hallpass.layer().fallback_with_state(sessions, person))
    /// }
    /// # let _ = app;
    /// ```
    fn fallback_with_state<A, T, S>(self, state: S, authenticator: A) -> TokenLayer
    where
        A: Authenticator<T, S, Output: SignInOutput>,
        S: Clone + Send + Sync + 'static;
}

impl TokenLayerExt for TokenLayer {
    #[track_caller]
    fn with_form_field(self, name: impl Into<String>) -> FormTokenLayer {
        let field: Arc<str> = name.into().into();
        assert!(!field.is_empty(), "the name of a form's field cannot be empty");
        FormTokenLayer { layer: self.form_credentials(), field, max_len: MAX_LEN }
    }

    fn fallback_with_state<A, T, S>(self, state: S, authenticator: A) -> TokenLayer
    where
        A: Authenticator<T, S, Output: SignInOutput>,
        S: Clone + Send + Sync + 'static,
    {
        let authenticator = Arc::new(authenticator);
        self.fallback(move |mut parts: Parts| {
            let (authenticator, state) = (Arc::clone(&authenticator), state.clone());
            async move {
                let answer = authenticator.authenticate(&mut parts, &state).await;
                match answer.map(SignInOutput::into_principal) {
                    Ok(Ok(caller)) => Ok(caller),
                    Ok(Err(response)) => Err(own_response(*response).await),
                    Err(rejection) if rejection.status().is_server_error() => {
                        let status = rejection.status();
                        Err(format!(
                            "an extractor of the sign-in failed with {status}: if a middleware of \
                             yours adds what it reads, put that middleware outside of the token \
                             layer"
                        )
                        .into())
                    }
                    Err(_) => Ok(None),
                }
            }
        })
    }
}

/// Converts the response of a sign-in to the error that the layer expects.
async fn own_response(response: Response) -> BoxError {
    let (head, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(body) => SignInResponse::new(Response::from_parts(head, body)).into(),
        Err(error) => error.into(),
    }
}

/// A [`TokenLayer`] that also reads forms. [`TokenLayerExt::with_form_field`] creates it.
///
/// It goes around any service that `Router::layer` and `MethodRouter::layer` go around: the service
/// takes and returns axum's body, cannot fail, and is `Clone`, `Send` and `Sync`.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct FormTokenLayer {
    layer: TokenLayer,
    field: Arc<str>,
    max_len: usize,
}

impl FormTokenLayer {
    /// Sets the maximum size of a form in bytes, 64 KiB by default.
    ///
    /// ```
    /// use hallpass_axum::{HallpassExt, TokenLayerExt};
    /// # use hallpass_core::Hallpass;
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let layer = hallpass.layer().with_form_field("session").max_form_len(16 * 1024);
    /// # let _ = layer;
    /// ```
    pub fn max_form_len(mut self, bytes: usize) -> Self {
        self.max_len = bytes;
        self
    }
}

impl<S> Layer<S> for FormTokenLayer {
    type Service = FormTokenService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        from_fn_with_state(self.clone(), read_form as ReadForm).layer(self.layer.layer(inner))
    }
}

/// A service that reads tokens from forms. [`FormTokenLayer`] creates it.
pub type FormTokenService<S> =
    FromFn<ReadForm, FormTokenLayer, TokenService<S>, (State<FormTokenLayer>, Request)>;

/// The middleware of [`FormTokenLayer`].
type ReadForm = fn(State<FormTokenLayer>, Request, Next) -> BoxFuture<'static, Response>;

fn read_form(
    State(FormTokenLayer { layer, field, max_len }): State<FormTokenLayer>,
    mut request: Request,
    next: Next,
) -> BoxFuture<'static, Response> {
    Box::pin(async move {
        if !may_carry(&request) || layer.is_decided_by_head(&mut request) {
            return next.run(request).await;
        }
        let (mut parts, body) = request.into_parts();
        match to_bytes(body, max_len).await {
            Ok(form) => {
                parts.extensions.insert(FormCredential::find(&form, &field));
                next.run(Request::from_parts(parts, Body::from(form))).await
            }
            Err(error) => {
                let kind = if is_too_long(&error) {
                    RejectionKind::TooLarge
                } else {
                    RejectionKind::InvalidRequest
                };
                RejectionResponse::from(layer.rejection(kind)).into_response()
            }
        }
    })
}

/// Returns whether the request's body may contain a token according to RFC 6750, section 2.2.
fn may_carry(request: &Request) -> bool {
    matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH)
        && media_type(request.headers())
            .is_some_and(|media| media.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
        && !request.body().is_end_stream()
}
