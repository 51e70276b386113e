//! The interface between the layer and the router of a web framework.

use std::fmt;
use std::sync::Arc;

use http::{Extensions, Uri};

use crate::routed_path::RoutedParameters;
use crate::unguarded::{NewWatch, Watch};

/// Access to the data that a web framework keeps in a request's extensions.
///
/// The integration of a framework implements it, such as `hallpass-axum` for axum. Without one, the
/// layer handles plain requests, as hyper and tonic pass them.
///
/// The layer uses it for four purposes: a policy table finds the rule of the matched route and its
/// parameters, unguarded routes are detected, logs name the route, and credentials are removed from
/// all copies of the URI.
pub trait RouteMatcher: Send + Sync + 'static {
    /// Returns the pattern of the route that the framework has matched for this request, nesting
    /// included.
    fn matched<'e>(&self, extensions: &'e Extensions) -> Option<&'e str>;

    /// Starts a watch on the route that [`matched`](Self::matched) returns. Returns `None` only if
    /// there is no such route, because without a watch an unguarded route is not detected.
    fn watch(&self, extensions: &Extensions, watch: NewWatch<'_>) -> Option<Arc<Watch>>;

    /// Returns the whole path of the request if inner services see a shorter one.
    fn original_path<'e>(&self, extensions: &'e Extensions) -> Option<&'e str>;

    /// Returns the decoded path parameters that the router found, or `None` if no router has
    /// matched the request.
    fn parameters(&self, extensions: &mut Extensions) -> Option<RoutedParameters>;

    /// Returns the pattern of the path at which the router has nested the inner service, such as
    /// `/api/{tenant}`. The path of the request no longer contains that part.
    fn nest<'e>(&self, extensions: &'e Extensions) -> Option<&'e str>;

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
