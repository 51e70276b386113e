//! The settings of a layer, and the format of rejections that several layers share.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use hallpass_core::__private::LogOnce;
use hallpass_core::{Hallpass, HallpassBuilder};
use http::{Extensions, HeaderValue, Response};

use crate::credentials::{CredentialSource, Fault, Sources};
use crate::fallback::Fallback;
use crate::framework::RouteMatcher;
use crate::policy::PolicyTable;
use crate::rejection::{PROBLEM_TYPE_PREFIX, Realm, Rejection, RejectionKind};
use crate::use_flusher::UseFlusher;

/// The settings of a layer, shared by all its services.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) hallpass: Hallpass,
    pub(crate) sources: Sources,
    /// Set if query parameters are not read and are left to the application.
    pub(crate) bearer_only: bool,
    /// The query parameters in which a token is rejected, if they are not read.
    pub(crate) watched_names: Vec<String>,
    pub(crate) reject_query_tokens: bool,
    pub(crate) optional: bool,
    pub(crate) authenticate_preflights: bool,
    pub(crate) keep_authorization: bool,
    pub(crate) fallback: Option<Fallback>,
    /// The other origins whose pages may make changes for people whom the fallback signs in.
    pub(crate) trusted_origins: Vec<HeaderValue>,
    pub(crate) policy: Option<PolicyTable>,
    pub(crate) rejections: RejectionSettings,
    /// The integration of a web framework, if there is one.
    pub(crate) framework: Option<&'static dyn RouteMatcher>,
    pub(crate) use_flusher: Arc<UseFlusher>,
    pub(crate) reject_unguarded_routes: bool,
    /// The routes without a requirement that the log has named.
    pub(crate) unguarded: LogOnce<String>,
    /// The request headers that responses depend on.
    pub(crate) vary: HeaderValue,
}

impl Settings {
    pub(crate) fn new(hallpass: Hallpass) -> Self {
        let rejections = RejectionSettings::of(&hallpass);
        let sources =
            Sources::new([CredentialSource::bearer(), CredentialSource::query(QUERY_NAME)]);
        Self {
            hallpass,
            sources,
            bearer_only: false,
            watched_names: vec![QUERY_NAME.to_owned()],
            reject_query_tokens: false,
            optional: false,
            authenticate_preflights: false,
            keep_authorization: false,
            fallback: None,
            trusted_origins: Vec::new(),
            policy: None,
            rejections,
            framework: None,
            use_flusher: Arc::default(),
            reject_unguarded_routes: cfg!(debug_assertions),
            unguarded: LogOnce::default(),
            vary: HeaderValue::from_static("authorization"),
        }
    }

    /// Replaces the sources.
    pub(crate) fn set_sources(&mut self, list: impl IntoIterator<Item = CredentialSource>) {
        self.sources = Sources::new(list);
        self.set_vary();
    }

    pub(crate) fn set_vary(&mut self) {
        let mut names = vec!["authorization"];
        names.extend(self.sources.headers().iter().map(|(_, name)| name.as_str()));
        if self.fallback.is_some() {
            names.push("cookie");
        }
        // Header names are always valid in a header value.
        if let Ok(vary) = HeaderValue::from_str(&names.join(", ")) {
            self.vary = vary;
        }
    }

    pub(crate) fn rejection(&self, kind: RejectionKind) -> Rejection {
        Rejection::new(kind, self.rejections.clone())
    }

    /// Returns the pattern of the route that the framework has matched.
    pub(crate) fn matched<'e>(&self, extensions: &'e Extensions) -> Option<&'e str> {
        self.framework?.matched(extensions)
    }

    /// Logs a mistake in the set-up of the program, and returns the rejection for it.
    pub(crate) fn misconfigured(&self, mistake: &str, extensions: &Extensions) -> Rejection {
        Rejection::misconfigured(mistake, self.matched(extensions), self.rejections.clone())
    }

    /// Returns the rejection of a request with malformed credentials. Its detail describes the
    /// mistake.
    pub(crate) fn malformed(&self, fault: Fault) -> Rejection {
        let detail = fault.explain(&self.sources);
        self.rejection(RejectionKind::InvalidRequest).with_detail(detail)
    }

    /// Returns whether a CORS preflight without a credential is passed to the inner service.
    pub(crate) fn passes_preflights(&self) -> bool {
        let has_router = self.framework.is_some();
        has_router
            && !self.authenticate_preflights
            && self.policy.is_none()
            && !self.rejections.grpc
    }

    /// Returns whether any query parameter may carry a credential.
    pub(crate) fn reads_query(&self) -> bool {
        !self.sources.query_names().is_empty()
    }
}

