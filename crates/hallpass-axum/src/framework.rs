//! Access for the layer to what axum keeps in a request's extensions.

use axum::extract::{MatchedPath, OriginalUri};
use hallpass_tower::{Framework, Matched};
use http::{Extensions, Uri};

/// axum's [`MatchedPath`] and [`OriginalUri`].
#[derive(Debug)]
pub(crate) struct Axum;

impl Framework for Axum {
    fn matched<'e>(&self, extensions: &'e Extensions) -> Matched<'e> {
        match extensions.get::<MatchedPath>() {
            Some(path) => Matched::Route(path.as_str()),
            // A router has seen the request and has no route behind this layer: a fallback, or the
            // inside of a nested service, where the path is cut short and must not decide.
            None if extensions.get::<OriginalUri>().is_some() => Matched::Nothing,
            None => Matched::Elsewhere,
        }
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
