//! The result of authentication, which the layer passes to inner services in the extensions.

use std::sync::Arc;

use hallpass_core::__private::Throttle;
use hallpass_core::{Decision, Hallpass, PathParameters, Principal, RejectReason, Requirement};
use http::{Extensions, Request, request};

use crate::admit::origin;
use crate::credentials::{CredentialSource, SourceIndex};
use crate::rejection::{Rejection, RejectionKind};
use crate::settings::{RejectionSettings, Settings};
use crate::unguarded::Watch;

/// The result of authentication. The layer inserts it into the request's extensions, where inner
/// services read it.
#[derive(Clone, Debug)]
pub(crate) struct AuthContext {
    known: Option<(Principal, Via)>,
    /// The route is public, so the request was not searched for a credential.
    is_public: bool,
    settings: Arc<Settings>,
    /// The watch to notify when the principal is read.
    watch: Option<Arc<Watch>>,
}

/// The way in which a principal was authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Via {
    /// By a token, in this source of the layer.
    Token(SourceIndex),
    /// By the host's own sign-in.
    Host,
    /// By a test, which has set the owner.
    #[cfg(feature = "testing")]
    Acting,
}

impl AuthContext {
    pub(crate) fn known(principal: Principal, via: Via, settings: &Arc<Settings>) -> Self {
        let settings = Arc::clone(settings);
        Self { known: Some((principal, via)), is_public: false, settings, watch: None }
    }

    /// Creates the context of a request without a credential that the layer passes on.
    pub(crate) fn anonymous(settings: &Arc<Settings>) -> Self {
        Self { known: None, is_public: false, settings: Arc::clone(settings), watch: None }
    }

    /// Creates the context of a request to a route that the policy table declares public.
    pub(crate) fn public(settings: &Arc<Settings>) -> Self {
        Self { known: None, is_public: true, settings: Arc::clone(settings), watch: None }
    }

    /// Inserts the context into the request's extensions and returns the watch that stays active.
    /// If an outer layer has inserted one, the inner layer takes over and the outer one stops
    /// watching.
    pub(crate) fn insert<B>(mut self, request: &mut Request<B>) -> Option<Arc<Watch>> {
        if !self.is_public {
            self.watch = Watch::start(request, &self.settings, self.known.is_some());
        }
        let watch = self.watch.clone();
        if let Some(outer) = request.extensions_mut().insert(self) {
            outer.note();
        }
        watch
    }

    /// Records that the principal was read.
    fn note(&self) {
        if let Some(watch) = &self.watch {
            watch.note();
        }
    }

    pub(crate) fn is_public(&self) -> bool {
        self.is_public
    }

    /// Returns the principal, or the rejection to respond with if there is none.
    fn principal(&self, extensions: &Extensions) -> Result<&Principal, Rejection> {
        self.note();
        match &self.known {
            Some((principal, _)) => Ok(principal),
            None if self.is_public => {
                let mistake = "a route requires a token, but the policy table declares it public, \
                     so no token was checked: set its requirement in the table";
                Err(self.settings.misconfigured(mistake, extensions))
            }
            None => Err(self.settings.rejection(RejectionKind::NoCredential)),
        }
    }

    /// Returns the principal of a request. This does not count as reading it.
    #[cfg(feature = "trace")]
    pub(crate) fn peek(extensions: &Extensions) -> Option<&Principal> {
        let (principal, _) = extensions.get::<Self>()?.known.as_ref()?;
        Some(principal)
    }

    /// Returns the principal that an outer layer of the same handle has authenticated.
    pub(crate) fn of<'e>(extensions: &'e Extensions, hallpass: &Hallpass) -> Option<Outer<'e>> {
        let Self { known, settings, .. } = extensions.get()?;
        let (principal, via) = known.as_ref().filter(|_| settings.hallpass.is_same(hallpass))?;
        Some(Outer { principal, via: *via, settings })
    }
}

