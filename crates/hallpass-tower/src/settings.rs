use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use hallpass_core::Hallpass;
use http::Response;

use crate::framework::{Framework, Plain};
use crate::maintenance::Maintenance;
use crate::policy::PolicyTable;
use crate::refusal::{Realm, Rejection, RejectionKind};

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
    pub(crate) realm: Realm,
    pub(crate) policy: Option<PolicyTable>,
    pub(crate) render: Option<Render>,
    pub(crate) framework: &'static dyn Framework,
    pub(crate) maintenance: Arc<Maintenance>,
}

impl Settings {
    pub(crate) fn new(hallpass: Hallpass) -> Self {
        Self {
            hallpass,
            query_names: vec!["session".to_owned()],
            bearer_only: false,
            forms: false,
            tripwire: false,
            optional: false,
            keep_authorization: false,
            realm: Realm::default(),
            policy: None,
            render: None,
            framework: &Plain,
            maintenance: Arc::default(),
        }
    }

    /// The query parameters that may carry a credential.
    pub(crate) fn query_sources(&self) -> &[String] {
        if self.bearer_only { &[] } else { &self.query_names }
    }

    pub(crate) fn refusal(&self, kind: RejectionKind) -> Rejection {
        Rejection::new(kind, self.realm.clone(), self.render.clone())
    }

    /// Whether a text is a token of this application, by its looks alone.
    pub(crate) fn looks_like_a_token(&self, text: &[u8]) -> bool {
        self.hallpass.is_well_formed(text)
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
            .field("realm", &self.realm)
            .field("policy", &self.policy.is_some())
            .finish_non_exhaustive()
    }
}
