//! The sources of tokens, as settings of the layer.

use super::TokenLayer;
use crate::credentials::{CredentialSource, Sources};

impl TokenLayer {
    /// Reads tokens from these sources only.
    ///
    /// All of them are read, so their order does not matter. A request with credentials in two of
    /// them is rejected with 400, whatever they contain, and the response names both. Headers and
    /// parameters that are not listed belong to the application and stay as they are.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use hallpass_core::{Actor, Hallpass, NewToken};
    /// use hallpass_tower::{CredentialSource, TokenLayer};
    /// # use http::{Request, Response};
    /// # use tower::{ServiceBuilder, ServiceExt, service_fn};
    /// # use hallpass_memory::MemoryStore;
    /// # type Body = http_body_util::Full<bytes::Bytes>;
    /// # let inner = service_fn(|_: Request<()>| async {
    /// #     Ok::<_, std::convert::Infallible>(Response::new(Body::default()))
    /// # });
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let layer = TokenLayer::new(&hallpass)
    ///     .sources([CredentialSource::bearer(), CredentialSource::header("x-api-key")]);
    /// # let service = ServiceBuilder::new().layer(layer).service(inner);
    ///
    /// let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
    /// let request = Request::get("/").header("x-api-key", issued.token.reveal()).body(()).unwrap();
    /// assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
    /// # }
    /// ```
    pub fn sources(mut self, sources: impl IntoIterator<Item = CredentialSource>) -> Self {
        let settings = self.settings();
        settings.bearer_only = false;
        settings.set_sources(sources);
        self
    }

    /// Reads tokens from one more source.
    ///
    /// ```
    /// use hallpass_core::Hallpass;
    /// use hallpass_tower::{CredentialSource, TokenLayer};
    /// # use hallpass_memory::MemoryStore;
    ///
    /// // Accepts `Authorization: Token <token>` in addition to the default sources.
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let layer = TokenLayer::new(&hallpass).with_source(CredentialSource::scheme("Token"));
    /// # let _ = layer;
    /// ```
    pub fn with_source(mut self, source: CredentialSource) -> Self {
        let settings = self.settings();
        let list: Vec<_> = settings.sources.list().iter().cloned().chain([source]).collect();
        settings.set_sources(list);
        self
    }

    /// Reads the `Authorization` header alone. Query parameters then belong to the application and
    /// stay as they are. This is the safer choice, because URLs end up in logs and histories (RFC
    /// 9700, section 4.3.2).
    pub fn bearer_only(mut self) -> Self {
        let settings = self.settings();
        let names = settings.sources.query_names();
        if !names.is_empty() {
            settings.watched_names = names.to_vec();
        }
        settings.bearer_only = true;
        let list = settings.sources.list().iter();
        let list: Vec<_> = list.filter(|source| source.is_authorization()).cloned().collect();
        settings.set_sources(list);
        self
    }

    /// Rejects a request with 400 if a query parameter contains a token although
    /// [`bearer_only`](Self::bearer_only) is set, and reports it, because the token has leaked.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use hallpass_core::{Actor, Hallpass, NewToken};
    /// use hallpass_tower::TokenLayer;
    /// # use http::{Request, Response};
    /// # use tower::{ServiceBuilder, ServiceExt, service_fn};
    /// # use hallpass_memory::MemoryStore;
    /// # type Body = http_body_util::Full<bytes::Bytes>;
    /// # let inner = service_fn(|_: Request<()>| async {
    /// #     Ok::<_, std::convert::Infallible>(Response::new(Body::default()))
    /// # });
    ///
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let layer = TokenLayer::new(&hallpass).bearer_only().reject_query_tokens();
    /// # let service = ServiceBuilder::new().layer(layer).service(inner);
    ///
    /// let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
    /// let target = format!("/?session={}", issued.token.reveal());
    /// let request = Request::get(target).body(()).unwrap();
    /// assert_eq!(service.oneshot(request).await.unwrap().status(), 400);
    /// # }
    /// ```
    pub fn reject_query_tokens(mut self) -> Self {
        self.settings().reject_query_tokens = true;
        self
    }

    /// Reads these query parameters instead of `session`. Names are compared after decoding, with
    /// regard to case.
    ///
    /// # Panics
    ///
    /// Panics if a name is empty.
    ///
    /// ```
    /// use hallpass_core::Hallpass;
    /// use hallpass_tower::TokenLayer;
    /// # use hallpass_memory::MemoryStore;
    ///
    /// // `?session=` now belongs to the application, and `?access_token=` may contain a token.
    /// let hallpass = Hallpass::builder(MemoryStore::new()).build();
    /// let layer = TokenLayer::new(&hallpass).query_parameters(["access_token"]);
    /// # let _ = layer;
    /// ```
    #[track_caller]
    pub fn query_parameters<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        let settings = self.settings();
        let mut named = Vec::new();
        for name in names {
            named.push(CredentialSource::query(name));
        }
        if settings.bearer_only {
            settings.watched_names = Sources::new(named).query_names().to_vec();
        } else {
            // These replace the query parameters that were listed.
            let others = settings.sources.list().iter().filter(|source| !source.is_query());
            let list: Vec<_> = others.cloned().chain(named).collect();
            settings.set_sources(list);
        }
        self
    }

    /// Also accepts a [`FormCredential`](crate::FormCredential) in a request's extensions. Use it
    /// with an outer middleware that reads the bodies of forms, such as the one of hallpass-axum.
    pub fn form_credentials(self) -> Self {
        self.with_source(CredentialSource::form())
    }
}
