use std::error::Error as StdError;

/// Why a store could not be opened. The message says what to do. Nothing was changed on the server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The text is not the address of a Redis server, or of a kind that this program was not built
    /// for.
    #[error(
        "invalid address of a Redis server: expected `redis://HOST:PORT`, with `USER:PASSWORD@` before \
         the host if it needs one (`rediss://` needs a TLS feature of the crate `redis`)"
    )]
    Address,
    /// The text is not a namespace.
    #[error("invalid namespace: it has 1 to 32 letters, digits, `-`, `_`, `.` or `:`")]
    Namespace,
    /// The server cannot be reached, or rejects this user or what the store has to do.
    #[error(
        "Redis cannot be used: check that it is running, and that this user has the permissions that \
         the documentation lists"
    )]
    Unreachable {
        /// What went wrong.
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
        /// The policy that is set.
        policy: String,
    },
    /// The namespace belongs to something else.
    #[error("the keys under `{namespace}` do not belong to Hallpass: choose another namespace")]
    #[non_exhaustive]
    Foreign {
        /// The beginning of the keys.
        namespace: String,
    },
    /// The namespace was written by a newer version.
    #[error(
        "the keys under `{namespace}` were written by a newer version of Hallpass (format {found}, this \
         one knows {known}): upgrade this program"
    )]
    #[non_exhaustive]
    Newer {
        /// The beginning of the keys.
        namespace: String,
        /// The version of the format that was found.
        found: u32,
        /// The newest version that this program knows.
        known: u32,
    },
    /// A part of the namespace is missing.
    #[error(
        "some of the keys under `{namespace}` are missing: restore them from a backup, or delete the \
         others"
    )]
    #[non_exhaustive]
    Damaged {
        /// The beginning of the keys.
        namespace: String,
    },
}

impl ConnectError {
    pub(crate) fn unreachable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unreachable { source: source.into() }
    }
}
