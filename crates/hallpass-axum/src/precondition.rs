//! `If-Match` (RFC 9110, section 13.1.1): a change only if the token is still as it was seen.

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use hallpass_core::{Actor, Hallpass, Revision, TokenId};

use crate::problem::{Kind, Problem};

/// The header, for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "it only documents the header that `Precondition` reads")]
pub(crate) struct IfMatch {
    /// The `ETag` of the token as it was last seen: the change is made only if it is still the same. `*`
    /// is any.
    #[param(
        rename = "If-Match",
        nullable = false,
        pattern = r#"^(\*|"[0-9]+")$"#,
        example = "\"1\""
    )]
    if_match: Option<String>,
}

/// What a change expects of the token.
#[derive(Debug, PartialEq)]
pub(crate) enum Precondition {
    /// That there is one: no header, or `*`.
    Exists,
    /// To be at one of these revisions. An `ETag` that no token has ever had is revision 0.
    OneOf(Vec<Revision>),
}

/// No token is ever at it: they start at 1.
const NEVER: Revision = Revision::new(0);

impl Precondition {
    /// Reads the header.
    ///
    /// A text that is no list of entity tags, such as a number without its quotes, is an error:
    /// taken as absent it would overwrite what the sender wanted to keep.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let malformed = || {
            let detail = "`If-Match` takes the `ETag` as it was given, with its quotes, or `*`";
            Problem::new(Kind::InvalidRequest, detail)
        };
        let lines: Vec<_> = headers.get_all(IF_MATCH).iter().map(HeaderValue::as_bytes).collect();
        match lines[..] {
            [] | [b"*"] => return Ok(Self::Exists),
            _ => {}
        }
        let mut revisions = Vec::new();
        for line in lines {
            let mut rest = line.trim_ascii();
            loop {
                let (tag, after) = entity_tag(rest).ok_or_else(malformed)?;
                revisions.push(tag);
                rest = after.trim_ascii_start();
                match rest.strip_prefix(b",") {
                    Some(more) => rest = more.trim_ascii_start(),
                    None if rest.is_empty() => break,
                    None => return Err(malformed()),
                }
            }
        }
        Ok(Self::OneOf(revisions))
    }

    /// The revision that the change shall find; `None` if any will do.
    pub(crate) async fn expected(
        self,
        hallpass: &Hallpass,
        by: &Actor,
        id: TokenId,
    ) -> Result<Option<Revision>, Problem> {
        match self {
            Self::Exists => Ok(None),
            Self::OneOf(revisions) => match revisions[..] {
                [one] => Ok(Some(one)),
                _ => {
                    let current = hallpass.get(by, id).await?.revision;
                    Ok(Some(if revisions.contains(&current) { current } else { NEVER }))
                }
            },
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Precondition {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

/// One entity tag off the front, as the revision it stands for.
fn entity_tag(text: &[u8]) -> Option<(Revision, &[u8])> {
    let (weak, quoted) = match text.strip_prefix(b"W/") {
        Some(quoted) => (true, quoted),
        None => (false, text),
    };
    let opaque = quoted.strip_prefix(b"\"")?;
    let end = opaque.iter().position(|byte| *byte == b'"')?;
    let (tag, after) = (&opaque[..end], &opaque[end + 1..]);
    if !tag.iter().all(|byte| matches!(byte, 0x21 | 0x23..=0x7E | 0x80..)) {
        return None;
    }
    let number = std::str::from_utf8(tag).ok().and_then(|text| text.parse().ok());
    // Written as this API writes it: `"01"` and `"+1"` are other tags than `"1"`, and a weak one
    // never matches here (RFC 9110, section 8.8.3.2).
    let revision = number
        .filter(|number: &u64| !weak && number.to_string().as_bytes() == tag)
        .map_or(NEVER, Revision::new);
    Some((revision, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&'static str]) -> Option<Precondition> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_MATCH, HeaderValue::from_static(line));
        }
        Precondition::read(&headers).ok()
    }

    #[test]
    fn tags_are_read_as_they_were_given() {
        let one_of = |numbers: &[u64]| {
            Some(Precondition::OneOf(numbers.iter().copied().map(Revision::new).collect()))
        };
        assert_eq!(read(&[]), Some(Precondition::Exists));
        assert_eq!(read(&["*"]), Some(Precondition::Exists));
        assert_eq!(read(&["\"7\""]), one_of(&[7]));
        assert_eq!(read(&["\"7\" , \"8\""]), one_of(&[7, 8]));
        assert_eq!(read(&["\"7\"", "\"8\",\"9\""]), one_of(&[7, 8, 9]));
        for never in [
            "W/\"7\"",
            "\"07\"",
            "\"+7\"",
            "\"\"",
            "\"abc\"",
            "\"a,b\"",
            "\"99999999999999999999\"",
        ] {
            assert_eq!(read(&[never]), one_of(&[0]), "{never}");
        }
        for malformed in
            ["7", "", "\"7", "7\"", "\"7\",", "\"7\" \"8\"", "*, \"7\"", "w/\"7\"", "\"a b\""]
        {
            assert_eq!(read(&[malformed]), None, "{malformed}");
        }
        assert_eq!(read(&["*", "\"7\""]), None);
    }
}
