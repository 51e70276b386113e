use hallpass_core::{Actor, Hallpass, HallpassBuilder};
use hallpass_tower::TokenLayer;

use crate::framework::Axum;
use crate::origin::TrustedProxies;
use crate::router_paths::AxumPaths;
use crate::step_up::{Confirmation, IntoStepUp, StepUpSettings};

/// Methods of [`Hallpass`] for axum applications.
pub trait HallpassExt {
    /// Returns a layer that lets requests with a valid token in: from `Authorization: Bearer`, or
    /// `?session=`. It knows axum's routes, and leaves no credential in axum's extensions.
    fn layer(&self) -> TokenLayer;
}

impl HallpassExt for Hallpass {
    fn layer(&self) -> TokenLayer {
        TokenLayer::new(self).framework(&Axum).router_paths(&AxumPaths)
    }
}

/// Settings of the management API that every mount of one handle shares.
pub trait HallpassBuilderExt: Sized {
    /// Asks people to confirm every change: with a password, a one-time code, or whatever `check`
    /// can check. It is an async function of the [`Actor`] who wants to change something and the
    /// [`Confirmation`] that they sent.
    ///
    /// It is sent as `Hallpass-Confirmation: <base64url of its UTF-8 text>`, at most 1024 bytes.
    /// Without it, a change is rejected with 403 `confirmation-required`; with a wrong one, with
    /// 403 `confirmation-failed`. It holds for one request. `DELETE /current` needs none, because
    /// it only takes rights away.
    ///
    /// After five wrong ones in a row, a caller has to wait before the next one is checked, even if
    /// it is right: 30 seconds, and twice as long after each further wrong one, up to 15 minutes.
    /// Until then the answer is 429 with `Retry-After`. A right one resets the count. Counts are
    /// kept per node, and shared by all mounts of the handle.
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

    /// Says which proxies are in front of the service, so that the audit trail shows the client's
    /// address instead of the proxy's. Without it, the address of the connection is used, if the
    /// service provides `ConnectInfo<SocketAddr>`.
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
