//! Gives the layer access to the data that axum keeps in a request's extensions.
//!
//! A fallback and a nested service have no matched route, so a policy table finds their rules by
//! the path. Everywhere else, the table uses exactly the route that axum has matched.

use std::sync::Arc;

use axum::extract::{MatchedPath, OriginalUri};
use hallpass_tower::{NewWatch, RouteMatch, RouteMatcher, RoutePattern, Watch};
use http::{Extensions, Uri};

/// The integration of axum, which reads [`MatchedPath`] and [`OriginalUri`].
#[derive(Debug)]
pub(crate) struct Axum;

/// The pattern of a route, as axum has inserted it into the request's extensions.
#[derive(Debug)]
struct Pattern(MatchedPath);

impl RoutePattern for Pattern {
    fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl RouteMatcher for Axum {
    fn matched<'e>(&self, extensions: &'e Extensions) -> RouteMatch<'e> {
        match extensions.get::<MatchedPath>() {
            Some(path) => RouteMatch::Route(path.as_str()),
            // A router has handled the request, but not with a route inside of this layer. This is
            // a fallback or a nested service, where the path is shortened and must not be used for
            // the decision.
            None if extensions.get::<OriginalUri>().is_some() => RouteMatch::Nothing,
            None => RouteMatch::Elsewhere,
        }
    }

    fn watch(&self, extensions: &Extensions, watch: NewWatch<'_>) -> Option<Arc<Watch>> {
        extensions.get().cloned().map(|path| watch.on(Pattern(path)))
    }

    fn original_path<'e>(&self, extensions: &'e Extensions) -> Option<&'e str> {
        extensions.get::<OriginalUri>().map(|uri| uri.0.path())
    }

    fn rewrite_uris(&self, extensions: &mut Extensions, cut: &dyn Fn(&Uri) -> Option<Uri>) {
        if let Some(OriginalUri(uri)) = extensions.get_mut()
            && let Some(rest) = cut(uri)
        {
            *uri = rest;
        }
    }
}
