//! `If-Match` (RFC 9110, section 13.1.1): a change is made only if the token has not changed since
//! the client read it.
//!
//! A header that cannot be parsed is an error. If it were ignored, the change would be made without
//! the condition that the client has set.
//!
//! With several tags, the current revision is read first. If it matches one of the tags, the change
//! is made only at exactly this revision, so a change in between is still detected.

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use hallpass_core::{Revision, TokenId};

use crate::api::SignedIn;
use crate::problem::{Kind, Problem};

/// The entity tags of the header, or `None` if the header is absent or `*`, so that any revision
/// matches.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IfMatch {
    /// The `ETag` of the token when it was last read. The change is made only if the token still
    /// has this `ETag`. `*` matches any.
    #[param(
        rename = "If-Match",
        nullable = false,
        pattern = r#"^(\*|"[0-9]+")$"#,
        example = "\"1\""
    )]
    tags: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers).ok_or_else(|| {
            let detail = "send `If-Match` with the `ETag` as it was received, including its \
                quotes, or `*`";
            Problem::new(Kind::InvalidRequest, detail)
        })
    }
}

impl IfMatch {
    /// Reads the header. Returns `None` if it is malformed, such as a number without quotes. If it
    /// were treated as absent, the change could overwrite another change that the client has not
    /// seen.
    fn read(headers: &HeaderMap) -> Option<Self> {
        let lines = headers.get_all(IF_MATCH).iter().map(HeaderValue::to_str);
        let tags = lines.collect::<Result<Vec<_>, _>>().ok()?.join(",");
        if tags == "*" || !headers.contains_key(IF_MATCH) {
            return Some(Self { tags: None });
        }
        // The tags of this API contain no comma.
        let is_tag = |tag: &str| {
            let tag = tag.trim();
            let opaque = tag.strip_prefix("W/").unwrap_or(tag).strip_prefix('"');
            opaque
                .and_then(|tag| tag.strip_suffix('"'))
                .is_some_and(|tag| !tag.contains(['"', ' ']))
        };
        tags.split(',').all(is_tag).then_some(Self { tags: Some(tags) })
    }

    /// Returns the revision that the token must have, or `None` if any revision matches.
    pub(crate) async fn expected(
        self,
        by: &SignedIn,
        id: TokenId,
    ) -> Result<Option<Revision>, Problem> {
        let Some(tags) = self.tags else { return Ok(None) };
        match revisions(&tags)[..] {
            // No token ever has revision 0.
            [] => Ok(Some(Revision::new(0))),
            [one] => Ok(Some(one)),
            ref several => {
                let current = by.hallpass.get(&by.actor, id).await?.revision;
                Ok(Some(if several.contains(&current) { current } else { Revision::new(0) }))
            }
        }
    }
}

/// Returns the revisions of entity tags. They are compared as this API writes them: `"01"` differs
/// from `"1"`, and a weak tag never matches (RFC 9110, section 8.8.3.2).
fn revisions(tags: &str) -> Vec<Revision> {
    let revision = |tag: &str| {
        let number: u64 = tag.trim().trim_matches('"').parse().ok()?;
        (tag.trim() == format!("\"{number}\"")).then(|| Revision::new(number))
    };
    tags.split(',').filter_map(revision).collect()
}
