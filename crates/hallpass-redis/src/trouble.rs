//! What an error of the server or of the way to it means for whoever asked the store.

use std::error::Error as StdError;

use hallpass_core::store::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// What kind of trouble the server says there is. Nothing was changed in any of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The script has to be loaded.
    NoScript,
    /// The keys are on another node.
    Moved,
    /// This is no primary, or no more.
    Demoted,
    /// No memory, no disk, too few replicas: it can be read.
    ReadOnly,
    /// What is stored makes no sense.
    Corrupt,
    /// Anything else: loading, busy, no permission.
    Other,
}

/// What an answer of the server means; `None` if there was no answer: whether it did what it was asked is not known.
pub(crate) fn trouble(error: &RedisError) -> Option<Trouble> {
    match error.kind() {
        ErrorKind::Server(kind) => Some(match kind {
            ServerErrorKind::NoScript => Trouble::NoScript,
            ServerErrorKind::Moved => Trouble::Moved,
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown => Trouble::Demoted,
            ServerErrorKind::ResponseError if is_of_the_data(error) => Trouble::Corrupt,
            _ => Trouble::Other,
        }),
        ErrorKind::Extension => Some(match error.code() {
            Some("OOM" | "MISCONF" | "NOREPLICAS") => Trouble::ReadOnly,
            Some("WRONGTYPE") => Trouble::Corrupt,
            _ => Trouble::Other,
        }),
        ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig | ErrorKind::Client => {
            Some(Trouble::Other)
        }
        _ => None,
    }
}

/// A script gave up on what it found. It reads and checks before it writes.
fn is_of_the_data(error: &RedisError) -> bool {
    // A slot that is on its way to another node, and a user who may not.
    let of_the_server = ["non local key", "The user executing the script"];
    error.detail().is_some_and(|detail| {
        detail.contains("user_script:") && !of_the_server.iter().any(|text| detail.contains(text))
    })
}

/// Why there is no answer that can be used.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server was not asked: it could not be reached.
    Unasked(Box<dyn StdError + Send + Sync>),
    /// The server refused, and has changed nothing.
    Refused(RedisError),
    /// The server was asked, and no answer came.
    Unanswered(Box<dyn StdError + Send + Sync>),
}

impl Failure {
    /// The error for a call that changes nothing, or nothing that matters if it is half done.
    pub(crate) fn of_read(self) -> StoreError {
        match self {
            Self::Unasked(error) | Self::Unanswered(error) => StoreError::unavailable(error),
            Self::Refused(error) => refused(error),
        }
    }

    /// The error for a call that may have been carried out.
    pub(crate) fn of_change(self) -> StoreError {
        match self {
            Self::Unanswered(error) => StoreError::outcome_unknown(error),
            other => other.of_read(),
        }
    }
}

/// The error for a call that the server refused.
pub(crate) fn refused(error: RedisError) -> StoreError {
    match trouble(&error) {
        Some(Trouble::ReadOnly | Trouble::Demoted) if error.code() != Some("MASTERDOWN") => {
            StoreError::read_only(error)
        }
        Some(Trouble::Corrupt) => StoreError::corrupt(error),
        _ => StoreError::unavailable(error),
    }
}
