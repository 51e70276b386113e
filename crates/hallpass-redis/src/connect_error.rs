//! The errors of opening a store.

use std::error::Error as StdError;

/// The error of opening a store. The message explains what to do. Nothing was changed on the
/// server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The text is not the address of a Redis server, or the program was built without the feature
    /// that the address needs.
    #[error(
        "invalid address of a Redis server: expected `redis://HOST:PORT`, with `USER:PASSWORD@` before \
         the host if it needs one (`rediss://` needs a TLS feature of the crate `redis`)"
    )]
    Address,
    /// The text is not a namespace.
    #[error("invalid namespace: use 1 to 32 letters, digits, `-`, `_`, `.` or `:`")]
    Namespace,
    /// The server cannot be reached, or rejects the user or one of the store's commands.
    #[error(
        "Redis cannot be used: check that it is running, and that this user has the permissions that \
         the documentation lists"
    )]
    Unreachable {
        /// The error of the driver.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The server is a replica.
    #[error(
        "the Redis server is a replica, which accepts no changes: use the address of the primary"
    )]
    Replica,
    /// The server is older than Redis 7.
    #[error("the server is Redis {found}, and Hallpass needs 7.0 or later: upgrade it")]
    #[non_exhaustive]
    Older {
        /// The version that the server reports.
        found: String,
    },
    /// The server evicts keys when its memory is full.
    #[error(
        "the server's `maxmemory-policy` is `{policy}`, so it would evict tokens when memory is full: \
         set it to `noeviction`, or use a separate server for the tokens"
    )]
    #[non_exhaustive]
    Evicts {
        /// The current policy.
        policy: String,
    },
    /// The keys of the namespace belong to another application.
    #[error("the keys under `{namespace}` do not belong to Hallpass: choose another namespace")]
    #[non_exhaustive]
    Foreign {
        /// The text that all keys start with.
        namespace: String,
    },
    /// The keys were written by a newer version.
    #[error(
        "the keys under `{namespace}` were written by a newer version of Hallpass (format {found}, \
         this version supports {known}): upgrade this program"
    )]
    #[non_exhaustive]
    Newer {
        /// The text that all keys start with.
        namespace: String,
        /// The version of the stored format.
        found: u32,
        /// The newest version that this program supports.
        known: u32,
    },
    /// The namespace is empty, and opening the store must not create it.
    #[error(
        "there is no token store under `{namespace}`, and opening the store must not create it"
    )]
    #[non_exhaustive]
    Missing {
        /// The text that all keys start with.
        namespace: String,
    },
    /// Some of the keys are missing.
    #[error(
        "some of the keys under `{namespace}` are missing: restore them from a backup, or delete the \
         others"
    )]
    #[non_exhaustive]
    Damaged {
        /// The text that all keys start with.
        namespace: String,
    },
}

impl ConnectError {
    pub(crate) fn unreachable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unreachable { source: source.into() }
    }
}
