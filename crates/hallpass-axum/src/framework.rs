//! Gives the layer access to the data that axum keeps in a request's extensions.
//!
//! A fallback and a nested service have no matched route, so a policy table finds their rules by
//! the path. Everywhere else, the table uses exactly the route that axum has matched.

use std::sync::Arc;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{MatchedPath, NestedPath, OriginalUri};
use hallpass_tower::{NewWatch, NotText, RouteMatcher, RoutePattern, RoutedParameters, Watch};
use http::{Extensions, Request, Uri};

use crate::parameters::{Parameters, raw};

/// The integration of axum, which reads its extensions as axum's own extractors do.
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
    fn matched<'e>(&self, extensions: &'e Extensions) -> Option<&'e str> {
        extensions.get::<MatchedPath>().map(MatchedPath::as_str)
    }

    fn watch(&self, extensions: &Extensions, watch: NewWatch<'_>) -> Option<Arc<Watch>> {
        extensions.get().cloned().map(|path| watch.on(Pattern(path)))
    }

    fn original_path<'e>(&self, extensions: &'e Extensions) -> Option<&'e str> {
        extensions.get::<OriginalUri>().map(|uri| uri.0.path())
    }

    fn parameters(&self, extensions: &mut Extensions) -> Option<RoutedParameters> {
        // The extractor needs the whole head of a request, but reads only its extensions.
        let (mut head, ()) = Request::new(()).into_parts();
        std::mem::swap(&mut head.extensions, extensions);
        let parameters = raw(&mut head);
        std::mem::swap(&mut head.extensions, extensions);
        match parameters? {
            Ok(parameters) => Some(Ok(Box::new(Parameters(Some(parameters))))),
            Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) => Some(Err(NotText)),
            Err(_) => None,
        }
    }

    fn nest<'e>(&self, extensions: &'e Extensions) -> Option<&'e str> {
        extensions.get::<NestedPath>().map(NestedPath::as_str)
    }

    fn rewrite_uris(&self, extensions: &mut Extensions, cut: &dyn Fn(&Uri) -> Option<Uri>) {
        if let Some(OriginalUri(uri)) = extensions.get_mut()
            && let Some(rest) = cut(uri)
        {
            *uri = rest;
        }
    }
}
