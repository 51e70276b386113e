//! What a request carries downstream once its credential has been read: nothing of it.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request};

use crate::locate::cut;
use crate::settings::Settings;

/// Takes the credential out: the `Authorization` header, and every URI that holds it.
pub(crate) fn strip<B>(request: &mut Request<B>, settings: &Settings) {
    if settings.keep_authorization {
        hide(request.headers_mut());
    } else {
        request.headers_mut().remove(AUTHORIZATION);
    }
    strip_uris(request, settings);
}

/// Marks what stays in the header as sensitive, so that `Debug` shows none of it.
pub(crate) fn hide(headers: &mut HeaderMap) {
    if let http::header::Entry::Occupied(mut entry) = headers.entry(AUTHORIZATION) {
        for value in entry.iter_mut() {
            value.set_sensitive(true);
        }
    }
}

fn strip_uris<B>(request: &mut Request<B>, settings: &Settings) {
    let names = settings.query_sources();
    if names.is_empty() || request.uri().query().is_none() {
        return;
    }
    let cut = |uri: &http::Uri| cut(uri, names, |text| settings.looks_like_a_token(text));
    let Some(uri) = cut(request.uri()) else { return };
    *request.uri_mut() = uri;
    settings.framework.rewrite_uris(request.extensions_mut(), &cut);
}
