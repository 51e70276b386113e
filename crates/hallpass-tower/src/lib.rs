//! The tower layer of [Hallpass](https://docs.rs/hallpass). It finds a token in a request,
//! checks it, and enforces what the route needs. It works with any body type and with axum, hyper
//! and tonic.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! use hallpass_core::{Actor, Hallpass, NewToken};
//! use hallpass_tower::{TokenLayer, PolicyTable, PrincipalExt};
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! # use hallpass_memory::MemoryStore;
//! # type Body = http_body_util::Full<bytes::Bytes>;
//!
//! let hallpass = Hallpass::builder(MemoryStore::new()).build();
//! let table = PolicyTable::new().get("/projects/{id}", "projects:read:{id}");
//! let service = ServiceBuilder::new()
//!     .layer(TokenLayer::new(&hallpass).policy(table))
//!     .service(service_fn(|request: Request<()>| async move {
//!         let principal = request.principal().expect("the layer has authenticated the request");
//!         Ok::<_, std::convert::Infallible>(Response::new(Body::from(principal.owner().to_string())))
//!     }));
//!
//! let new = NewToken::named("ci").scope("projects:read:42");
//! let issued = hallpass.issue(&Actor::owner("alice"), new).await.unwrap();
//! let get = |path: &str| Request::get(path)
//!     .header("authorization", format!("Bearer {}", issued.token.reveal()))
//!     .body(()).unwrap();
//! assert_eq!(service.clone().oneshot(get("/projects/42")).await.unwrap().status(), 200);
//! assert_eq!(service.clone().oneshot(get("/projects/43")).await.unwrap().status(), 403);
//! # }
//! ```
//!
//! Rejections are [RFC 6750](https://www.rfc-editor.org/rfc/rfc6750) challenges with [RFC
//! 9457](https://www.rfc-editor.org/rfc/rfc9457) bodies, or gRPC statuses if [`TokenLayer::grpc`]
//! is set. If the store cannot be reached, the response is a 503 and never a 401.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "testing")]
mod acting;
mod admit;
mod auth_context;
mod body;
mod cache_headers;
mod credentials;
mod cross_site;
mod fallback;
mod framework;
mod future;
mod layer;
mod metrics;
mod outage_log;
mod policy;
mod preflight;
mod redact;
mod rejection;
mod require;
mod routed_path;
mod service;
mod settings;
mod span;
#[cfg(feature = "trace")]
mod trace;
mod unguarded;
mod use_flusher;

pub use hallpass_core;

#[cfg(feature = "testing")]
pub use self::acting::ActingAs;
#[cfg(feature = "trace")]
pub use self::trace::RedactingMakeSpan;
pub use self::{
    auth_context::{
        PrincipalExt, enforce, optional_principal, rejection_for, require_principal,
        token_principal,
    },
    body::ResponseBody,
    credentials::{Authorization, CredentialSource, FormCredential},
    fallback::{IntoPrincipal, SignInResponse},
    future::ResponseFuture,
    layer::TokenLayer,
    policy::{PolicyError, PolicyTable, Rule},
    rejection::{PROBLEM_TYPE_PREFIX, Rejection, RejectionKind, retry_after},
    require::{Require, RequireFuture, RequireLayer, require},
    service::TokenService,
    settings::{RejectionBuilderExt, RejectionSettings},
};

/// The items that a crate for a framework needs.
#[doc(hidden)]
pub use self::{
    cross_site::trusted_origin,
    framework::{RouteMatcher, RoutePattern},
    routed_path::{NotText, RoutedParameters},
    unguarded::{NewWatch, Watch},
};

/// Fails to compile if a public type is no longer `Send`, `Sync` and so on.
const _: () = {
    const fn sendable<T: Send + Sync + Clone + 'static>() {}
    sendable::<TokenLayer>();
    sendable::<TokenService<()>>();
    sendable::<PolicyTable>();
    sendable::<RequireLayer>();
    sendable::<Rejection>();
};
