//! The settings of a store.

use std::fmt;

use hallpass_core::TokenId;

use crate::connect_error::ConnectError;

/// The settings of a store. All processes that share tokens must use the same namespace.
///
/// ```
/// use hallpass_redis::RedisSettings;
///
/// let settings = RedisSettings::default().namespace("acme").wait_replicas(1);
/// # let _ = settings;
/// ```
#[derive(Clone, Debug)]
pub struct RedisSettings {
    pub(crate) namespace: String,
    pub(crate) replicas: u32,
    pub(crate) accept_no_persistence: bool,
    pub(crate) migrate: bool,
}

impl Default for RedisSettings {
    /// Returns settings with the namespace `hallpass`. Changes do not wait for replicas, and a
    /// server without persistence causes a warning.
    fn default() -> Self {
        Self {
            namespace: "hallpass".to_owned(),
            replicas: 0,
            accept_no_persistence: false,
            migrate: true,
        }
    }
}

impl RedisSettings {
    /// Sets the namespace. Every key starts with it in braces, as in `{hallpass}`. Several stores
    /// can share a server if their namespaces differ.
    ///
    /// A namespace has 1 to 32 letters, digits, `-`, `_`, `.` or `:`. Opening a store returns
    /// [`ConnectError::Namespace`] for any other text.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets how many replicas must confirm a change before it returns. The default is 0.
    ///
    /// After each change, the store waits for at most half a second with [`WAIT`]. If fewer
    /// replicas have confirmed the change by then, it returns [`unconfirmed`]: the primary has
    /// the change, but a failover may lose it.
    ///
    /// `WAIT` makes a loss less likely. It does not make Redis strongly consistent, because a
    /// failover may still choose a replica without the change.
    ///
    /// [`WAIT`]: https://redis.io/docs/latest/commands/wait/
    /// [`unconfirmed`]: hallpass_core::store::StoreError::is_unconfirmed
    #[must_use]
    pub fn wait_replicas(mut self, count: u32) -> Self {
        self.replicas = count;
        self
    }

    /// Turns off the warning about a server without an append-only file. A restart of such a server
    /// loses changes, including revocations.
    #[must_use]
    pub fn accept_no_persistence(mut self) -> Self {
        self.accept_no_persistence = true;
        self
    }

    /// Sets whether opening the store creates an empty namespace. The default is `true`. With
    /// `false`, a typo in the namespace is [`ConnectError::Missing`].
    #[must_use]
    pub fn migrate(mut self, migrate: bool) -> Self {
        self.migrate = migrate;
        self
    }
}

/// The text that every key starts with.
#[derive(Clone)]
pub(crate) struct Namespace(String);

impl Namespace {
    pub(crate) fn new(name: &str) -> Result<Self, ConnectError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
        if name.is_empty() || name.len() > 32 || !name.chars().all(fits) {
            return Err(ConnectError::Namespace);
        }
        Ok(Self(format!("{{{name}}}")))
    }

    /// Returns the key of the clock, from which scripts derive the other keys.
    pub(crate) fn clock(&self) -> String {
        format!("{}c", self.0)
    }

    /// Returns the key of a token.
    pub(crate) fn token(&self, id: TokenId) -> Vec<u8> {
        [self.0.as_bytes(), b"t", id.as_uuid().as_bytes()].concat()
    }

    /// Returns the key of the change log.
    pub(crate) fn log(&self) -> String {
        format!("{}l", self.0)
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
