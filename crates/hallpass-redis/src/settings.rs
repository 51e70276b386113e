use std::fmt;

use crate::guards::Guards;
use crate::open::ConnectError;

/// How a store is set up. All processes that share tokens use the same namespace.
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
    pub(crate) guards: Guards,
}

impl Default for RedisSettings {
    /// The namespace `hallpass`, no replica waited for, persistence wanted.
    fn default() -> Self {
        Self {
            namespace: "hallpass".to_owned(),
            replicas: 0,
            accept_no_persistence: false,
            guards: Guards::ON,
        }
    }
}

impl RedisSettings {
    /// The name that every key begins with, in braces: `{hallpass}`. Several stores can share a server under several
    /// namespaces.
    ///
    /// One to 32 of the letters, digits, `-`, `_`, `.` and `:`; another text is an [`ConnectError`] when the store is opened.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// How many replicas must have a change before it is answered; none by default.
    ///
    /// After each change the store asks with [`WAIT`] for at most half a second. If fewer replicas have it by then, the
    /// answer is [`outcome_unknown`]: the change stands on the primary, and a failover may lose it. `WAIT` makes a loss
    /// less likely. It does not make Redis a strongly consistent store: a failover may still choose a replica without
    /// the change.
    ///
    /// [`WAIT`]: https://redis.io/docs/latest/commands/wait/
    /// [`outcome_unknown`]: hallpass_core::store::StoreError::is_outcome_unknown
    #[must_use]
    pub fn wait_replicas(mut self, count: u32) -> Self {
        self.replicas = count;
        self
    }

    /// Says that a server without an append-only file is wanted, so that the store does not warn of it when it is
    /// opened: a restart of such a server forgets changes, revocations among them.
    #[must_use]
    pub fn accept_no_persistence(mut self) -> Self {
        self.accept_no_persistence = true;
        self
    }
}

/// What every key begins with.
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

    /// The key of the clock, which scripts take the others from.
    pub(crate) fn clock(&self) -> String {
        format!("{}c", self.0)
    }

    /// The key of the change log.
    pub(crate) fn lines(&self) -> String {
        format!("{}l", self.0)
    }

    /// The key of a token.
    pub(crate) fn token(&self, id: &[u8; 16]) -> Vec<u8> {
        let mut key = Vec::with_capacity(self.0.len() + 1 + id.len());
        key.extend(self.0.as_bytes());
        key.push(b't');
        key.extend(id);
        key
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
