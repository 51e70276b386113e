//! The files of the page: their text, their compressed form, and serving them.

use std::io::Write as _;

use axum::body::{Body, Bytes};
use axum::extract::RawPathParams;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::headers;

/// A file that is ready to be sent.
pub(crate) struct Asset {
    pub(crate) name: String,
    content_type: &'static str,
    /// A hash of the content. It is part of the file's path, so a browser may keep the file
    /// forever.
    version: String,
    plain: Bytes,
    gzip: Bytes,
}

impl Asset {
    /// Compresses the text and computes its version.
    pub(crate) fn new(name: impl Into<String>, text: String) -> Self {
        let name = name.into();
        let content_type = match name.rsplit_once('.') {
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            _ => "image/svg+xml",
        };
        // FNV-1a only distinguishes versions. A collision does not help an attacker.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let gzip = compress(text.as_bytes());
        Self { name, content_type, version: format!("{hash:016x}"), plain: text.into(), gzip }
    }

    fn answer(&self, version: Option<&str>, headers: &HeaderMap) -> Response {
        let current = version == Some(&*self.version);
        // During a rollout, a page of one version may request a file from a server of the other
        // version. The response is that server's own file, and the browser does not cache it.
        let keep = if current { "public, max-age=31536000, immutable" } else { "no-store" };
        // The tag is weak, because the plain and the compressed form have the same one.
        let tag = format!("W/\"{}\"", self.version);
        let common = [(CACHE_CONTROL, keep), (ETAG, &tag), (VARY, "accept-encoding")];
        if current && any(headers, &IF_NONE_MATCH, |one| one == "*" || is_same_tag(one, &tag)) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let kind = [(CONTENT_TYPE, self.content_type)];
        if any(headers, &ACCEPT_ENCODING, accepts_gzip) {
            let encoding = [(CONTENT_ENCODING, "gzip")];
            (common, kind, encoding, Body::from(self.gzip.clone())).into_response()
        } else {
            (common, kind, Body::from(self.plain.clone())).into_response()
        }
    }
}

/// All files of one dashboard.
pub(crate) struct Assets(pub(crate) Vec<Asset>);

impl Assets {
    /// Returns the path of a file relative to the page's folder of assets.
    ///
    /// # Panics
    ///
    /// Panics if there is no file of that name.
    pub(crate) fn path(&self, name: &str) -> String {
        let asset = self.0.iter().find(|asset| asset.name == name);
        let asset = asset.unwrap_or_else(|| panic!("the page has no file {name:?}"));
        format!("assets/{}/{name}", asset.version)
    }

    /// Responds to a request for a file, with 304 if the browser already has it.
    pub(crate) fn serve(&self, parameters: &RawPathParams, headers: &HeaderMap) -> Response {
        // The host may mount the page below parameters of the same names. The page's own parameters
        // come last.
        let own =
            |name| parameters.iter().filter(|(key, _)| *key == name).last().map(|(_, value)| value);
        let file = own("file").and_then(|name| self.0.iter().find(|asset| asset.name == name));
        headers::finish(match file {
            Some(asset) => asset.answer(own("version"), headers),
            None => StatusCode::NOT_FOUND.into_response(),
        })
    }
}

fn compress(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.expect("writing into memory cannot fail").into()
}

/// Returns whether any of the comma-separated values of this header passes the test.
fn any(headers: &HeaderMap, name: &HeaderName, test: impl Fn(&str) -> bool) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|value| HeaderValue::to_str(value).ok());
    lines.flat_map(|line| line.split(',')).any(|value| test(value.trim()))
}

/// Compares two tags. Weak and strong tags are equal here (RFC 9110, section 13.1.2).
fn is_same_tag(one: &str, other: &str) -> bool {
    one.trim_start_matches("W/") == other.trim_start_matches("W/")
}

fn accepts_gzip(value: &str) -> bool {
    let (coding, weight) = value.split_once(';').unwrap_or((value, ""));
    let weight = weight.trim().trim_start_matches("q=");
    coding.trim().eq_ignore_ascii_case("gzip") && weight.parse() != Ok(0.0)
}
