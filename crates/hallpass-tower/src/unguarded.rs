//! Detection of unguarded routes: routes inside of the layer that never read the principal.
//!
//! Any valid token may call such a route, regardless of the token's scopes. Each request to a route
//! of a framework therefore carries a [`Watch`]. Requirements, extractors and everything else that
//! reads the principal mark it. A response without the mark would be sent to any caller.
//!
//! Only the mark shows that a route is guarded, because the layer cannot see the handlers inside.
//! The mark is set by whatever reads the principal. So a handler that reads the principal and
//! ignores its scopes is not detected, but a forgotten requirement is.
//!
//! A CORS preflight that passes without a principal is watched, too. Its response must come from a
//! CORS layer, because a handler of any method would respond to everyone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::ACCESS_CONTROL_ALLOW_ORIGIN;
use http::{Method, Request, Response};

use crate::framework::RoutePattern;
use crate::metrics;
use crate::preflight::is_cors_preflight;
use crate::rejection::{RejectionKind, is_rejection};
use crate::settings::Settings;

/// A record of whether the principal of a request was read. It is a single allocation, whatever the
/// type of the route's pattern is.
#[derive(Debug)]
pub struct Watch<R: ?Sized = dyn RoutePattern> {
    asked: AtomicBool,
    method: Method,
    settings: Arc<Settings>,
    /// Set for a preflight without a principal.
    is_preflight: bool,
    route: R,
}

/// A watch that lacks only the route.
#[derive(Debug)]
pub struct NewWatch<'r> {
    method: &'r Method,
    settings: &'r Arc<Settings>,
    is_preflight: bool,
}

impl NewWatch<'_> {
    /// Starts the watch on a route.
    #[must_use]
    pub fn on(self, route: impl RoutePattern) -> Arc<Watch> {
        let Self { method, settings, is_preflight } = self;
        let (method, settings) = (method.clone(), Arc::clone(settings));
        Arc::new(Watch { asked: AtomicBool::new(false), method, settings, is_preflight, route })
    }
}

/// Any route, for a preflight: an inner CORS layer responds to it before it is routed, or on every
/// route.
#[derive(Debug)]
struct AnyRoute;

impl RoutePattern for AnyRoute {
    fn as_str(&self) -> &str {
        "any route"
    }
}

impl Watch {
    /// Starts to watch a request that no policy table has decided on, if a framework has matched a
    /// route, or if it is a preflight without a principal.
    pub(crate) fn start<B>(
        request: &Request<B>,
        settings: &Arc<Settings>,
        has_principal: bool,
    ) -> Option<Arc<Self>> {
        if settings.policy.is_some() {
            return None;
        }
        let is_preflight = !has_principal && is_cors_preflight(request);
        let watch = NewWatch { method: request.method(), settings, is_preflight };
        if is_preflight {
            return (!settings.optional).then(|| watch.on(AnyRoute));
        }
        settings.framework?.watch(request.extensions(), watch)
    }

    /// Records that the principal was read.
    pub(crate) fn note(&self) {
        // The mark is read after the response has arrived. Passing the response on orders the two
        // accesses, so a relaxed store is enough.
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Returns the response to send instead if the route is unguarded and the layer rejects such
    /// routes, or if no CORS layer has responded to a preflight.
    ///
    /// An error does not mean that the route is unguarded: an inner layer, an extractor or the
    /// router may have responded before the principal was read. An inner layer may also have sent a
    /// redirect of the host's sign-in.
    pub(crate) fn inspect<B>(&self, response: &Response<B>) -> Option<Response<Bytes>> {
        let status = response.status();
        if status.is_client_error()
            || status.is_server_error()
            || is_rejection(response.extensions())
        {
            return None;
        }
        let Self { method, settings, .. } = self;
        if self.is_preflight {
            if response.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
                return None;
            }
            let rejection = settings.rejection(RejectionKind::NoCredential);
            return Some(rejection.into_response_to(method));
        }
        if self.asked.load(Ordering::Relaxed) {
            return None;
        }
        let route = self.route.as_str();
        metrics::count_unguarded(route);
        let (caller, public) = if settings.optional {
            ("anyone", ", or `.scoped(public())`")
        } else {
            ("any valid token", "")
        };
        // Clients can invent any number of methods, so a route is logged once for all of them.
        if settings.unguarded.insert(route) {
            tracing::error!(
                target: "hallpass",
                %method,
                route,
                "a route has no requirement, so {caller} may call it: put `.scoped(..)` on its \
                 handler, or `.scoped(authenticated())`{public} if that is intended"
            );
        }
        if !settings.reject_unguarded_routes {
            return None;
        }
        let rejection = settings.rejection(RejectionKind::Misconfigured).with_detail(format!(
            "{method} {route} has no requirement, so {caller} could call it. Put `.scoped(..)` on \
             its handler, or `.scoped(authenticated())`{public} if that is intended. A router that \
             people call without a token, such as that of the settings page, belongs outside of \
             the layer."
        ));
        Some(rejection.into_response_to(method))
    }
}
