//! [Hallpass](https://docs.rs/hallpass) for axum: scopes on handlers, routers in which every route
//! has a requirement, and a REST API for people to manage their tokens.
//!
//! | to | use |
//! |---|---|
//! | require a token | [`HallpassExt::layer`] |
//! | set the requirement of a handler | [`HandlerExt::scoped`], or the typed extractor [`Scoped`] |
//! | require every route to have a requirement | [`GuardedRouter`] |
//! | accept tokens in forms, too | [`TokenLayerExt::with_form_field`] |
//! | accept your own sessions on the same routes | [`TokenLayerExt::fallback_with_state`] |
//! | get the principal of a request | [`Authenticated`] |
//! | allow people to manage their tokens | [`TokenApi`] |
//! | require a password or a one-time code for changes | [`HallpassBuilderExt::step_up`] |
//!
//! [`TokenApi`] is the API, as a router to merge. It is described by its own OpenAPI 3.1 document,
//! at `openapi.json` below its mount.
//!
//! # Problems
//!
//! Every error is `application/problem+json` ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)). Its `type` is
//! stable:
//!
#![doc = include_str!("docs/problems.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "aide")]
pub mod aide_routing;
mod api;
mod authenticator;
mod body;
mod extract;
mod form;
mod framework;
mod guarded;
mod hallpass_ext;
mod handler;
mod headers;
mod openapi;
mod origin;
mod parameters;
mod precondition;
mod problem;
mod rejection;
mod responses;
pub mod routing;
mod step_up;
mod texts;

pub use {hallpass_core, hallpass_tower, utoipa, utoipa_axum};

pub use self::{
    api::{TokenApi, openapi},
    authenticator::{Authenticator, IntoActor, SignInOutput, report_failed_sign_in},
    extract::{Authenticated, RequiredScope, Scoped},
    form::{FormTokenLayer, FormTokenService, TokenLayerExt},
    guarded::GuardedRouter,
    hallpass_ext::{HallpassBuilderExt, HallpassExt},
    handler::{HandlerExt, ScopedHandler},
    origin::TrustedProxies,
    rejection::RejectionResponse,
    step_up::{Confirmation, IntoStepUp},
};