/// Logs the likely mistake if a request without a credential was authenticated by a layer of
/// another handle. That layer has removed the token, so it cannot be checked again. The line is
/// written at most once a second, because clients can repeat such a request.
pub(crate) fn log_other_handle(extensions: &Extensions, hallpass: &Hallpass) {
    static THROTTLE: Throttle = Throttle::new();
    let outer = extensions.get::<AuthContext>();
    let is_other = outer.is_some_and(|AuthContext { known, settings, .. }| {
        known.is_some() && !settings.hallpass.is_same(hallpass)
    });
    if is_other && let Some(count) = THROTTLE.count(1) {
        tracing::warn!(
            target: "hallpass",
            count,
            "a layer of another `Hallpass` around this one has authenticated the request and removed \
             its token, so this layer responds with 401: build both layers from clones of one \
             `Hallpass`, or give them different sources"
        );
    }
}

/// Returns the principal that a layer of this handle has authenticated by a token. This counts as
/// reading it, whoever the principal is.
#[doc(hidden)]
#[must_use]
pub fn token_principal<'e>(
    extensions: &'e Extensions,
    hallpass: &Hallpass,
) -> Option<&'e Principal> {
    extensions.get::<AuthContext>()?.note();
    let outer = AuthContext::of(extensions, hallpass)?;
    Some(outer.principal).filter(|principal| !principal.is_external())
}

/// A principal that an outer layer of the same handle has authenticated.
pub(crate) struct Outer<'e> {
    pub(crate) principal: &'e Principal,
    via: Via,
    settings: &'e Settings,
}

impl Outer<'_> {
    /// Returns how the principal was authenticated, if a layer with these settings accepts that
    /// method.
    pub(crate) fn accepted_by(&self, inner: &Settings) -> Option<Via> {
        match self.via {
            Via::Token(index) => {
                inner.sources.position(self.settings.sources.get(index)).map(Via::Token)
            }
            Via::Host => {
                let both = self.settings.fallback.as_ref().zip(inner.fallback.as_ref());
                both.is_some_and(|(outer, inner)| outer.is_same(inner)).then_some(Via::Host)
            }
            #[cfg(feature = "testing")]
            Via::Acting => Some(Via::Acting),
        }
    }

    /// Returns whether the outer layer has read every source of the inner one.
    pub(crate) fn has_read_all_of(&self, inner: &Settings) -> bool {
        let outer = &self.settings.sources;
        inner.sources.list().iter().all(|source| outer.position(source).is_some())
    }

    /// Returns whether the token was in the query.
    pub(crate) fn is_by_query(&self) -> bool {
        matches!(self.via, Via::Token(index) if self.settings.sources.get(index).is_query())
    }
}

/// Access to the principal of a request, from the request, its parts or its extensions.
///
/// ```
/// use hallpass_tower::PrincipalExt;
///
/// fn greet<B>(request: &http::Request<B>) -> String {
///     match request.principal() {
///         Some(principal) => format!("hello {}", principal.owner()),
///         None => "hello, please sign in".to_owned(),
///     }
/// }
/// # assert_eq!(greet(&http::Request::new(())), "hello, please sign in");
/// ```
pub trait PrincipalExt {
    /// Returns the principal, if the layer has authenticated one.
    fn principal(&self) -> Option<&Principal>;

    /// Returns the source that the principal's token came from. Returns `None` if there is no
    /// principal, or if the host's sign-in authenticated it.
    fn credential_source(&self) -> Option<&CredentialSource>;
}

impl PrincipalExt for Extensions {
    fn principal(&self) -> Option<&Principal> {
        let context = self.get::<AuthContext>()?;
        context.note();
        context.known.as_ref().map(|(principal, _)| principal)
    }

    fn credential_source(&self) -> Option<&CredentialSource> {
        let context = self.get::<AuthContext>()?;
        context.note();
        let AuthContext { known, settings, .. } = context;
        match known {
            Some((_, Via::Token(index))) => Some(settings.sources.get(*index)),
            _ => None,
        }
    }
}

