//! Request bodies: JSON, of a bounded size.

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;

use crate::problem::{Kind, Problem};
use crate::strict::Sent;

/// The largest body that is read.
pub(crate) const MAX_LEN: usize = 64 * 1024;

/// Reads a body that must be there.
pub(crate) async fn read<T: for<'de> Deserialize<'de>>(
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Problem> {
    expect_json(headers)?;
    Sent::from_json(&collect(body, MAX_LEN).await?)?.read()
}

/// Reads a body that may be absent; then no content type is asked.
pub(crate) async fn read_optional<T: for<'de> Deserialize<'de>>(
    headers: &HeaderMap,
    body: Body,
) -> Result<Option<T>, Problem> {
    let bytes = collect(body, MAX_LEN).await?;
    if bytes.is_empty() {
        return Ok(None);
    }
    expect_json(headers)?;
    Sent::from_json(&bytes)?.read().map(Some)
}

fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let json = matches!((types.next(), types.next()), (Some(one), None) if is_json(one));
    if json && !headers.contains_key(CONTENT_ENCODING) {
        return Ok(());
    }
    let detail = "send JSON, uncompressed, with `Content-Type: application/json`";
    Err(Problem::new(Kind::NotJson, detail))
}

/// `application/json`, or a type of its own that is JSON underneath (RFC 6839), with any
/// parameters.
fn is_json(value: &HeaderValue) -> bool {
    let Ok(text) = value.to_str() else { return false };
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.strip_prefix("application/").is_some_and(|subtype| {
        subtype == "json" || (subtype.len() > "+json".len() && subtype.ends_with("+json"))
    })
}

/// Why a body could not be had.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unread {
    /// It is longer than the bound, or than one that the host set around the router.
    TooLarge,
    /// It did not come to its end.
    Broken,
}

impl From<Unread> for Problem {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::TooLarge => {
                let detail = format!("a body has at most {} KiB", MAX_LEN / 1024);
                Self::new(Kind::TooLarge, detail)
            }
            Unread::Broken => {
                Self::new(Kind::MalformedJson, "the body could not be read to its end")
            }
        }
    }
}

/// The whole body. No more than the bound is ever held, whatever length was announced.
pub(crate) async fn collect(body: Body, max_len: usize) -> Result<Bytes, Unread> {
    match Limited::new(body, max_len).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if is_too_long(&*error) => Err(Unread::TooLarge),
        Err(_) => Err(Unread::Broken),
    }
}

/// Whether this bound, or one that the host set around the router, was hit.
fn is_too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(<dyn std::error::Error>::is::<LengthLimitError>)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_goes_by_several_names() {
        for good in
            ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
        {
            assert!(is_json(&HeaderValue::from_static(good)), "{good}");
        }
        for bad in ["text/json", "application/+json", "application/jsonp", "application", "", "*/*"]
        {
            assert!(!is_json(&HeaderValue::from_static(bad)), "{bad}");
        }
    }
}
