//! Scopes, sets of scopes, and the rules that decide which scope covers which.

mod segment;
mod set;

use std::fmt;

pub(crate) use self::segment::{Segment, has_dot_part, is_reserved, is_scope_char};
pub use self::set::ScopeSet;

/// A permission that a token holds, such as `projects`, `projects:read` or `projects:read:42`.
///
/// A scope has one to eight segments, separated by colons. A segment is one or more of the
/// characters that [RFC 6749, section 3.3] allows in a scope, except the colon. A whole segment may
/// be `*`, which stands for any one segment. Neither a segment nor a part of it between slashes may
/// be `.` or `..`. Scopes are compared byte for byte, so upper and lower case differ.
///
/// A scope covers every scope that starts with the same segments. `projects` covers `projects:read`
/// and `projects:read:42`, but `projects:read:42` does not cover `projects:read`. A `*` as the
/// first segment does not cover the segments `admin` and `pat`: a token for these must name them.
///
/// ```
/// use hallpass_core::Scope;
///
/// let held: Scope = "projects:*:42".parse().unwrap();
/// assert!(held.covers(&"projects:read:42".parse().unwrap()));
/// assert!(!held.covers(&"projects:read".parse().unwrap()), "one project is not all projects");
/// assert!("projects::read".parse::<Scope>().is_err());
/// ```
///
/// [RFC 6749, section 3.3]: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(Box<str>);

impl Scope {
    /// The maximum number of segments.
    pub const MAX_SEGMENTS: usize = 8;

    /// The maximum length, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Returns the scope as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the segments from first to last.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split(':')
    }

    /// Returns whether this scope allows everything that `other` allows.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        segment::covers(self.segments(), other.segments())
    }

    /// Returns the scope that allows exactly what both scopes allow, or `None` if they have nothing
    /// in common.
    pub(crate) fn meet(&self, other: &Self) -> Option<Self> {
        let (mut mine, mut theirs) = (self.segments(), other.segments());
        let mut segments = Vec::new();
        loop {
            segments.push(match (mine.next(), theirs.next()) {
                (None, None) => return Some(Self(segments.join(":").into())),
                (Some(one), None) | (None, Some(one)) => one,
                (Some(a), Some(b)) if a == b => a,
                (Some("*"), Some(named)) | (Some(named), Some("*")) => {
                    if segments.is_empty() && is_reserved(named) {
                        return None;
                    }
                    named
                }
                (Some(_), Some(_)) => return None,
            });
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.0.into()
    }
}

impl From<&Scope> for String {
    fn from(scope: &Scope) -> Self {
        scope.as_str().to_owned()
    }
}

impl std::str::FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        segment::validate(text)?;
        if text.split(':').any(|segment| segment.contains('*') && segment != "*") {
            return Err(ScopeError::PartialWildcard);
        }
        Ok(Self(text.into()))
    }
}

impl TryFrom<&str> for Scope {
    type Error = ScopeError;

    fn try_from(text: &str) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The error for a text that is not a valid scope.
///
/// The message does not repeat the text, which may come from a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// The text is empty.
    #[error("a scope cannot be empty: write one such as `projects:read`")]
    Empty,
    /// A segment is empty: the text starts or ends with a colon, or contains two colons in a row.
    #[error("a scope segment cannot be empty: write `projects:read`, not `projects::read`")]
    EmptySegment,
    /// A segment, or a part of one between slashes, is `.` or `..`.
    #[error("a scope segment, and each part of it between slashes, cannot be `.` or `..`")]
    DotSegment,
    /// The text contains a character that RFC 6749, section 3.3, does not allow in a scope.
    #[error(
        "a scope may contain only printable ASCII characters, without spaces, double quotes and \
         backslashes"
    )]
    Character,
    /// A segment contains a `*` and other characters.
    #[error("`*` stands for a whole segment: write `projects:*`, not `projects:re*`")]
    PartialWildcard,
    /// The text has more than eight segments.
    #[error("a scope has at most {} segments", Scope::MAX_SEGMENTS)]
    TooManySegments,
    /// The text has more than 128 bytes.
    #[error("a scope has at most {} characters", Scope::MAX_LEN)]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scope(text: &str) -> Scope {
        text.parse().unwrap()
    }

    #[test]
    fn whole_segments_are_compared() {
        for (held, needed, covered) in [
            ("projects", "projects", true),
            ("projects", "projects:read", true),
            ("projects:read", "projects:read:42", true),
            ("projects:read:42", "projects:read", false),
            ("projects:read:42", "projects:list", false),
            ("read", "readme", false),
            ("jobs", "job", false),
            ("job", "jobs", false),
            ("*", "jobs:read", true),
            ("*:read", "jobs:read", true),
            ("*:read", "jobs:write", false),
            ("*", "admin:users", false),
            ("*", "pat:create", false),
            ("*:users", "admin:users", false),
            ("admin:*", "admin:users", true),
            ("jobs:*", "jobs", false),
        ] {
            assert_eq!(scope(held).covers(&scope(needed)), covered, "{held} for {needed}");
        }
    }

    #[test]
    fn only_documented_characters_are_accepted() {
        for bad in [
            "",
            ":",
            "a:",
            ":a",
            "a::b",
            "a b",
            " a",
            "a\u{200b}",
            "ａ",
            "а",
            "a\"",
            "a\\b",
            "a\n",
            "**",
            "re*",
            "a:*b",
            "a:b:c:d:e:f:g:h:i",
            "a:..",
            ".:a",
            "a:b/../c",
            "a:../b",
            "a:b/.",
        ] {
            assert!(bad.parse::<Scope>().is_err(), "{bad:?}");
        }
        assert!("x".repeat(129).parse::<Scope>().is_err());
        for good in [
            "ROOT",
            "a.b/c-d_e",
            "a:b:c:d:e:f:g:h",
            "!#$%&'()",
            "{id}",
            "1",
            "a:...:.b/c.",
            "a:/b//",
        ] {
            assert!(good.parse::<Scope>().is_ok(), "{good:?}");
        }
    }

    /// Generates scopes from a few letters and segments, so that many of them overlap.
    fn any_scope() -> impl Strategy<Value = Scope> {
        proptest::collection::vec(prop_oneof!["[ab]", Just("*".into()), Just("admin".into())], 1..4)
            .prop_map(|segments: Vec<String>| scope(&segments.join(":")))
    }

    proptest! {
        #[test]
        fn covering_is_reflexive(a in any_scope()) {
            prop_assert!(a.covers(&a));
        }

        #[test]
        fn covering_is_transitive(a in any_scope(), b in any_scope(), c in any_scope()) {
            prop_assert!(!(a.covers(&b) && b.covers(&c)) || a.covers(&c));
        }

        #[test]
        fn covering_is_antisymmetric(a in any_scope(), b in any_scope()) {
            prop_assert!(!(a.covers(&b) && b.covers(&a)) || a == b);
        }

        #[test]
        fn intersection_covers_exactly_what_both_cover(a in any_scope(), b in any_scope(), c in any_scope()) {
            let both = a.covers(&c) && b.covers(&c);
            prop_assert_eq!(a.meet(&b).is_some_and(|meet| meet.covers(&c)), both);
        }

        #[test]
        fn parsing_never_panics_and_round_trips(text: String) {
            if let Ok(scope) = text.parse::<Scope>() {
                prop_assert_eq!(scope.to_string(), text);
            }
        }
    }
}
