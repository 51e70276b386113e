//! Removal of credentials from a request, so that no service inside of the layer sees them.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri};

use crate::credentials::{Cut, cut, cut_text};
use crate::settings::Settings;

/// Removes the credential of somebody who is let in. Returns whether the request's own URI held it.
pub(crate) fn remove<B>(request: &mut Request<B>, settings: &Settings) -> bool {
    let headers = request.headers_mut();
    if settings.keep_authorization {
        hide(headers, &AUTHORIZATION);
    } else if settings.sources.reads_authorization() {
        headers.remove(AUTHORIZATION);
    }
    for (_, name) in settings.sources.headers() {
        headers.remove(name);
    }
    clean_url_headers(headers, settings, settings.sources.query_names());
    cut_uris(request, settings, Cut::Parameters)
}

/// Cuts the parameters that may hold a credential, whatever they hold. Returns whether there were
/// any.
pub(crate) fn cut_parameters<B>(request: &mut Request<B>, settings: &Settings) -> bool {
    cut_uris(request, settings, Cut::Parameters)
}

/// Hides what a request brought of which no credential was accepted: it may be for the application.
/// Tokens in its URI and in headers of their own are for nobody. Returns whether its URI held any.
pub(crate) fn conceal<B>(request: &mut Request<B>, settings: &Settings) -> bool {
    let headers = request.headers_mut();
    hide(headers, &AUTHORIZATION);
    for (_, name) in settings.sources.headers() {
        let holds_token =
            |value: &HeaderValue| settings.hallpass.is_well_formed(value.as_bytes().trim_ascii());
        if headers.get_all(name).iter().any(holds_token) {
            headers.remove(name);
        } else {
            hide(headers, name);
        }
    }
    clean_url_headers(headers, settings, &[]);
    cut_uris(request, settings, Cut::Tokens)
}

/// Marks what stays in the header as sensitive, so that `Debug` shows none of it.
fn hide(headers: &mut HeaderMap, name: &HeaderName) {
    if let http::header::Entry::Occupied(mut entry) = headers.entry(name) {
        for value in entry.iter_mut() {
            value.set_sensitive(true);
        }
    }
}

/// Cuts tokens out of headers that tell of a URL: the page that a browser came from, and the URL as
/// a proxy saw it.
fn clean_url_headers(headers: &mut HeaderMap, settings: &Settings, names: &[String]) {
    // One pass is cheaper than a search for each of the names.
    for (name, value) in headers.iter_mut() {
        let tells_url = matches!(
            name.as_str(),
            "referer" | "x-original-url" | "x-original-uri" | "x-forwarded-uri" | "x-rewrite-url"
        );
        if tells_url
            && let Some(rest) =
                cut_text(value.as_bytes(), names, |text| settings.hallpass.is_well_formed(text))
        {
            // A part of a valid value is valid; if it were not, nothing of it is safe.
            *value = HeaderValue::from_bytes(&rest).unwrap_or(HeaderValue::from_static(""));
        }
    }
}

/// Cuts the URI and every URI that the router keeps. The router's may have a query that a rewrite
/// has cut out of the request's own.
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
    settings.matcher.rewrite_uris(request.extensions_mut(), &cut);
    is_cut
}
