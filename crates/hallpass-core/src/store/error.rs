//! The errors of a store.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// The error of a store.
///
/// Create it with one of the constructors, and find out its kind with the `is_*` methods. The
/// message never contains data of a token or a request. The error of the driver is the
/// [`source`](StdError::source).
///
/// ```
/// use hallpass_core::store::StoreError;
///
/// let error = StoreError::unavailable("connection refused");
/// assert!(error.is_unavailable() && !error.is_outcome_unknown());
/// assert!(StoreError::conflict().is_conflict());
/// ```
#[derive(Clone, Debug)]
pub struct StoreError {
    kind: Kind,
    source: Option<Arc<dyn StdError + Send + Sync>>,
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
    Unconfirmed,
    Corrupt,
    Referenced,
}

impl StoreError {
    const fn new(kind: Kind) -> Self {
        Self { kind, source: None }
    }

    fn with_source(kind: Kind, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { kind, source: Some(Arc::from(source.into())) }
    }

    /// Creates the error for a token that does not exist.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(Kind::NotFound)
    }

    /// Creates the error for a token that is not at the expected revision, or does not have the
    /// expected digest.
    #[must_use]
    pub const fn conflict() -> Self {
        Self::new(Kind::Conflict)
    }

    /// Creates the error for a new token whose id exists already.
    #[must_use]
    pub const fn duplicate() -> Self {
        Self::new(Kind::Duplicate)
    }

    /// Creates the error for an owner who has reached the limit, with their number of tokens.
    #[must_use]
    pub const fn limit_reached(in_use: u64) -> Self {
        Self::new(Kind::LimitReached { in_use })
    }

    /// Creates the error for a store that could not be reached, was too slow, or was too busy. It
    /// promises that nothing was changed.
    pub fn unavailable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::with_source(Kind::Unavailable, source)
    }

    /// Creates the error for a store that can only be read at the moment. It promises that nothing
    /// was changed.
    pub fn read_only(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::with_source(Kind::ReadOnly, source)
    }

    /// Creates the error for a connection that was lost after the commit was sent. The change may
    /// or may not be committed.
    pub fn outcome_unknown(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::with_source(Kind::OutcomeUnknown, source)
    }

    /// Creates the error for a change that is committed, but that too few replicas have confirmed.
    /// A failover may undo it, so its outcome is unknown.
    pub fn unconfirmed(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::with_source(Kind::Unconfirmed, source)
    }

    /// Creates the error for stored data that cannot be read, because it is damaged or was written
    /// by a newer version.
    pub fn corrupt(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::with_source(Kind::Corrupt, source)
    }

    /// Creates the error for a token that cannot be deleted, because a foreign key of the
    /// application refers to it. It promises that nothing was changed.
    pub fn referenced(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::with_source(Kind::Referenced, source)
    }

    /// Returns whether the token does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.kind == Kind::NotFound
    }

    /// Returns whether another call changed the token first.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.kind == Kind::Conflict
    }

    /// Returns whether the id of a new token exists already.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.kind == Kind::Duplicate
    }

    /// Returns the owner's number of tokens, if the error is that the limit is reached.
    #[must_use]
    pub fn limit_in_use(&self) -> Option<u64> {
        match self.kind {
            Kind::LimitReached { in_use } => Some(in_use),
            _ => None,
        }
    }

    /// Returns whether the store failed, so that the same request may succeed later. Respond with
    /// 503, and never with 401.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        matches!(
            self.kind,
            Kind::Unavailable
                | Kind::ReadOnly
                | Kind::OutcomeUnknown
                | Kind::Unconfirmed
                | Kind::Corrupt
        )
    }

    /// Returns whether the store can only be read at the moment.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.kind == Kind::ReadOnly
    }

    /// Returns whether the change may or may not be committed, or may be undone by a failover.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        matches!(self.kind, Kind::OutcomeUnknown | Kind::Unconfirmed)
    }

    /// Returns whether the change is committed, but too few replicas have confirmed it. Reading it
    /// back does not show whether it survives a failover.
    #[must_use]
    pub fn is_unconfirmed(&self) -> bool {
        self.kind == Kind::Unconfirmed
    }

    /// Returns whether stored data could not be read.
    #[must_use]
    pub fn is_corrupt(&self) -> bool {
        self.kind == Kind::Corrupt
    }

    /// Returns whether a foreign key of the application forbids deleting the token.
    #[must_use]
    pub fn is_referenced(&self) -> bool {
        self.kind == Kind::Referenced
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::NotFound => f.write_str("no such token"),
            Kind::Conflict => f.write_str("the token was changed by another call"),
            Kind::Duplicate => f.write_str("a token with this id exists already"),
            Kind::LimitReached { in_use } => {
                write!(f, "the owner has {in_use} tokens, which is the limit")
            }
            Kind::Unavailable => f.write_str("the token store cannot be reached"),
            Kind::ReadOnly => f.write_str("the token store is read-only at the moment"),
            Kind::OutcomeUnknown => f.write_str(
                "the connection to the token store was lost: the change may or may not be committed",
            ),
            Kind::Unconfirmed => f.write_str(
                "too few replicas of the token store have confirmed the change: a failover may undo it",
            ),
            Kind::Corrupt => {
                f.write_str("the token store contains data that this version cannot read")
            }
            Kind::Referenced => f.write_str(
                "a row of the application references this token: delete that row first, or declare \
                 the foreign key with ON DELETE CASCADE or ON DELETE SET NULL",
            ),
        }
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}
