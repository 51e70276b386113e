use crate::record::Revision;
use crate::scope::Scope;
use crate::store::StoreError;

/// Why a call of the lifecycle did nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was asked for is not valid: a sentence for each field.
    #[error("{}", join(.0))]
    Invalid(Vec<FieldError>),
    /// There is no such token, or not for this caller.
    #[error("no such token")]
    NotFound,
    /// The caller expected another revision than the token is at.
    #[error("the token was changed since you looked: it is at revision {}", .current.get())]
    #[non_exhaustive]
    Stale {
        /// The revision it is at, or at least at, if it changed while this call ran.
        current: Revision,
    },
    /// Others kept changing the token at the same time.
    #[error("the token is being changed by others: try again")]
    Conflict,
    /// The change would bring an expired or revoked token back.
    #[error("the token has ended: only regenerating it brings it back")]
    Ended,
    /// There is a token of this id already, and it is another.
    #[error("there is a token of this id, of another owner or with another secret")]
    Taken,
    /// The owner has as many tokens as allowed.
    #[error("you have {in_use} tokens, and {limit} are allowed: delete one first")]
    #[non_exhaustive]
    LimitReached {
        /// How many are allowed.
        limit: u32,
        /// How many there are.
        in_use: u64,
    },
    /// The caller may not do this.
    #[error(transparent)]
    Forbidden(#[from] PermissionError),
    /// The store is at fault, not the request.
    #[error(transparent)]
    Store(StoreError),
    /// The host's word on the owner could not be had.
    #[error("what the owner may do could not be found out")]
    OwnerDirectory(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The operating system gave no randomness: no token can be made.
    #[error("the operating system gave no randomness")]
    Randomness(#[from] getrandom::Error),
}

impl Error {
    /// Whether the fault is the store's or the host's, not the request's: the answer is 503.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        match self {
            Self::Store(error) => error.is_unavailable(),
            Self::OwnerDirectory(_) => true,
            _ => false,
        }
    }

    pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        if error.is_not_found() {
            Self::NotFound
        } else if error.is_conflict() {
            Self::Conflict
        } else {
            Self::Store(error)
        }
    }
}

/// What is wrong with one field. It never repeats what was sent, but for the name of a scope that
/// does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
#[non_exhaustive]
pub struct FieldError {
    /// The field: `name`, `scopes`, `expires`, ...
    pub field: &'static str,
    /// What is wrong with it, and what would be right.
    pub message: String,
}

impl FieldError {
    /// A field and what is wrong with it.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

fn join(errors: &[FieldError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Why a caller may not do what they asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PermissionError {
    /// The token would hold more than the caller may grant.
    #[error("you may not grant {}", .0.iter().map(Scope::as_str).collect::<Vec<_>>().join(", "))]
    Scopes(Vec<Scope>),
    /// An admin may view, revoke and delete other people's tokens, nothing else.
    #[error("only its owner may change, copy or regenerate a token")]
    OnlyItsOwner,
    /// What only an admin may ask for.
    #[error("only an admin may ask for other people's tokens")]
    OnlyAdmins,
    /// What only the service's own program may do.
    #[error("only the service's own operator may do this")]
    SystemOnly,
    /// The owner is disabled.
    #[error("this account is disabled")]
    OwnerDisabled,
}
