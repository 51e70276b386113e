use std::sync::Arc;

use bytes::Bytes;
use hallpass_core::Hallpass;
use http::Response;
use tower_layer::Layer;

use crate::framework::Framework;
#[cfg(doc)]
use crate::locate::FormCredential;
use crate::measure;
use crate::policy::PolicyTable;
use crate::refusal::{Rejection, RejectionKind};
use crate::service::TokenService;
use crate::settings::{Render, Settings};

/// Lets requests with a valid token in, and no others.
///
/// It finds the credential (`Authorization: Bearer`, or `?session=`), checks it, cuts it out of the
/// request and leaves the [`Principal`](hallpass_core::Principal) in its extensions. Made by
/// [`HallpassExt::layer`](crate::HallpassExt::layer).
///
/// Put it outside of everything that looks at requests, logs included: what is inside sees no
/// credential.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it is put around a service"]
pub struct TokenLayer(Arc<Settings>);

impl TokenLayer {
    pub(crate) fn new(hallpass: &Hallpass) -> Self {
        measure::describe();
        Self(Arc::new(Settings::new(hallpass.clone())))
    }

    fn settings(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.0)
    }

    /// Reads the `Authorization` header alone. Query parameters are the application's then, and
    /// stay as they are. Prefer it: URLs end up in logs and histories (RFC 9700, section 4.3.2).
    pub fn bearer_only(mut self) -> Self {
        self.settings().bearer_only = true;
        self
    }

    /// With [`bearer_only`](Self::bearer_only): refuses a request whose query parameter holds a
    /// token all the same, with 400, and reports it. The token has leaked by then.
    pub fn reject_query_tokens(mut self) -> Self {
        self.settings().tripwire = true;
        self
    }

    /// The query parameters that may carry the token, instead of `session`. Names are compared in
    /// their case, after decoding.
    ///
    /// # Panics
    ///
    /// A name is empty.
    #[track_caller]
    pub fn query_parameters<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        assert!(
            !names.iter().any(String::is_empty),
            "a query parameter has a name; for none at all say `.bearer_only()`"
        );
        self.settings().query_names = names;
        self
    }

    /// Takes a [`FormCredential`] in a request's extensions for a credential, too: for a middleware
    /// outside that reads the bodies of forms, such as hallpass-axum's.
    pub fn form_credentials(mut self) -> Self {
        self.settings().forms = true;
        self
    }

    /// Lets requests without any credential through, without a principal: for routers whose routes
    /// say themselves what they need. A credential that is no good is still refused, and a policy
    /// table still decides which routes need a token.
    pub fn optional(mut self) -> Self {
        self.settings().optional = true;
        self
    }

    /// Leaves the `Authorization` header in the request, marked as sensitive, instead of removing
    /// it: for services that pass requests on in the caller's name.
    pub fn keep_authorization(mut self) -> Self {
        self.settings().keep_authorization = true;
        self
    }

    /// The `realm` of challenges, `api` by default.
    ///
    /// # Panics
    ///
    /// The text is empty, or not printable ASCII without quotes and backslashes.
    #[track_caller]
    pub fn realm(mut self, realm: &str) -> Self {
        let rejections = &mut self.settings().rejections;
        *rejections = rejections.clone().with_realm(realm);
        self
    }

    /// Enforces a table of what each route needs. What is not in it is refused.
    ///
    /// # Panics
    ///
    /// The handle has a catalog, and the table names a scope that is not in it.
    #[track_caller]
    pub fn policy(mut self, table: PolicyTable) -> Self {
        if let Some(catalog) = self.0.hallpass.catalog() {
            for rule in table.rules() {
                if let Some(scope) = catalog.unknown_in(rule.requirement()) {
                    panic!(
                        "{rule} names {scope}, which the catalog does not list: add it there, or mend the rule"
                    );
                }
            }
        }
        self.settings().policy = Some(table);
        self
    }

    /// Renders refusals in the host's own way. It is given the refusal and the answer that would be
    /// sent, and gives the answer that is. gRPC requests are answered as gRPC all the same.
    pub fn on_rejection(
        mut self,
        render: impl Fn(&Rejection, Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
    ) -> Self {
        self.settings().rejections.render = Some(Render::new(render));
        self
    }

    /// A refusal in the words of this layer, [`on_rejection`](Self::on_rejection) included: for a
    /// middleware outside that finds a fault of its own.
    #[must_use]
    pub fn refusal(&self, kind: RejectionKind) -> Rejection {
        self.0.refusal(kind)
    }

    /// Tells the layer which framework's extensions to mind: for crates that bring a framework.
    pub fn framework(mut self, framework: &'static dyn Framework) -> Self {
        self.settings().framework = framework;
        self
    }
}

impl<S> Layer<S> for TokenLayer {
    type Service = TokenService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        TokenService::new(inner, Arc::clone(&self.0))
    }
}
