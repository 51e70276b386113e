//! Removal of credentials from a request, so that no inner service sees them.
//!
//! An accepted credential is removed from every place that may repeat it: the header, the URI, the
//! URIs that the router keeps in the extensions, and headers that contain a URL. If a request has
//! no accepted credential, only texts in the format of this application's tokens are removed,
//! because any other text may belong to the application.
//!
//! If a place cannot be rewritten, it is emptied. An inner service then gets less data, but never a
//! token.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};

use crate::credentials::{Cut, cut, cut_text};
use crate::settings::Settings;

/// Removes `Authorization` from a request that an outer layer has authenticated. The outer layer
/// may be set to keep the header.
pub(crate) fn remove_authorization(headers: &mut HeaderMap, settings: &Settings) {
    if settings.keep_authorization {
        hide(headers, &AUTHORIZATION);
    } else if settings.sources.reads_authorization() {
        headers.remove(AUTHORIZATION);
    }
}

/// Removes the credential of an accepted request from everywhere except `Authorization`, which has
/// already been removed for reading. Returns whether the request's own URI contained it.
pub(crate) fn remove<B>(request: &mut Request<B>, settings: &Settings) -> bool {
    let headers = request.headers_mut();
    for (_, name) in settings.sources.headers() {
        headers.remove(name);
    }
    clean_url_headers(headers, settings, settings.sources.query_names());
    cut_uris(request, settings, Cut::Parameters)
}

/// Removes the query parameters that may contain a credential, whatever they contain. Also removes
/// them from headers that contain a URL. Returns whether the request's own URI had any.
pub(crate) fn cut_parameters<B>(request: &mut Request<B>, settings: &Settings) -> bool {
    clean_url_headers(request.headers_mut(), settings, settings.sources.query_names());
    cut_uris(request, settings, Cut::Parameters)
}

/// Hides the credentials of a request if none was accepted. Removes tokens from the URI and from
/// every header that is a source. Any other value of these headers stays, because it may be for
/// the application. Returns whether the URI contained a token.
pub(crate) fn conceal<B>(request: &mut Request<B>, settings: &Settings) -> bool {
    let headers = request.headers_mut();
    if settings.sources.reads_authorization() && !settings.keep_authorization {
        remove_tokens(headers, &AUTHORIZATION, settings);
    }
    hide(headers, &AUTHORIZATION);
    for (_, name) in settings.sources.headers() {
        remove_tokens(headers, name, settings);
        hide(headers, name);
    }
    clean_url_headers(headers, settings, &[]);
    cut_uris(request, settings, Cut::Tokens)
}

/// Removes the header if a word of its values is a token.
fn remove_tokens(headers: &mut HeaderMap, name: &HeaderName, settings: &Settings) {
    let holds_token = |value: &HeaderValue| {
        value
            .as_bytes()
            .split(|byte| matches!(byte, b' ' | b'\t' | b','))
            .any(|word| settings.hallpass.is_well_formed(word))
    };
    if headers.get_all(name).iter().any(holds_token) {
        headers.remove(name);
    }
}

/// Marks the values of the header as sensitive, so that `Debug` does not print them.
fn hide(headers: &mut HeaderMap, name: &HeaderName) {
    if let http::header::Entry::Occupied(mut entry) = headers.entry(name) {
        for value in entry.iter_mut() {
            value.set_sensitive(true);
        }
    }
}

/// Removes tokens from headers that contain a URL: the page that a browser came from, and the URL
/// that a proxy received before it rewrote the request.
fn clean_url_headers(headers: &mut HeaderMap, settings: &Settings, names: &[String]) {
    // One pass over the headers is cheaper than a search for each name.
    for (name, value) in headers.iter_mut() {
        // The first letter rules out most headers.
        let name = name.as_str();
        let tells_url = name.starts_with(['h', 'r', 'x'])
            && matches!(
                name,
                "referer"
                    | "hx-current-url"
                    | "x-envoy-original-path"
                    | "x-forwarded-path"
                    | "x-forwarded-uri"
                    | "x-ms-original-url"
                    | "x-original-uri"
                    | "x-original-url"
                    | "x-replaced-path"
                    | "x-rewrite-url"
                    | "x-waws-unencoded-url"
            );
        if tells_url
            && let Some(rest) =
                cut_text(value.as_bytes(), names, |text| settings.hallpass.is_well_formed(text))
        {
            // A part of a valid value is valid. If it were not, dropping the whole value would be
            // safe.
            *value = HeaderValue::from_bytes(&rest).unwrap_or(HeaderValue::from_static(""));
        }
    }
}

/// Removes credentials from the request's URI and from every URI that the router keeps. The
/// router's URI may have a query that a rewrite has removed from the request's own.
fn cut_uris<B>(request: &mut Request<B>, settings: &Settings, what: Cut) -> bool {
    let names = settings.sources.query_names();
    if names.is_empty() {
        return false;
    }
    let cut = |uri: &Uri| {
        uri.query()?;
        cut(uri, names, what, |text| settings.hallpass.is_well_formed(text))
    };
    let rest = cut(request.uri());
    let is_cut = rest.is_some();
    if let Some(rest) = rest {
        *request.uri_mut() = rest;
    }
    if let Some(framework) = settings.framework {
        framework.rewrite_uris(request.extensions_mut(), &cut);
    }
    is_cut
}
