use http::{Extensions, Uri};

/// Access to the data that a web framework keeps in a request's extensions.
///
/// A framework's own crate implements it (`hallpass-axum` for axum); without one, the layer sees
/// plain requests, as hyper and tonic pass them.
pub trait RouteMatcher: Send + Sync + 'static {
    /// Returns the route that the framework chose for this request.
    fn matched<'e>(&self, extensions: &'e Extensions) -> RouteMatch<'e>;

    /// Returns the whole path of the request if the framework shows a shorter one to inner
    /// services.
    fn original_path<'e>(&self, extensions: &'e Extensions) -> Option<&'e str>;

    /// Passes every URI that the framework keeps in the extensions to `cut`, so that no credential
    /// is left in any of them.
    fn rewrite_uris(&self, extensions: &mut Extensions, cut: &dyn Fn(&Uri) -> Option<Uri>);
}

/// The route that a framework chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteMatch<'e> {
    /// The framework has not routed this request, so the path decides.
    Elsewhere,
    /// The framework has routed this request, but not to a route inside of this layer. The request
    /// is rejected.
    Nothing,
    /// The request matches this pattern, nesting included.
    Route(&'e str),
}

/// No framework: plain tower, hyper, tonic.
#[derive(Debug)]
pub(crate) struct Plain;

impl RouteMatcher for Plain {
    fn matched<'e>(&self, _: &'e Extensions) -> RouteMatch<'e> {
        RouteMatch::Elsewhere
    }

    fn original_path<'e>(&self, _: &'e Extensions) -> Option<&'e str> {
        None
    }

    fn rewrite_uris(&self, _: &mut Extensions, _: &dyn Fn(&Uri) -> Option<Uri>) {}
}
