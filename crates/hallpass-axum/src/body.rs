//! Request bodies and queries: JSON of a bounded size, read strictly.
//!
//! Requests are read more strictly than by serde's defaults, because a mistake in a request to
//! issue or change a token should not be ignored silently:
//!
//! - An unknown, repeated or `null` member is an error. serde would ignore some of them.
//! - The body must be an object. serde would also read a struct from an array.
//! - Malformed JSON is a 400, and well-formed JSON with an invalid field is a 422 that names the
//!   field.
//!
//! No message repeats a value from the request, because a value may be a token that was pasted into
//! the wrong field.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use http_body_util::LengthLimitError;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::problem::{Kind, Problem};

/// The maximum size of a body, in bytes.
const MAX_LEN: usize = 64 * 1024;

/// The JSON body of a request or a response.
pub(crate) struct Json<T>(pub(crate) T);

/// A JSON body that may be absent. An absent one is the default, and no content type is required.
pub(crate) struct OptionalJson<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        expect_json(&parts.headers)?;
        json(&collect(body).await?).map(Self)
    }
}

impl<T: DeserializeOwned + Default, S: Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes = collect(body).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        expect_json(&parts.headers)?;
        json(&bytes).map(Self)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// The parameters of the query.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default().as_bytes();
        // serde_urlencoded decodes bytes that are not UTF-8 to this character.
        let is_broken = |text: &str| text.contains(char::REPLACEMENT_CHARACTER);
        if form_urlencoded::parse(query).any(|(name, value)| is_broken(&name) || is_broken(&value))
        {
            return Err(Problem::invalid("query", "the query is not UTF-8"));
        }
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query));
        serde_path_to_error::deserialize(pairs).map(Self).map_err(|error| invalid("query", &error))
    }
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    let malformed =
        || Problem::new(Kind::MalformedJson, "the body is not well-formed JSON in UTF-8");
    let text = std::str::from_utf8(body).map_err(|_| malformed())?;
    // Malformed JSON is a 400 even if a field before the mistake is wrong. This does not recurse,
    // however deeply the text is nested.
    serde_json::from_str::<IgnoredAny>(text).map_err(|_| malformed())?;
    // serde also reads structs from arrays, and treats `null` as an absent field.
    let members: BTreeMap<String, Option<IgnoredAny>> =
        serde_json::from_str(text).map_err(|_| Problem::invalid("body", "expected an object"))?;
    if let Some((name, _)) = members.iter().find(|(_, value)| value.is_none()) {
        return Err(Problem::invalid(printable(name), "this field cannot be `null`"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| invalid("body", &error))
}

/// Returns a problem that names the invalid field and the reason. serde's messages quote the value,
/// which may be a token that was pasted into the wrong field. So the problem repeats only the
/// expected form.
fn invalid<E: std::error::Error>(
    whole: &'static str,
    error: &serde_path_to_error::Error<E>,
) -> Problem {
    let text = error.inner().to_string();
    let text = text.rsplit_once(" at line ").map_or(&*text, |(text, _)| text);
    let quoted = |prefix: &str| text.strip_prefix(prefix)?.strip_suffix('`').map(str::to_owned);
    if let Some(field) = quoted("missing field `") {
        return Problem::invalid(field, "this field is required");
    }
    if let Some(field) = quoted("duplicate field `") {
        return Problem::invalid(field, "this field was sent twice");
    }
    let field = match error.path().iter().next() {
        Some(serde_path_to_error::Segment::Map { key }) => printable(key),
        _ => whole.to_owned(),
    };
    let expected = text.rsplit_once(", expected ").map(|(_, expected)| expected);
    let message = match expected {
        Some(expected) if text.starts_with("unknown field") => {
            format!("unknown field: expected {expected}")
        }
        None if text.starts_with("unknown field") => "unknown field".to_owned(),
        Some(expected) => format!("expected {expected}"),
        None => text.to_owned(),
    };
    Problem::invalid(field, message)
}

/// Returns the name of a field if it looks like one. Anything else could be a token.
fn printable(name: &str) -> String {
    let like_a_name = (1..=40).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    if like_a_name { name.to_owned() } else { "?".to_owned() }
}

fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    if media_type(headers).is_some_and(is_json) {
        return Ok(());
    }
    let detail = "send JSON, uncompressed, with `Content-Type: application/json`";
    Err(Problem::new(Kind::NotJson, detail))
}

/// Returns the content type of a body without its parameters. Returns `None` if there is not
/// exactly one, or if the body is compressed.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return None };
    // Only the parameters may have characters beyond ASCII, such as a file name.
    let essence = one.as_bytes().split(|&byte| byte == b';').next()?;
    let essence = str::from_utf8(essence).ok()?.trim();
    (!headers.contains_key(CONTENT_ENCODING)).then_some(essence)
}

/// Returns whether the content type is `application/json` or has the suffix `+json` (RFC 6839).
fn is_json(media_type: &str) -> bool {
    let media_type = media_type.to_ascii_lowercase();
    media_type.strip_prefix("application/").is_some_and(|subtype| {
        subtype == "json" || subtype.strip_suffix("+json").is_some_and(|name| !name.is_empty())
    })
}

/// Reads the whole body. Never buffers more than the limit, regardless of `Content-Length`.
async fn collect(body: Body) -> Result<Bytes, Problem> {
    to_bytes(body, MAX_LEN).await.map_err(|error| {
        if is_too_long(&error) {
            let detail = format!("the body exceeds the limit of {} KiB", MAX_LEN / 1024);
            Problem::new(Kind::TooLarge, detail)
        } else {
            Problem::new(Kind::MalformedJson, "the body could not be read to its end")
        }
    })
}

/// Returns whether the limit for a body, or one that the host set around the router, was exceeded.
pub(crate) fn is_too_long(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(<dyn std::error::Error>::is::<LengthLimitError>)
}
