//! The files that the page is made of, embedded.

use axum::body::Body;
use axum::extract::RawPathParams;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::headers;

/// A file, and when it is needed.
pub(crate) struct Asset {
    pub(crate) name: &'static str,
    text: &'static str,
    pub(crate) when: When,
}

/// When a file is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// At once: the page names it.
    First,
    /// When a person goes on from the list.
    Later,
}

macro_rules! assets {
    ($($when:ident: $($name:literal)*;)*) => {
        [$($(Asset {
            name: $name,
            text: include_str!(concat!("../web/", $name)),
            when: When::$when,
        },)*)*]
    };
}

pub(crate) static ASSETS: &[Asset] = &assets! {
    First:
        "icon.svg" "theme.css" "base.css" "views.css"
        "api.js" "ask.js" "confirmation.js" "danger.js" "dialog.js" "dom.js" "facts.js" "fields.js" "form.js"
        "icons.js" "list-filters.js" "list-table.js" "list.js" "main.js" "notices.js" "problem-view.js"
        "problems.js" "removal.js" "route.js" "selection.js" "time.js";
    Later:
        "catalog.js" "create.js" "detail-facts.js" "detail.js" "expiry-field.js" "inline-edit.js"
        "one-thing.js" "regenerate.js" "scope-picker.js" "scopes-table.js" "secret.js";
};

impl Asset {
    fn content_type(&self) -> &'static str {
        match self.name.rsplit_once('.') {
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        }
    }
}

/// Of all files together. It is part of their paths: a page and its files are always of one
/// version, and a browser may keep what it has.
pub(crate) fn version() -> &'static str {
    static VERSION: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| {
        // FNV-1a: it tells versions apart, and guards nothing.
        let bytes = ASSETS.iter().flat_map(|asset| asset.name.bytes().chain(asset.text.bytes()));
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{hash:016x}")
    });
    &VERSION
}

/// Answers with a file; 304 if the browser has it.
pub(crate) async fn serve(parameters: RawPathParams, headers: HeaderMap) -> Response {
    // The host may mount the page below parameters of the same names: the last ones are the page's own.
    let own =
        |name| parameters.iter().filter(|(key, _)| *key == name).last().map(|(_, value)| value);
    let name = own("file").unwrap_or_default();
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return headers::finish(StatusCode::NOT_FOUND.into_response());
    };
    let current = own("version") == Some(version());
    // While a new version is rolled out, a page of one may ask a server of the other: it gets what
    // there is, and keeps none of it.
    let keep = if current { "public, max-age=31536000, immutable" } else { "no-store" };
    let tag = format!("\"{}\"", version());
    let has = headers.get_all(IF_NONE_MATCH).iter().any(|sent| is_among(sent, &tag));
    let (status, body) = if has && current {
        (StatusCode::NOT_MODIFIED, Body::empty())
    } else {
        (StatusCode::OK, Body::from(asset.text))
    };
    let said = [(CACHE_CONTROL, keep), (CONTENT_TYPE, asset.content_type()), (ETAG, &*tag)];
    headers::finish((status, said, body).into_response())
}

/// Whether the tag is one of those sent; weak or strong makes no difference here (RFC 9110, section
/// 13.1.2).
fn is_among(sent: &HeaderValue, tag: &str) -> bool {
    let Ok(sent) = sent.to_str() else { return false };
    sent.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}
