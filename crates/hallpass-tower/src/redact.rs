//! What a request carries downstream once its credential has been read: nothing of it.

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Uri};

use crate::locate::{Cut, cut};
use crate::settings::Settings;

/// Takes the `Authorization` header of somebody out who was let in by it further out.
pub(crate) fn strip(headers: &mut HeaderMap, settings: &Settings) {
    if settings.keep_authorization {
        hide(headers);
    } else {
        headers.remove(AUTHORIZATION);
    }
}

/// Takes the credential out of every URI that holds it. Answers whether the request's own did.
pub(crate) fn cut_parameters<B>(request: &mut Request<B>, settings: &Settings) -> bool {
    cut_uris(request, settings, Cut::Parameters)
}

/// Hides what a request brought of which no credential was looked at: it may be for the
/// application. Tokens in its URI are for nobody. Answers whether there were any.
pub(crate) fn conceal<B>(request: &mut Request<B>, settings: &Settings) -> bool {
    hide(request.headers_mut());
    cut_uris(request, settings, Cut::Tokens)
}

/// Marks what stays in the header as sensitive, so that `Debug` shows none of it.
fn hide(headers: &mut HeaderMap) {
    if let http::header::Entry::Occupied(mut entry) = headers.entry(AUTHORIZATION) {
        for value in entry.iter_mut() {
            value.set_sensitive(true);
        }
    }
}

fn cut_uris<B>(request: &mut Request<B>, settings: &Settings, what: Cut) -> bool {
    let names = settings.query_sources();
    if names.is_empty() || request.uri().query().is_none() {
        return false;
    }
    let cut = |uri: &Uri| cut(uri, names, what, |text| settings.looks_like_a_token(text));
    let rest = cut(request.uri());
    let is_cut = rest.is_some();
    if let Some(rest) = rest {
        *request.uri_mut() = rest;
    }
    settings.framework.rewrite_uris(request.extensions_mut(), &cut);
    is_cut
}
