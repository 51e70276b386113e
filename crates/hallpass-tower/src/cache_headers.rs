//! Headers that the layer adds to the responses of the inner service.
//!
//! The response to a request with a token must not be served to another caller by a shared cache.
//! So it has `Vary`, which makes the credential a part of the cache's key, and `Cache-Control:
//! private`. A handler may replace `private`, for example by `public`, but the layer always adds
//! `Vary`.
//!
//! If the token was in the URL, the URL itself is secret, and caches use it as their key. So the
//! response must not be stored at all, whatever the handler has set.

use http::header::{CACHE_CONTROL, EXPIRES, Entry, OccupiedEntry, REFERRER_POLICY, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

/// Headers that set how long a cache keeps a response, and take precedence over `Cache-Control`.
const OTHER_CACHE_HEADERS: [HeaderName; 5] = [
    EXPIRES,
    HeaderName::from_static("cdn-cache-control"),
    HeaderName::from_static("cloudflare-cdn-cache-control"),
    HeaderName::from_static("surrogate-control"),
    HeaderName::from_static("x-accel-expires"),
];

/// The properties of a response that matter to caches between the service and its client.
#[derive(Clone, Debug)]
pub(crate) struct CacheRules {
    /// The request headers that the response depends on, or `None` on public routes.
    pub(crate) vary: Option<HeaderValue>,
    /// The response is for one principal.
    pub(crate) is_private: bool,
    /// The URL held a token.
    pub(crate) by_query: bool,
}

impl CacheRules {
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        if let Some(vary) = &self.vary {
            match headers.entry(VARY) {
                Entry::Vacant(entry) => {
                    entry.insert(vary.clone());
                }
                Entry::Occupied(mut entry) => {
                    if !varies_already(&entry, vary) {
                        entry.append(vary.clone());
                    }
                }
            }
        }
        if self.by_query {
            keep_private(headers);
        } else if self.is_private {
            headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private"));
        }
    }
}

/// Returns whether the response's `Vary` names all of these headers already, because an inner layer
/// has set it.
fn varies_already(known: &OccupiedEntry<'_, HeaderValue>, vary: &HeaderValue) -> bool {
    names_in(vary).all(|wanted| {
        let mut names = known.iter().flat_map(names_in);
        names.any(|name| name == b"*" || name.eq_ignore_ascii_case(wanted))
    })
}

fn names_in(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value.as_bytes().split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// Marks the response to a request whose URL contained a token, so that no cache stores it and its
/// links do not disclose the URL as the referrer.
fn keep_private(headers: &mut HeaderMap) {
    let is_strict = headers
        .get_all(CACHE_CONTROL)
        .iter()
        .flat_map(names_in)
        .any(|part| part.eq_ignore_ascii_case(b"no-store"));
    if !is_strict {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    }
    for name in OTHER_CACHE_HEADERS {
        headers.remove(name);
    }
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}
