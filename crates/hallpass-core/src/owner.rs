//! Owners of tokens, and what the host says they may do now.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::scope::ScopeSet;
use crate::text;

/// Whose token it is: the host's own, immutable id of a person, a team or a service.
///
/// 1 to 255 characters without line breaks, control characters and characters that change the
/// direction of writing. Ids are compared byte for byte. Choose an id that is never
/// given to somebody else (not an e-mail address or a login name that may be reused), and
/// put the tenant in it where there are several: `acme/41`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(Arc<str>);

impl Owner {
    /// The longest id, in characters.
    pub const MAX_LEN: usize = 255;

    /// Takes the host's id.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is empty, longer than 255 characters, or contains a line break,
    /// a control character or a character that changes the direction of writing.
    pub fn new(id: impl AsRef<str>) -> Result<Self, OwnerError> {
        let id = id.as_ref();
        let is_bad = |c| text::breaks_line(c) || text::is_bidi_format(c);
        if id.is_empty() || id.chars().count() > Self::MAX_LEN || id.chars().any(is_bad) {
            return Err(OwnerError(()));
        }
        Ok(Self(id.into()))
    }

    /// The host's id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn as_arc(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// Takes back what [`as_arc`](Self::as_arc) gave.
    pub(crate) fn from_arc(id: Arc<str>) -> Self {
        Self(id)
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::str::FromStr for Owner {
    type Err = OwnerError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

/// The text is no owner.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "an owner is the host's id of a person: 1 to {} characters, no line breaks, control characters \
     or characters that change the direction of writing",
    Owner::MAX_LEN
)]
pub struct OwnerError(());

/// What the host says an owner may do now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnerStatus {
    /// All that the tokens hold.
    Active,
    /// At most this: what a token may do is what both it and this set cover.
    Limited(ScopeSet),
    /// Nothing: the account is disabled or gone. Every token of the owner is refused as if unknown.
    Disabled,
}

/// The host's word on its own people, asked when a token is checked and when one is issued.
///
/// A closure will do:
///
/// ```
/// use hallpass_core::{Hallpass, Owner, OwnerStatus};
/// # use hallpass_memory::MemoryStore;
///
/// let hallpass = Hallpass::builder(MemoryStore::new())
///     .owner_directory(|owner: Owner| async move {
///         Ok(if owner.as_str() == "mallory" { OwnerStatus::Disabled } else { OwnerStatus::Active })
///     })
///     .build();
/// # let _ = hallpass;
/// ```
///
/// An error is an outage: the request is answered with 503, never let through and never 401.
pub trait OwnerDirectory: Send + Sync + 'static {
    /// What `owner` may do now.
    fn status(
        &self,
        owner: Owner,
    ) -> impl Future<Output = Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>>> + Send;
}

impl<F, Fut> OwnerDirectory for F
where
    F: Fn(Owner) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>>> + Send,
{
    fn status(
        &self,
        owner: Owner,
    ) -> impl Future<Output = Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>>> + Send
    {
        self(owner)
    }
}

/// A question to the host: what a cache of a store is given, so that it can ask once for many.
#[derive(Clone)]
pub struct OwnerStatusQuery {
    owners: Arc<dyn ErasedOwnerDirectory>,
    owner: Owner,
}

impl OwnerStatusQuery {
    pub(crate) fn new(owners: &Arc<dyn ErasedOwnerDirectory>, owner: &Owner) -> Self {
        Self { owners: Arc::clone(owners), owner: owner.clone() }
    }

    /// Asks the host, now. It may be asked again.
    ///
    /// # Errors
    ///
    /// The host's own.
    pub async fn ask(&self) -> Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>> {
        self.owners.status(self.owner.clone()).await
    }
}

impl fmt::Debug for OwnerStatusQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnerStatusQuery").field("owner", &self.owner).finish_non_exhaustive()
    }
}

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The object-safe twin of [`OwnerDirectory`].
pub(crate) trait ErasedOwnerDirectory: Send + Sync {
    fn status(
        &self,
        owner: Owner,
    ) -> BoxFuture<'_, Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>>>;
}

impl<T: OwnerDirectory> ErasedOwnerDirectory for T {
    fn status(
        &self,
        owner: Owner,
    ) -> BoxFuture<'_, Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(OwnerDirectory::status(self, owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_without_a_printable_id_is_refused() {
        for good in ["alice", "acme/41", "وزير", "a b"] {
            assert!(Owner::new(good).is_ok(), "{good:?}");
        }
        let long = "x".repeat(256);
        for bad in ["", "a\nb", "a\0", "a\u{202e}b", "\u{2066}a", "a\u{2028}b", &long] {
            assert!(Owner::new(bad).is_err(), "{bad:?}");
        }
    }
}