/// The query parameter that may carry a token by default.
const QUERY_NAME: &str = "session";

/// The format of rejections. It is set on the handle through [`RejectionBuilderExt`] and applies to
/// every layer and every management API of the handle.
#[derive(Clone)]
pub struct RejectionSettings {
    pub(crate) realm: Realm,
    pub(crate) type_prefix: Cow<'static, str>,
    pub(crate) render: Option<Render>,
    /// Set if rejections are gRPC statuses.
    pub(crate) grpc: bool,
}

impl Default for RejectionSettings {
    fn default() -> Self {
        Self {
            realm: Realm::default(),
            type_prefix: Cow::Borrowed(PROBLEM_TYPE_PREFIX),
            render: None,
            grpc: false,
        }
    }
}

impl RejectionSettings {
    /// Returns the settings of a handle.
    #[must_use]
    pub fn of(hallpass: &Hallpass) -> Self {
        hallpass.extension::<Self>().cloned().unwrap_or_default()
    }

    /// Returns the prefix of every problem's `type`.
    #[must_use]
    pub fn problem_type_prefix(&self) -> &str {
        &self.type_prefix
    }

    #[track_caller]
    pub(crate) fn with_realm(mut self, realm: &str) -> Self {
        match Realm::new(realm) {
            Ok(realm) => self.realm = realm,
            Err(error) => panic!("{error}"),
        }
        self
    }
}

impl fmt::Debug for RejectionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RejectionSettings")
            .field("realm", &self.realm)
            .field("type_prefix", &self.type_prefix)
            .finish_non_exhaustive()
    }
}

/// Settings of rejections that every layer and every management API of one handle share.
pub trait RejectionBuilderExt: Sized {
    /// Sets the `realm` of challenges, `api` by default.
    ///
    /// # Panics
    ///
    /// Panics if the text is empty, or not printable ASCII without quotes and backslashes.
    #[must_use]
    #[track_caller]
    fn realm(self, realm: &str) -> Self;

    /// Sets the prefix of every problem's `type`, `/problems/` by default. The kind follows, such
    /// as `invalid-token`.
    ///
    /// # Panics
    ///
    /// Panics if the text does not end with `/`, `:` or `#`, or if it has a character that a URI
    /// reference cannot have.
    #[must_use]
    #[track_caller]
    fn problem_type_prefix(self, prefix: impl Into<String>) -> Self;

    /// Customizes the responses of rejections. The function receives the rejection and its default
    /// response, and returns the response to send. A layer with [`grpc`](crate::TokenLayer::grpc)
    /// does not call it.
    #[must_use]
    fn on_rejection(
        self,
        render: impl Fn(&Rejection, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self;
}

impl RejectionBuilderExt for HallpassBuilder {
    #[track_caller]
    fn realm(mut self, realm: &str) -> Self {
        let settings = self.extension_mut::<RejectionSettings>();
        *settings = settings.clone().with_realm(realm);
        self
    }

    #[track_caller]
    fn problem_type_prefix(mut self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        let fits = |b: u8| b.is_ascii_graphic() && !b"\"\\<>^`{|}".contains(&b);
        assert!(
            prefix.bytes().all(fits) && prefix.ends_with(['/', ':', '#']),
            "invalid prefix {prefix:?} for problem types: write a URI reference that ends with \
             `/`, `:` or `#`, such as \"/problems/\""
        );
        self.extension_mut::<RejectionSettings>().type_prefix = prefix.into();
        self
    }

    fn on_rejection(
        mut self,
        render: impl Fn(&Rejection, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.extension_mut::<RejectionSettings>().render = Some(Render::new(render));
        self
    }
}

type Rendering = dyn Fn(&Rejection, Response<Bytes>) -> Response<Bytes> + Send + Sync;

/// The host's own rendering of rejections.
#[derive(Clone)]
pub(crate) struct Render(Arc<Rendering>);

impl Render {
    pub(crate) fn new(
        render: impl Fn(&Rejection, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(render))
    }

    pub(crate) fn call(&self, rejection: &Rejection, response: Response<Bytes>) -> Response<Bytes> {
        (self.0)(rejection, response)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenLayer")
            .field("sources", &self.sources.list())
            .field("optional", &self.optional)
            .field("rejections", &self.rejections)
            .field("policy", &self.policy.is_some())
            .finish_non_exhaustive()
    }
}
