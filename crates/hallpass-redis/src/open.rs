use std::error::Error as StdError;

/// Why a store was not opened: what was wrong, and what to do. Nothing was changed on the server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The text is no address of a Redis server, or one of a sort that this program was not built for.
    #[error(
        "the address of a Redis server is `redis://HOST:PORT`, with `USER:PASSWORD@` before the host if it asks for \
         one (`rediss://` needs a TLS feature of the crate `redis`)"
    )]
    Address,
    /// The text is no namespace.
    #[error("a namespace is 1 to 32 letters, digits and `-`, `_`, `.` or `:`")]
    Namespace,
    /// The server cannot be reached, or does not let this process in or do what it has to.
    #[error(
        "Redis cannot be used: see that it is up, and that this user may do what the documentation lists"
    )]
    Unreachable {
        /// What went wrong.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The server is a replica.
    #[error(
        "the Redis server is a replica, which takes no changes: give the address of the primary"
    )]
    Replica,
    /// The server is older than Redis 7.
    #[error("the server is Redis {found}, and Hallpass needs 7.0 or later: upgrade it")]
    #[non_exhaustive]
    Older {
        /// The version that the server says it has.
        found: String,
    },
    /// The server throws keys away when its memory is full.
    #[error(
        "the server's `maxmemory-policy` is `{policy}`: it would throw tokens away when memory is full. Set it to \
         `noeviction`, or give the tokens a server of their own"
    )]
    #[non_exhaustive]
    Evicts {
        /// The policy that is set.
        policy: String,
    },
    /// The namespace is somebody else's.
    #[error("the keys under `{namespace}` are not Hallpass's: choose another namespace")]
    #[non_exhaustive]
    Foreign {
        /// What the keys begin with.
        namespace: String,
    },
    /// The namespace was written by a later version.
    #[error(
        "the keys under `{namespace}` were written by a newer version of Hallpass (version {found}, this one knows \
         {known}): upgrade this program"
    )]
    #[non_exhaustive]
    Newer {
        /// What the keys begin with.
        namespace: String,
        /// The version that wrote them.
        found: u32,
        /// The latest version that this program knows.
        known: u32,
    },
    /// Part of the namespace is gone.
    #[error(
        "part of the keys under `{namespace}` is gone: restore them from a backup, or delete the rest"
    )]
    #[non_exhaustive]
    Damaged {
        /// What the keys begin with.
        namespace: String,
    },
}

impl ConnectError {
    pub(crate) fn unreachable(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Unreachable { source: source.into() }
    }
}
