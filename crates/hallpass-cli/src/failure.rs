use std::error::Error as StdError;
use std::fmt;

use hallpass_core::{BuildError, Error};

/// Why a command did not do all that it was asked, as a sentence for a person.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The store, a file or the system.
    Trouble(String),
    /// What was asked for is not valid.
    Usage(String),
    /// There is no such token.
    NotFound(String),
    /// The state of things forbids it: a limit, another revision, a token that has ended.
    Refused(String),
    /// Nobody said yes.
    NotConfirmed(String),
    /// A text is no token.
    NoToken(String),
}

impl Failure {
    /// What the process ends with. 0 is for all being done, and 2 is clap's own for arguments that
    /// it refuses.
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

    /// Trouble, with all that is known of where it comes from.
    pub(crate) fn trouble(error: &(dyn StdError + 'static)) -> Self {
        let causes = std::iter::successors(Some(error), |&error| error.source());
        let mut said: Vec<String> = Vec::new();
        for cause in causes.map(ToString::to_string) {
            // An error that shows its source as its own is one sentence.
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
                "the owner has {in_use} tokens, and {limit} are allowed: delete one first, or say another \
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
