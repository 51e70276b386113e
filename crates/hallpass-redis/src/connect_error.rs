//! The errors of opening a store.

use std::error::Error as StdError;
use std::fmt;

use redis::ConnectionInfo;

/// The error of opening a store. The message names the server and explains what to do. Neither it
/// nor [`Debug`] contains a password. Nothing was changed on the server.
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
        "{server} cannot be used: check that it is running, and that this user has the permissions that \
         the documentation lists"
    )]
    #[non_exhaustive]
    Unreachable {
        /// The server.
        server: ServerAddress,
        /// The error of the driver.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The server is a replica.
    #[error("{server} is a replica, which accepts no changes: use the address of the primary")]
    #[non_exhaustive]
    Replica {
        /// The server.
        server: ServerAddress,
    },
    /// The server is older than Redis 7.
    #[error("{server} has the version {found}, and Hallpass needs 7.0 or later: upgrade it")]
    #[non_exhaustive]
    Older {
        /// The server.
        server: ServerAddress,
        /// The version that the server reports.
        found: String,
    },
    /// The server evicts keys when its memory is full.
    #[error(
        "{server} has the `maxmemory-policy` `{policy}`, so it would evict tokens when memory is full: \
         set it to `noeviction`, or use a separate server for the tokens"
    )]
    #[non_exhaustive]
    Evicts {
        /// The server.
        server: ServerAddress,
        /// The current policy.
        policy: String,
    },
    /// The keys of the namespace belong to another application.
    #[error(
        "the keys under `{namespace}` on {server} do not belong to Hallpass: choose another namespace"
    )]
    #[non_exhaustive]
    Foreign {
        /// The server.
        server: ServerAddress,
        /// The text that all keys start with.
        namespace: String,
    },
    /// The keys were written by a newer version.
    #[error(
        "the keys under `{namespace}` on {server} were written by a newer version of Hallpass (format \
         {found}, this version supports {known}): upgrade this program"
    )]
    #[non_exhaustive]
    Newer {
        /// The server.
        server: ServerAddress,
        /// The text that all keys start with.
        namespace: String,
        /// The version of the stored format.
        found: u32,
        /// The newest version that this program supports.
        known: u32,
    },
    /// The namespace is empty, and opening the store must not create it.
    #[error(
        "there is no token store under `{namespace}` on {server}, and opening the store must not \
         create it"
    )]
    #[non_exhaustive]
    Missing {
        /// The server.
        server: ServerAddress,
        /// The text that all keys start with.
        namespace: String,
    },
    /// Some of the keys are missing.
    #[error(
        "some of the keys under `{namespace}` on {server} are missing: restore them from a backup, or \
         delete the others"
    )]
    #[non_exhaustive]
    Damaged {
        /// The server.
        server: ServerAddress,
        /// The text that all keys start with.
        namespace: String,
    },
}

/// The address of a server or of the nodes of a cluster, without the user and the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress(String);

impl ServerAddress {
    /// Returns the address of one server.
    pub(crate) fn server(server: &ConnectionInfo) -> Self {
        let database = match server.redis_settings().db() {
            0 => String::new(),
            number => format!(" (database {number})"),
        };
        Self(format!("the Redis server at {}{database}", server.addr()))
    }

    /// Returns the address of a connection that the host has made. The connection does not know it.
    pub(crate) fn host() -> Self {
        Self("the Redis server of the given connection".to_owned())
    }

    /// Returns the addresses of a cluster's nodes.
    #[cfg(feature = "cluster")]
    pub(crate) fn cluster<'n>(nodes: impl Iterator<Item = &'n ConnectionInfo>) -> Self {
        let nodes: Vec<_> = nodes.map(|node| node.addr().to_string()).collect();
        Self(format!("the Redis Cluster at {}", nodes.join(", ")))
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
