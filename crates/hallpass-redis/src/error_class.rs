//! Classes of errors of the server and of the connection.

use std::error::Error as StdError;
use std::fmt;

use hallpass_core::store::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

use crate::connect_error::ServerAddress;

/// The class of an error reply of the server. In each of these cases nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorClass {
    /// The script has to be loaded.
    NoScript,
    /// The keys are on another node.
    Moved,
    /// The server is not a primary, or no longer one.
    Demoted,
    /// The server has no memory, no disk or too few replicas. The store can still be read.
    ReadOnly,
    /// The stored data is invalid.
    Corrupt,
    /// Any other error. For example, the server is loading or busy, or a permission is missing.
    Other,
}

/// Classifies an error. Returns `None` if there was no reply, so that it is unknown whether the
/// server has run the call.
pub(crate) fn error_class(error: &RedisError) -> Option<ErrorClass> {
    match error.kind() {
        ErrorKind::Server(kind) => Some(match kind {
            ServerErrorKind::NoScript => ErrorClass::NoScript,
            ServerErrorKind::Moved => ErrorClass::Moved,
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown => ErrorClass::Demoted,
            ServerErrorKind::ResponseError if is_about_the_data(error) => ErrorClass::Corrupt,
            _ => ErrorClass::Other,
        }),
        ErrorKind::Extension => Some(match error.code() {
            Some("OOM" | "MISCONF" | "NOREPLICAS") => ErrorClass::ReadOnly,
            Some("WRONGTYPE") => ErrorClass::Corrupt,
            _ => ErrorClass::Other,
        }),
        ErrorKind::AuthenticationFailed | ErrorKind::InvalidClientConfig | ErrorKind::Client => {
            Some(ErrorClass::Other)
        }
        _ => None,
    }
}

/// Returns whether a script failed because of the stored data. Nothing was changed, because scripts
/// check the data before they write.
fn is_about_the_data(error: &RedisError) -> bool {
    // These errors are about a slot that is moving to another node, and about a missing permission.
    let about_the_server = ["non local key", "The user executing the script"];
    error.detail().is_some_and(|detail| {
        detail.contains("user_script:")
            && !about_the_server.iter().any(|text| detail.contains(text))
    })
}

/// The reason why a call has no usable reply.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The call was not sent, because the server could not be reached.
    NotSent(Box<dyn StdError + Send + Sync>),
    /// The server rejected the call and changed nothing.
    Rejected(RedisError),
    /// The call was sent, and no reply came.
    NoReply(Box<dyn StdError + Send + Sync>),
}

/// An error of the connection, with the server's address. It never contains a password.
#[derive(Debug)]
struct AtServer {
    server: ServerAddress,
    error: Box<dyn StdError + Send + Sync>,
}

impl fmt::Display for AtServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.server, self.error)
    }
}

/// The text already contains that of the error, so its source is the error's source.
impl StdError for AtServer {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

impl Failure {
    /// Adds the server's address. A reply of the server has none, because it is classified later.
    pub(crate) fn at(self, server: impl FnOnce() -> ServerAddress) -> Self {
        match self {
            Self::NotSent(error) => Self::NotSent(Box::new(AtServer { server: server(), error })),
            Self::NoReply(error) => Self::NoReply(Box::new(AtServer { server: server(), error })),
            Self::Rejected(_) => self,
        }
    }

    /// Returns the error of a call that changes nothing, or that may safely be repeated.
    pub(crate) fn of_read(self) -> StoreError {
        match self {
            Self::NotSent(error) | Self::NoReply(error) => StoreError::unavailable(error),
            Self::Rejected(error) => match error_class(&error) {
                Some(ErrorClass::ReadOnly | ErrorClass::Demoted)
                    if error.code() != Some("MASTERDOWN") =>
                {
                    StoreError::read_only(error)
                }
                Some(ErrorClass::Corrupt) => StoreError::corrupt(error),
                _ => StoreError::unavailable(error),
            },
        }
    }

    /// Returns the error of a call that may have been run.
    pub(crate) fn of_change(self) -> StoreError {
        match self {
            Self::NoReply(error) => StoreError::outcome_unknown(error),
            other => other.of_read(),
        }
    }
}
