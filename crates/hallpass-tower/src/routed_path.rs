//! The path that a policy table uses to find a rule: the path that the inner service sees.
//!
//! **Invariant.** The path that is compared with the table is the path that the inner service
//! serves. If they differed, a request could match the rule of one route and be served by another
//! one. So a path that the inner service may interpret differently is rejected: see
//! [`is_ambiguous`] and [`decoded`].
//!
//! A nested service sees only the rest of the path, so the pattern of the nest is put in front
//! again. The value of a parameter in that pattern is percent-encoded. Otherwise a value with a
//! slash could look like several segments.

use std::borrow::Cow;

use hallpass_core::PathParameters;
use http::{Extensions, Request};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::settings::Settings;

/// The characters that cannot be in a segment of a path, and `%`.
const NOT_IN_SEGMENTS: AsciiSet = CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'/')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The path parameters that a router found, or [`NotText`] if one of them is not UTF-8.
pub type RoutedParameters = Result<Box<dyn PathParameters>, NotText>;

/// The error for a path parameter that is not UTF-8 after decoding, so that no handler could read
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotText;

/// Returns the whole path of a request: the pattern of the nest, filled in, and the path that the
/// inner service sees. The path before a rewrite or a router further out does not count.
///
/// Returns `None` if the path at which the service is nested cannot be determined.
pub(crate) fn whole_path<'r, B>(
    request: &'r mut Request<B>,
    settings: &Settings,
) -> Option<Cow<'r, str>> {
    let nest = |extensions: &Extensions| {
        let nest = settings.framework?.nest(extensions)?;
        (nest != "/").then(|| nest.trim_end_matches('/').to_owned())
    };
    let Some(nest) = nest(request.extensions()) else {
        return Some(Cow::Borrowed(request.uri().path()));
    };
    let parameters = if nest.contains('{') {
        Some(settings.framework?.parameters(request.extensions_mut())?.ok()?)
    } else {
        None
    };
    let mut whole = String::with_capacity(nest.len() + request.uri().path().len());
    for segment in nest.split('/').skip(1) {
        whole.push('/');
        match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => {
                let value = parameters.as_deref()?.get(name)?;
                whole.extend(utf8_percent_encode(value, &NOT_IN_SEGMENTS));
            }
            None if segment.contains(['{', '}']) => return None,
            None => whole.push_str(segment),
        }
    }
    let inner = request.uri().path();
    // For the path of the nest itself, with or without a slash at its end, the service sees `/`.
    let original = settings.framework?.original_path(request.extensions());
    if inner != "/" || original.is_some_and(|original| original.ends_with('/')) {
        // axum removes one of two slashes after a nest, but has matched the route with both.
        if original.is_some_and(|original| original.contains("//")) && !inner.contains("//") {
            whole.push('/');
        }
        whole.push_str(inner);
    }
    Some(Cow::Owned(whole))
}

/// Returns whether a matched pattern is that of the nest around the layer. In that case, the router
/// has matched no route inside of the nest.
pub(crate) fn is_nest(pattern: &str, extensions: &Extensions, settings: &Settings) -> bool {
    let nest = settings.framework.and_then(|framework| framework.nest(extensions));
    nest.is_some_and(|nest| nest.trim_end_matches('/') == pattern.trim_end_matches('/'))
}

/// Returns whether a service may interpret this decoded path differently from the pattern that it
/// matches, for example after normalising it. This is the case if the path has an empty segment, a
/// dot segment, or a trailing slash that the pattern does not have.
pub(crate) fn is_ambiguous(path: &str, pattern: &str) -> bool {
    path.contains("//")
        || (path.len() > 1 && path.ends_with('/') && !pattern.ends_with('/'))
        || path.split('/').any(|segment| segment == "." || segment == "..")
}

/// Returns a path as a service sees it that decodes it before it splits it. A backslash also
/// separates segments, as it does on Windows.
pub(crate) fn decoded(path: &str) -> Cow<'_, str> {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    if decoded.contains('\\') { Cow::Owned(decoded.replace('\\', "/")) } else { decoded }
}

/// Returns the path as a normaliser would make it: without empty segments, and without a slash at
/// its end.
pub(crate) fn normalized(path: &str) -> String {
    path.split('/')
        .filter(|segment| !segment.is_empty())
        .fold(String::new(), |path, segment| path + "/" + segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_normalisers_change_are_ambiguous() {
        for (path, pattern, owed) in [
            ("/admin", "/admin", false),
            ("/admin/", "/admin/", false),
            ("/", "/", false),
            ("/", "/{*rest}", false),
            ("/admin/", "/{*rest}", true),
            ("//admin", "/{*rest}", true),
            ("/a//b", "/a/{*rest}", true),
            ("/a//", "/a/", true),
            ("/a/../b", "/a/{*rest}", true),
            ("/a/%2E./b", "/{*rest}", true),
            ("/a/..%2Fb", "/a/{*rest}", true),
            ("/a%5c..%5cb", "/{*rest}", true),
            ("/%2F", "/{*rest}", true),
            ("/a/%2Fb", "/a/{*rest}", true),
            ("/a%2F", "/{*rest}", true),
            ("/a/.", "/a/{id}", true),
            ("/a/.b/..c/d...", "/{*rest}", false),
            ("/a/%252e%252e", "/a/{id}", false),
        ] {
            assert_eq!(is_ambiguous(&decoded(path), pattern), owed, "{path} {pattern}");
        }
        assert_eq!(normalized("//a//b/"), "/a/b");
    }
}
