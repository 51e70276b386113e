//! Extension traits of the handle and its builder. They contain the settings that need types of
//! axum or of HTTP, which hallpass-core does not depend on.
//!
//! The settings are attached to the handle and not to a router. So every mount of the management
//! API has the same ones, and a second mount cannot be set up with less protection by mistake.

use hallpass_core::{Actor, Hallpass, HallpassBuilder};
use hallpass_tower::TokenLayer;

use crate::framework::Axum;
use crate::origin::TrustedProxies;
use crate::step_up::{Confirmation, IntoStepUp, StepUpSettings};

/// Methods of [`Hallpass`] for axum applications.
pub trait HallpassExt {
    /// Returns a layer that passes on only requests with a valid token in `Authorization: Bearer`
    /// or `?session=`. It uses axum's matched routes, and removes credentials from axum's
    /// extensions, too.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use hallpass_axum::{HallpassExt, HandlerExt};
    /// # use hallpass_core::Hallpass;
    /// # use hallpass_memory::MemoryStore;
    /// # async fn list() {}
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let app: Router = Router::new()
    ///     .route("/projects", get(list.scoped("projects:list")))
    ///     .layer(hallpass.layer());
    /// ```
    fn layer(&self) -> TokenLayer;
}

impl HallpassExt for Hallpass {
    fn layer(&self) -> TokenLayer {
        TokenLayer::new(self).framework(&Axum)
    }
}

/// An extension trait with settings of the management API. They apply to every mount of a handle.
pub trait HallpassBuilderExt: Sized {
    /// Requires people to confirm every change: with a password, a one-time code, or whatever
    /// `check` can verify. `check` is an async function of the [`Actor`] who makes the change and
    /// the [`Confirmation`] that they sent.
    ///
    /// The confirmation is sent as `Hallpass-Confirmation: <base64url of its UTF-8 text>`, with at
    /// most 1024 bytes. Without it, a change is rejected with 403 `confirmation-required`; with a
    /// wrong one, with 403 `confirmation-failed`. It is valid for one request. `DELETE /current`
    /// needs none, because it only revokes the token that authenticates the request.
    ///
    /// After five wrong confirmations in a row, a caller has to wait before the next one is
    /// checked, even if it is correct. The wait is 30 seconds, and doubles after each further wrong
    /// one, up to 15 minutes. During the wait, the response is 429 with `Retry-After`. A correct
    /// confirmation resets the count. Each node keeps its own counts, which all mounts of the
    /// handle share.
    ///
    /// ```
    /// use hallpass_axum::{Confirmation, HallpassBuilderExt, TokenApi};
    /// use hallpass_core::{Actor, Hallpass};
    /// # use hallpass_memory::MemoryStore;
    /// # #[derive(Clone)] struct People;
    /// # impl People { async fn is_password_of(&self, _: &str, _: &str) -> bool { true } }
    /// # async fn signed_in() -> Option<Actor> { None }
    ///
    /// let people = People;
    /// let hallpass = Hallpass::builder(MemoryStore::new())
    ///     .step_up(move |actor: Actor, password: Confirmation| {
    ///         let people = people.clone();
    ///         async move { people.is_password_of(actor.id().as_str(), password.reveal()).await }
    ///     })
    ///     .build();
    /// let app: axum::Router = TokenApi::new(&hallpass, signed_in).into_router_at("/tokens");
    /// # let _ = app;
    /// ```
    #[must_use]
    fn step_up<F, Fut>(self, check: F) -> Self
    where
        F: Fn(Actor, Confirmation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoStepUp> + Send + 'static;

    /// Sets which proxies are in front of the service, so that the audit trail shows the client's
    /// address instead of the proxy's. Without this setting, the address of the connection is used,
    /// if the service provides `ConnectInfo<SocketAddr>`.
    ///
    /// ```
    /// use hallpass_core::Hallpass;
    /// use hallpass_axum::{HallpassBuilderExt, TrustedProxies};
    /// # use hallpass_memory::MemoryStore;
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new())
    ///     .trusted_proxies(TrustedProxies::networks(["10.0.0.0/8"]))
    ///     .build();
    /// # let _ = hallpass;
    /// ```
    #[must_use]
    fn trusted_proxies(self, proxies: TrustedProxies) -> Self;
}

impl HallpassBuilderExt for HallpassBuilder {
    fn step_up<F, Fut>(self, check: F) -> Self
    where
        F: Fn(Actor, Confirmation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: IntoStepUp> + Send + 'static,
    {
        self.extension(StepUpSettings::new(check))
    }

    fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        self.extension(proxies)
    }
}
