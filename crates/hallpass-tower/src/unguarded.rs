//! Detection of unguarded routes: routes inside of the layer that never read the principal.
//!
//! Any valid token may call such a route, regardless of the token's scopes. Each request to a route
//! of a framework therefore carries a [`Watch`]. Requirements, extractors and everything else that
//! reads the principal mark it. A response without the mark would be sent to any caller.
//!
//! Only the mark shows that a route is guarded, because the layer cannot see the handlers inside.
//! The mark is set by whatever reads the principal. So a handler that reads the principal and
//! ignores its scopes is not detected, but a forgotten requirement is.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};

use crate::framework::RoutePattern;
use crate::metrics;
use crate::preflight::is_cors_preflight;
use crate::rejection::RejectionKind;
use crate::settings::Settings;

/// A record of whether the principal of a request was read. It is a single allocation, whatever the
/// type of the route's pattern is.
#[derive(Debug)]
pub struct Watch<R: ?Sized = dyn RoutePattern> {
    asked: AtomicBool,
    method: Method,
    settings: Arc<Settings>,
    route: R,
}

/// A watch that lacks only the route.
#[derive(Debug)]
pub struct NewWatch<'r> {
    method: &'r Method,
    settings: &'r Arc<Settings>,
}

impl NewWatch<'_> {
    /// Starts the watch on a route.
    #[must_use]
    pub fn on(self, route: impl RoutePattern) -> Arc<Watch> {
        let (method, settings) = (self.method.clone(), Arc::clone(self.settings));
        Arc::new(Watch { asked: AtomicBool::new(false), method, settings, route })
    }
}

impl Watch {
    /// Starts to watch a request if a framework has matched a route and no policy table has decided
    /// on it. CORS preflights are not watched, because an inner CORS layer responds to them on
    /// every route.
    pub(crate) fn start<B>(request: &Request<B>, settings: &Arc<Settings>) -> Option<Arc<Self>> {
        if settings.policy.is_some() || is_cors_preflight(request) {
            return None;
        }
        let watch = NewWatch { method: request.method(), settings };
        settings.matcher.watch(request.extensions(), watch)
    }

    /// Records that the principal was read.
    pub(crate) fn note(&self) {
        // The mark is read after the response has arrived. Passing the response on orders the two
        // accesses, so a relaxed store is enough.
        self.asked.store(true, Ordering::Relaxed);
    }

    /// Returns the response to send instead if the route is unguarded and the layer rejects such
    /// routes.
    ///
    /// An error does not mean that the route is unguarded: an inner layer, an extractor or the
    /// router may have responded before the principal was read. Such a response discloses nothing.
    pub(crate) fn inspect(&self, status: StatusCode) -> Option<Response<Bytes>> {
        let is_error = status.is_client_error() || status.is_server_error();
        if is_error || self.asked.load(Ordering::Relaxed) {
            return None;
        }
        let Self { method, settings, .. } = self;
        let route = self.route.as_str();
        metrics::unguarded(route);
        if settings.unguarded.is_news(&(method.clone(), route.into())) {
            tracing::error!(
                target: "hallpass",
                %method,
                route,
                "a route has no requirement, so any valid token may call it: put `.scoped(..)` on \
                 its handler, or `.scoped(authenticated())` if that is intended"
            );
        }
        if !settings.reject_unguarded_routes {
            return None;
        }
        let rejection = settings.rejection(RejectionKind::Misconfigured).with_detail(format!(
            "{method} {route} has no requirement, so any valid token could call it. Put \
             `.scoped(..)` on its handler, or `.scoped(authenticated())` if that is intended."
        ));
        let mut request = Request::new(());
        *request.method_mut() = method.clone();
        Some(rejection.answer(&request))
    }
}
