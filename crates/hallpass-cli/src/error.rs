//! The errors of commands, and their exit codes.

use std::error::Error as StdError;
use std::fmt;

use hallpass_core::{BuildError, Error};

/// The error of a command, with a message for a person.
#[derive(Debug)]
pub(crate) enum CliError {
    /// The store, a file or the system failed.
    System(String),
    /// An argument is invalid.
    Usage(String),
    /// A token does not exist.
    NotFound(String),
    /// The state does not allow it: a limit, another revision, or an expired or revoked token.
    Rejected(String),
    /// The person did not confirm.
    NotConfirmed(String),
    /// A text is not a token.
    InvalidToken(String),
}

impl CliError {
    /// Returns the exit code. 0 means success, and clap uses 2 for invalid arguments.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::System(_) => 1,
            Self::Usage(_) => 2,
            Self::NotFound(_) => 3,
            Self::Rejected(_) => 4,
            Self::NotConfirmed(_) => 5,
            Self::InvalidToken(_) => 6,
        }
    }

    /// Creates the error for a failure of the store, a file or the system. The message contains the
    /// sources of the error.
    pub(crate) fn system(error: &(dyn StdError + 'static)) -> Self {
        let causes = std::iter::successors(Some(error), |&error| error.source());
        let mut message: Vec<String> = Vec::new();
        for cause in causes.map(ToString::to_string) {
            // Some errors repeat the message of their source, which is left out then.
            if message.last().is_none_or(|last| !last.contains(&cause)) {
                message.push(cause);
            }
        }
        Self::System(message.join(": "))
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(message)
            | Self::Usage(message)
            | Self::NotFound(message)
            | Self::Rejected(message)
            | Self::NotConfirmed(message)
            | Self::InvalidToken(message) => f.write_str(message),
        }
    }
}

impl From<Error> for CliError {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(_) => Self::Usage(error.to_string()),
            Error::NotFound => Self::NotFound(error.to_string()),
            Error::LimitReached { limit, in_use, .. } => Self::Rejected(format!(
                "the owner has {in_use} tokens, and {limit} are allowed: delete one first, or raise \
                 --tokens-per-owner"
            )),
            Error::Stale { .. }
            | Error::Conflict
            | Error::NotActive
            | Error::IdInUse
            | Error::Forbidden(_) => Self::Rejected(error.to_string()),
            error => Self::system(&error),
        }
    }
}

impl From<BuildError> for CliError {
    fn from(error: BuildError) -> Self {
        Self::Usage(error.to_string())
    }
}