impl<B> PrincipalExt for Request<B> {
    fn principal(&self) -> Option<&Principal> {
        self.extensions().principal()
    }

    fn credential_source(&self) -> Option<&CredentialSource> {
        self.extensions().credential_source()
    }
}

impl PrincipalExt for request::Parts {
    fn principal(&self) -> Option<&Principal> {
        self.extensions.principal()
    }

    fn credential_source(&self) -> Option<&CredentialSource> {
        self.extensions.credential_source()
    }
}

/// Enforces a requirement on a request that has passed the layer. [`require`](crate::require) and
/// framework integrations call this.
///
/// # Errors
///
/// Returns the rejection to respond with if the request does not meet the requirement. If no layer
/// is around the service, this is a 500, and the log describes the mistake.
pub fn enforce<P: PathParameters + ?Sized>(
    extensions: &Extensions,
    requirement: &Requirement,
    parameters: &P,
) -> Result<(), Rejection> {
    let context = extensions.get::<AuthContext>();
    if requirement.is_public() {
        context.inspect(|context| context.note());
        return Ok(());
    }
    let context = context.ok_or_else(no_layer)?;
    let principal = context.principal(extensions)?;
    decide(&context.settings, extensions, principal, requirement, parameters)
}

/// Returns the principal of a request that has passed the layer.
///
/// # Errors
///
/// Returns the rejection to respond with: 401 if there is no principal, and 500 if no layer is
/// around the service or the policy table declares the route public.
pub fn require_principal(extensions: &Extensions) -> Result<&Principal, Rejection> {
    extensions.get::<AuthContext>().ok_or_else(no_layer)?.principal(extensions)
}

/// Returns the principal of a request that has passed the layer, or `None` if the layer passes
/// requests without one.
///
/// # Errors
///
/// Returns a 500 if no layer is around the service: that is a mistake in the program, not an
/// unauthenticated request.
pub fn optional_principal(extensions: &Extensions) -> Result<Option<&Principal>, Rejection> {
    match extensions.get::<AuthContext>() {
        Some(_) => Ok(extensions.principal()),
        None => Err(no_layer()),
    }
}

/// Returns a rejection with the settings of the layer around the service, for framework
/// integrations that reject requests themselves.
#[must_use]
pub fn rejection_for(extensions: &Extensions, kind: RejectionKind) -> Rejection {
    match extensions.get::<AuthContext>() {
        Some(context) => context.settings.rejection(kind),
        None => no_layer(),
    }
}

/// Decides whether a principal meets a requirement. A rejection is reported with the origin from
/// the request's extensions, if the host has inserted one.
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
            // Tables and guarded routers are checked at start-up. Every other route is checked
            // here.
            let catalog = settings.hallpass.catalog();
            if let Some(unknown) = catalog.and_then(|catalog| catalog.unknown_in(requirement)) {
                let mistake = format!(
                    "a route requires the scope {unknown}, which the catalog does not list: add the \
                     scope to the catalog (and a path parameter to its entry, with \
                     `.per(\"id\")`), or correct the route"
                );
                return Err(settings.misconfigured(&mistake, extensions));
            }
            let scope = requirement.challenge(parameters);
            settings.hallpass.report_rejection(
                RejectReason::InsufficientScope,
                Some(principal.owner()),
                principal.token_id(),
                origin(extensions),
            );
            Err(settings.rejection(RejectionKind::InsufficientScope { scope }))
        }
        Decision::MissingParameter(name) => {
            let mistake = format!(
                "a route requires {requirement}, but has no path parameter {{{name}}}: use a \
                 parameter of the route's pattern"
            );
            Err(settings.misconfigured(&mistake, extensions))
        }
    }
}

fn no_layer() -> Rejection {
    let mistake = "a route requires a token, but no Hallpass layer is around it: add \
         `.layer(hallpass.layer())` to the router, after its routes";
    Rejection::misconfigured(mistake, None, RejectionSettings::default())
}
