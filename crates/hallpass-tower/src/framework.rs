//! The interface between the layer and the router of a web framework.

use std::fmt;
use std::sync::Arc;

use http::{Extensions, Uri};

use crate::unguarded::{NewWatch, Watch};

/// Access to the data that a web framework keeps in a request's extensions.
///
/// The integration of a framework implements it, such as `hallpass-axum` for axum. Without one, the
/// layer handles plain requests, as hyper and tonic pass them.
///
/// The layer uses it for four purposes: a policy table finds the rule of the matched route,
/// unguarded routes are detected, logs name the route, and credentials are removed from all copies
/// of the URI.
pub trait RouteMatcher: Send + Sync + 'static {
    /// Returns the route that the framework has matched for this request.
    fn matched<'e>(&self, extensions: &'e Extensions) -> RouteMatch<'e>;

    /// Starts a watch on the route that [`matched`](Self::matched) returns. Returns `None` only if
    /// there is no such route, because without a watch an unguarded route is not detected.
    fn watch(&self, extensions: &Extensions, watch: NewWatch<'_>) -> Option<Arc<Watch>>;

    /// Returns the whole path of the request if inner services see a shorter one.
    fn original_path<'e>(&self, extensions: &'e Extensions) -> Option<&'e str>;

    /// Passes every URI that the framework keeps in the extensions to `cut`, so that no credential
    /// is left in any of them.
    fn rewrite_uris(&self, extensions: &mut Extensions, cut: &dyn Fn(&Uri) -> Option<Uri>);
}

/// The pattern of a matched route, in the framework's own type. A request can keep it without
/// copying its text.
pub trait RoutePattern: fmt::Debug + Send + Sync + 'static {
    /// Returns the text of the pattern.
    fn as_str(&self) -> &str;
}

/// The route that a framework has matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteMatch<'e> {
    /// The framework has not routed this request, so its path decides.
    Elsewhere,
    /// The framework has routed this request, but not to a route inside of this layer. The request
    /// is rejected.
    Nothing,
    /// The request matches this pattern, nesting included.
    Route(&'e str),
}

impl RouteMatch<'_> {
    /// Returns the pattern, if a route has matched.
    pub(crate) fn pattern(&self) -> Option<&str> {
        match self {
            Self::Route(pattern) => Some(pattern),
            Self::Elsewhere | Self::Nothing => None,
        }
    }
}

/// No framework: plain tower, hyper, tonic.
#[derive(Debug)]
pub(crate) struct Plain;

impl RouteMatcher for Plain {
    fn matched<'e>(&self, _: &'e Extensions) -> RouteMatch<'e> {
        RouteMatch::Elsewhere
    }

    fn watch(&self, _: &Extensions, _: NewWatch<'_>) -> Option<Arc<Watch>> {
        None
    }

    fn original_path<'e>(&self, _: &'e Extensions) -> Option<&'e str> {
        None
    }

    fn rewrite_uris(&self, _: &mut Extensions, _: &dyn Fn(&Uri) -> Option<Uri>) {}
}
