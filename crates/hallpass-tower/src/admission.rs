use std::sync::Arc;

use hallpass_core::{
    Decision, Hallpass, Origin, PathParameters, Principal, RejectReason, Requirement,
};
use http::{Extensions, Request, request};

use crate::refusal::{Rejection, RejectionKind};
use crate::settings::Settings;
use crate::unguarded::Watch;

/// What the layer leaves in the request's extensions: the one thing that everything behind it
/// reads.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    principal: Option<Principal>,
    /// The route is public: nobody was looked for.
    is_public: bool,
    settings: Arc<Settings>,
    /// What is told that somebody asked for the principal.
    watch: Option<Arc<Watch>>,
}

impl Admission {
    pub(crate) fn known(principal: Principal, settings: &Arc<Settings>) -> Self {
        let settings = Arc::clone(settings);
        Self { principal: Some(principal), is_public: false, settings, watch: None }
    }

    /// Somebody without a credential, let in by an optional layer.
    pub(crate) fn stranger(settings: &Arc<Settings>) -> Self {
        Self { principal: None, is_public: false, settings: Arc::clone(settings), watch: None }
    }

    /// Anybody, on a route that the policy table calls public.
    pub(crate) fn public(settings: &Arc<Settings>) -> Self {
        Self { principal: None, is_public: true, settings: Arc::clone(settings), watch: None }
    }

    /// Leaves itself in a request. A layer inside of another one takes over from it: the outer one
    /// watches no longer. Returns the watch that is kept.
    pub(crate) fn insert<B>(mut self, request: &mut Request<B>) -> Option<Arc<Watch>> {
        if !self.is_public {
            self.watch = Watch::start(request, &self.settings);
        }
        let watch = self.watch.clone();
        if let Some(outer) = request.extensions_mut().insert(self) {
            outer.note();
        }
        watch
    }

    /// Notes that somebody asked who calls.
    fn note(&self) {
        if let Some(watch) = &self.watch {
            watch.note();
        }
    }

    /// The principal, or what to answer where one is asked for.
    fn principal(&self) -> Result<&Principal, Rejection> {
        self.note();
        match &self.principal {
            Some(principal) => Ok(principal),
            None if self.is_public => {
                tracing::error!(
                    target: "hallpass",
                    "a route requires a token, but the policy table says that it is public, so none was \
                     looked at: require it in the table"
                );
                Err(self.settings.refusal(RejectionKind::Misconfigured))
            }
            None => Err(self.settings.refusal(RejectionKind::NoCredential)),
        }
    }

    /// The principal, if an outer layer of the same handle has let it in already.
    pub(crate) fn of<'e>(extensions: &'e Extensions, hallpass: &Hallpass) -> Option<&'e Principal> {
        let admission = extensions.get::<Self>()?;
        admission.principal.as_ref().filter(|_| admission.settings.hallpass.is_same(hallpass))
    }
}

/// Who calls, wherever a request or its extensions are at hand.
///
/// ```
/// use hallpass_tower::PrincipalExt;
///
/// fn greet<B>(request: &http::Request<B>) -> String {
///     match request.principal() {
///         Some(principal) => format!("hello {}", principal.owner()),
///         None => "hello stranger".to_owned(),
///     }
/// }
/// # assert_eq!(greet(&http::Request::new(())), "hello stranger");
/// ```
pub trait PrincipalExt {
    /// The principal, if the layer has let one in.
    fn principal(&self) -> Option<&Principal>;
}

impl PrincipalExt for Extensions {
    fn principal(&self) -> Option<&Principal> {
        let admission = self.get::<Admission>()?;
        admission.note();
        admission.principal.as_ref()
    }
}

impl<B> PrincipalExt for Request<B> {
    fn principal(&self) -> Option<&Principal> {
        self.extensions().principal()
    }
}

impl PrincipalExt for request::Parts {
    fn principal(&self) -> Option<&Principal> {
        self.extensions.principal()
    }
}

/// Enforces a requirement on a request that has come through the layer: what
/// [`require`](crate::require) and every face of a framework do.
///
/// # Errors
///
/// The refusal to answer with. Without a layer around, that is a 500, and the log names the
/// mistake.
pub fn enforce<P: PathParameters + ?Sized>(
    extensions: &Extensions,
    requirement: &Requirement,
    parameters: &P,
) -> Result<(), Rejection> {
    let admission = extensions.get::<Admission>();
    if requirement.is_public() {
        admission.inspect(|admission| admission.note());
        return Ok(());
    }
    let admission = admission.ok_or_else(no_layer)?;
    decide(&admission.settings, extensions, admission.principal()?, requirement, parameters)
}

/// The principal of a request that has come through the layer.
///
/// # Errors
///
/// The refusal to answer with: 401 if nobody was let in, 500 without a layer around or on a route
/// that the policy table calls public.
pub fn require_principal(extensions: &Extensions) -> Result<&Principal, Rejection> {
    extensions.get::<Admission>().ok_or_else(no_layer)?.principal()
}

/// A refusal in the words of the layer around: for faces that find a fault of their own.
#[must_use]
pub fn refuse(extensions: &Extensions, kind: RejectionKind) -> Rejection {
    match extensions.get::<Admission>() {
        Some(admission) => admission.settings.refusal(kind),
        None => no_layer(),
    }
}

/// Decides whether a principal meets a requirement. A rejection is reported with the origin that
/// the host put into the request's extensions, if it did.
pub(crate) fn decide<P: PathParameters + ?Sized>(
    settings: &Settings,
    extensions: &Extensions,
    principal: &Principal,
    requirement: &Requirement,
    parameters: &P,
) -> Result<(), Rejection> {
    match principal.check(requirement, parameters) {
        Decision::Allow => Ok(()),
        Decision::Deny => {
            // Tables and guarded routers are checked at start-up, and this is the rest.
            let catalog = settings.hallpass.catalog();
            if let Some(unknown) = catalog.and_then(|catalog| catalog.unknown_in(requirement)) {
                tracing::error!(
                    target: "hallpass",
                    route = ?settings.framework.matched(extensions),
                    unknown,
                    "a route needs a scope that the catalog does not list, so nobody can hold it: add it to the \
                     catalog, or mend the route"
                );
                return Err(settings.refusal(RejectionKind::Misconfigured));
            }
            let scope = requirement.challenge(parameters);
            let unknown = Origin::default();
            settings.hallpass.report_rejection(
                RejectReason::InsufficientScope,
                Some(principal.owner()),
                Some(principal.token_id()),
                extensions.get().unwrap_or(&unknown),
            );
            Err(settings.refusal(RejectionKind::InsufficientScope { scope }))
        }
        Decision::MissingParameter(name) => {
            tracing::error!(
                target: "hallpass",
                route = ?settings.framework.matched(extensions),
                parameter = name,
                needs = %requirement,
                "a route requires a scope with a path parameter that it does not have: name the parameter \
                 as the route's pattern does"
            );
            Err(settings.refusal(RejectionKind::Misconfigured))
        }
    }
}

fn no_layer() -> Rejection {
    tracing::error!(
        target: "hallpass",
        "a route requires a token, but no Hallpass layer is around it: add `.layer(hallpass.layer())` to the \
         router, after its routes"
    );
    Rejection::misconfigured()
}
