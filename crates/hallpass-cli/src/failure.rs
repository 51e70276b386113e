//! The errors of commands, and their exit codes.

use std::error::Error as StdError;
use std::fmt;

use hallpass_core::{BuildError, Error};

/// The error of a command, with a message for a person.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store, a file or the system failed.
    Trouble(String),
    /// An argument is invalid.
    Usage(String),
    /// A token does not exist.
    NotFound(String),
    /// The state does not allow it: a limit, another revision, or an expired or revoked token.
    Refused(String),
    /// The person did not confirm.
    NotConfirmed(String),
    /// A text is not a token.
    NoToken(String),
}

impl Failure {
    /// Returns the exit code. 0 means success, and clap uses 2 for invalid arguments.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Trouble(_) => 1,
            Self::Usage(_) => 2,
            Self::NotFound(_) => 3,
            Self::Refused(_) => 4,
            Self::NotConfirmed(_) => 5,
            Self::NoToken(_) => 6,
        }
    }

    /// Creates the error for a failure of the store, a file or the system. The message contains the
    /// sources of the error.
    pub(crate) fn trouble(error: &(dyn StdError + 'static)) -> Self {
        let causes = std::iter::successors(Some(error), |&error| error.source());
        let mut said: Vec<String> = Vec::new();
        for cause in causes.map(ToString::to_string) {
            // Some errors repeat the message of their source, which is left out then.
            if said.last().is_none_or(|last| !last.contains(&cause)) {
                said.push(cause);
            }
        }
        Self::Trouble(said.join(": "))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trouble(said)
            | Self::Usage(said)
            | Self::NotFound(said)
            | Self::Refused(said)
            | Self::NotConfirmed(said)
            | Self::NoToken(said) => f.write_str(said),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(_) => Self::Usage(error.to_string()),
            Error::NotFound => Self::NotFound(error.to_string()),
            Error::LimitReached { limit, in_use, .. } => Self::Refused(format!(
                "the owner has {in_use} tokens, and {limit} are allowed: delete one first, or raise \
                 --tokens-per-owner"
            )),
            Error::Stale { .. }
            | Error::Conflict
            | Error::Ended
            | Error::Taken
            | Error::Forbidden(_) => Self::Refused(error.to_string()),
            error => Self::trouble(&error),
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Self::Usage(error.to_string())
    }
}
