use std::error::Error as StdError;
use std::fmt;

/// Why a store did not do what it was asked. Opaque around its kind, so kinds can be added.
///
/// The message never holds what was stored or asked for; the driver's own error is the
/// [`source`](StdError::source).
#[derive(Debug)]
pub struct StoreError {
    kind: Kind,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    NotFound,
    Conflict,
    Duplicate,
    LimitReached { in_use: u64 },
    Unavailable,
    ReadOnly,
    OutcomeUnknown,
    Corrupt,
    Referenced,
}

impl StoreError {
    const fn new(kind: Kind) -> Self {
        Self { kind, source: None }
    }

    /// There is no token of that id.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(Kind::NotFound)
    }

    /// The token is at another revision, or has another secret, than the caller expected.
    #[must_use]
    pub const fn conflict() -> Self {
        Self::new(Kind::Conflict)
    }

    /// There is a token of that id already.
    #[must_use]
    pub const fn duplicate() -> Self {
        Self::new(Kind::Duplicate)
    }

    /// The owner has as many tokens as allowed, or more.
    #[must_use]
    pub const fn limit_reached(in_use: u64) -> Self {
        Self::new(Kind::LimitReached { in_use })
    }

    /// The store could not be reached, was too slow or too busy. Nothing was changed.
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: Kind::Unavailable, source: Some(source.into()) }
    }

    /// The store can be read but takes no changes now. Nothing was changed.
    pub fn read_only(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: Kind::ReadOnly, source: Some(source.into()) }
    }

    /// The connection was lost after the commit was sent: the change may stand or not.
    pub fn outcome_unknown(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: Kind::OutcomeUnknown, source: Some(source.into()) }
    }

    /// What is stored makes no sense: a row of a newer version, or a damaged one.
    pub fn corrupt(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: Kind::Corrupt, source: Some(source.into()) }
    }

    /// A foreign key of the application's own refers to the token and forbids deleting it. Nothing
    /// was changed.
    pub fn referenced(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind: Kind::Referenced, source: Some(source.into()) }
    }

    /// Whether there is no token of that id.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.kind == Kind::NotFound
    }

    /// Whether somebody else changed the token first.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.kind == Kind::Conflict
    }

    /// Whether the id is taken.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.kind == Kind::Duplicate
    }

    /// How many tokens the owner has, if that is why.
    #[must_use]
    pub fn limit_in_use(&self) -> Option<u64> {
        match self.kind {
            Kind::LimitReached { in_use } => Some(in_use),
            _ => None,
        }
    }

    /// Whether the store is at fault, not the request: the answer is 503, never 401.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self.kind,
            Kind::Unavailable | Kind::ReadOnly | Kind::OutcomeUnknown | Kind::Corrupt
        )
    }

    /// Whether the store takes no changes now but can be read.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.kind == Kind::ReadOnly
    }

    /// Whether it is not known if the change stands.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        self.kind == Kind::OutcomeUnknown
    }

    /// Whether what is stored makes no sense.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        self.kind == Kind::Corrupt
    }

    /// Returns whether a row of the application refers to the token, so that it cannot be deleted.
    #[must_use]
    pub fn is_referenced(&self) -> bool {
        self.kind == Kind::Referenced
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::NotFound => f.write_str("no such token"),
            Kind::Conflict => f.write_str("the token was changed by somebody else"),
            Kind::Duplicate => f.write_str("a token of that id exists already"),
            Kind::LimitReached { in_use } => {
                write!(f, "the owner has {in_use} tokens, which is the limit")
            }
            Kind::Unavailable => f.write_str("the token store cannot be reached"),
            Kind::ReadOnly => f.write_str("the token store takes no changes now"),
            Kind::OutcomeUnknown => f.write_str(
                "the connection to the token store was lost: the change may stand or not",
            ),
            Kind::Corrupt => {
                f.write_str("the token store holds something this version cannot read")
            }
            Kind::Referenced => f.write_str(
                "a row of the application refers to this token: delete that row first, or declare \
                 the foreign key ON DELETE CASCADE or SET NULL",
            ),
        }
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
