//! The errors of the token lifecycle.

use crate::record::Revision;
use crate::scope::Scope;
use crate::store::StoreError;

/// The error of a call that reads or changes tokens. A call that fails has changed nothing, unless
/// its documentation says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The request is invalid. There is one message for each invalid field.
    #[error("{}", join(.0))]
    Invalid(Vec<FieldError>),
    /// The token does not exist, or belongs to an owner whose tokens the actor may not see.
    #[error("no such token")]
    NotFound,
    /// The token is not at the revision that the caller expected.
    #[error("the token has changed since you read it: it is now at revision {}", .current.get())]
    #[non_exhaustive]
    Stale {
        /// The token's revision. If the token changed during the call, it may be higher by now.
        current: Revision,
    },
    /// Other calls kept changing the token at the same time.
    #[error("the token is being changed by others: try again")]
    Conflict,
    /// The change would make an expired or revoked token active. Only regenerating may do that.
    #[error("the token is expired or revoked: regenerate it to make it active again")]
    NotActive,
    /// A token with this id exists already, with another owner or another secret.
    #[error("a token with this id exists already, with another owner or another secret")]
    IdInUse,
    /// The owner has reached the maximum number of tokens.
    #[error("you have {in_use} tokens, and {limit} are allowed: delete one first")]
    #[non_exhaustive]
    LimitReached {
        /// The maximum number of tokens.
        limit: u32,
        /// The owner's current number of tokens.
        in_use: u64,
    },
    /// The actor has no permission for this call.
    #[error(transparent)]
    Forbidden(#[from] PermissionError),
    /// The store failed. The request may be valid.
    #[error(transparent)]
    Store(StoreError),
    /// The host's [`OwnerDirectory`](crate::OwnerDirectory) returned an error.
    #[error("could not look up the owner's status")]
    OwnerDirectory(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The operating system provided no randomness, so no secret could be generated.
    #[error("the operating system provided no randomness")]
    Randomness(#[from] getrandom::Error),
}

impl Error {
    /// Returns whether the store or the owner directory failed, so that the same request may
    /// succeed later. Respond with 503.
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

/// The error of one field of a request. The message never repeats the value, except for the name of
/// an unknown scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
#[non_exhaustive]
pub struct FieldError {
    /// The name of the field, such as `name`, `scopes` or `expires`.
    pub field: &'static str,
    /// The message, which describes what is wrong with the field and how to correct it.
    pub message: String,
}

impl FieldError {
    /// Creates an error for a field.
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

fn join(errors: &[FieldError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// The permission that an actor lacks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PermissionError {
    /// The token would hold scopes that the actor may not grant.
    #[error("you may not grant {}", .0.iter().map(Scope::as_str).collect::<Vec<_>>().join(", "))]
    Scopes(Vec<Scope>),
    /// The token belongs to another owner. An admin may only view, revoke and delete it.
    #[error("only its owner may change, copy or regenerate a token")]
    OnlyItsOwner,
    /// The call names another owner, which only an admin or a system actor may do.
    #[error("only an admin may access the tokens of other owners")]
    OnlyAdmins,
    /// The call is reserved for system actors.
    #[error("only a system actor may do this")]
    SystemOnly,
    /// The owner is disabled.
    #[error("this account is disabled")]
    OwnerDisabled,
}
