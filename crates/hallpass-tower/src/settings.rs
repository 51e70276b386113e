use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use hallpass_core::{Hallpass, HallpassBuilder};
use http::Response;

use crate::framework::{Framework, Plain};
use crate::maintenance::Maintenance;
use crate::policy::PolicyTable;
use crate::refusal::{PROBLEM_TYPE_PREFIX, Realm, Rejection, RejectionKind};

/// What a layer was told, shared by all its services.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) hallpass: Hallpass,
    pub(crate) query_names: Vec<String>,
    pub(crate) bearer_only: bool,
    pub(crate) forms: bool,
    pub(crate) tripwire: bool,
    pub(crate) optional: bool,
    pub(crate) keep_authorization: bool,
    pub(crate) policy: Option<PolicyTable>,
    pub(crate) rejections: RejectionSettings,
    pub(crate) framework: &'static dyn Framework,
    pub(crate) maintenance: Arc<Maintenance>,
}

impl Settings {
    pub(crate) fn new(hallpass: Hallpass) -> Self {
        let rejections = RejectionSettings::of(&hallpass);
        Self {
            hallpass,
            query_names: vec!["session".to_owned()],
            bearer_only: false,
            forms: false,
            tripwire: false,
            optional: false,
            keep_authorization: false,
            policy: None,
            rejections,
            framework: &Plain,
            maintenance: Arc::default(),
        }
    }

    /// The query parameters that may carry a credential.
    pub(crate) fn query_sources(&self) -> &[String] {
        if self.bearer_only { &[] } else { &self.query_names }
    }

    pub(crate) fn refusal(&self, kind: RejectionKind) -> Rejection {
        Rejection::new(kind, self.rejections.clone())
    }

    /// Whether a text is a token of this application, by its looks alone.
    pub(crate) fn looks_like_a_token(&self, text: &[u8]) -> bool {
        self.hallpass.is_well_formed(text)
    }
}

/// How rejections are written. Set on the handle through [`HallpassBuilderExt`], it holds for every
/// layer and every management API of the handle.
#[derive(Clone)]
pub struct RejectionSettings {
    pub(crate) realm: Realm,
    pub(crate) type_prefix: Cow<'static, str>,
    pub(crate) render: Option<Render>,
}

impl Default for RejectionSettings {
    fn default() -> Self {
        Self {
            realm: Realm::default(),
            type_prefix: Cow::Borrowed(PROBLEM_TYPE_PREFIX),
            render: None,
        }
    }
}

impl RejectionSettings {
    /// Returns the settings of a handle.
    #[must_use]
    pub fn of(hallpass: &Hallpass) -> Self {
        hallpass.extension::<Self>().cloned().unwrap_or_default()
    }

    /// Returns what the `type` of every problem starts with.
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
pub trait HallpassBuilderExt: Sized {
    /// Sets the `realm` of challenges, `api` by default.
    ///
    /// # Panics
    ///
    /// Panics if the text is empty, or not printable ASCII without quotes and backslashes.
    #[must_use]
    #[track_caller]
    fn realm(self, realm: &str) -> Self;

    /// Sets what the `type` of every problem starts with, `/problems/` by default. The kind follows,
    /// such as `invalid-token`.
    ///
    /// # Panics
    ///
    /// Panics if the text has a character that a URI reference cannot have.
    #[must_use]
    #[track_caller]
    fn problem_type_prefix(self, prefix: impl Into<String>) -> Self;

    /// Renders rejections in the host's own way. The function gets the rejection and the response that
    /// would be sent, and returns the response that is sent. gRPC requests get gRPC responses anyway.
    #[must_use]
    fn on_rejection(
        self,
        render: impl Fn(&Rejection, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self;
}

impl HallpassBuilderExt for HallpassBuilder {
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
            prefix.bytes().all(fits),
            "{prefix:?} cannot start a problem's type: write a URI reference such as \"/problems/\""
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

/// The host's own rendering of refusals.
#[derive(Clone)]
pub(crate) struct Render(Arc<Rendering>);

impl Render {
    pub(crate) fn new(
        render: impl Fn(&Rejection, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(render))
    }

    pub(crate) fn call(&self, refusal: &Rejection, response: Response<Bytes>) -> Response<Bytes> {
        (self.0)(refusal, response)
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenLayer")
            .field("query_parameters", &self.query_sources())
            .field("optional", &self.optional)
            .field("rejections", &self.rejections)
            .field("policy", &self.policy.is_some())
            .finish_non_exhaustive()
    }
}
