//! Owners of tokens, and the host's directory that reports their current status.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::scope::ScopeSet;
use crate::text;

/// The owner of a token: the host's own, immutable id of a person, a team or a service.
///
/// An id has 1 to 255 characters, without line breaks, control characters and characters that
/// change the direction of writing. Ids are compared byte for byte.
///
/// Choose an id that is never reused for another owner. An e-mail address or a login name may be
/// reused one day. If there are several tenants, put the tenant into the id, as in `acme/41`.
///
/// ```
/// use hallpass_core::Owner;
///
/// let owner: Owner = "acme/41".parse()?;
/// assert_eq!(owner.as_str(), "acme/41");
/// assert!(Owner::new("two\nlines").is_err());
/// # Ok::<_, hallpass_core::OwnerError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner(Box<str>);

impl Owner {
    /// The maximum length of an id, in characters.
    pub const MAX_LEN: usize = 255;

    /// Creates an owner from the host's id.
    ///
    /// # Errors
    ///
    /// Returns [`OwnerError`] if the text is empty, is longer than 255 characters, or contains a
    /// line break, a control character or a character that changes the direction of writing.
    pub fn new(id: impl AsRef<str>) -> Result<Self, OwnerError> {
        let id = id.as_ref();
        let is_bad = |c| text::breaks_line(c) || text::is_bidi_format(c);
        if id.is_empty() || id.chars().count() > Self::MAX_LEN || id.chars().any(is_bad) {
            return Err(OwnerError(()));
        }
        Ok(Self(id.into()))
    }

    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
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

/// The error for a text that is not a valid owner id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid owner id: it must have 1 to {} characters, without line breaks, control characters or \
     characters that change the direction of writing",
    Owner::MAX_LEN
)]
pub struct OwnerError(());

/// The current status of an owner, as the host's [`OwnerDirectory`] reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnerStatus {
    /// The owner's tokens allow every scope that they hold.
    Active,
    /// The owner's tokens allow only the scopes that both the token and this set cover.
    Limited(ScopeSet),
    /// The account is disabled or deleted. All tokens of the owner are rejected.
    Disabled,
}

/// A directory of the host's owners, which reports the current status of each.
///
/// Hallpass queries it whenever a token is checked or issued. A cache may keep the status for a
/// short time: call [`Hallpass::owner_changed`](crate::Hallpass::owner_changed) when it changes. An
/// async closure implements this trait:
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
/// A type implements it with an `async fn`:
///
/// ```
/// use std::collections::HashSet;
///
/// use hallpass_core::{Owner, OwnerDirectory, OwnerStatus};
///
/// struct Directory {
///     disabled: HashSet<String>,
/// }
///
/// impl OwnerDirectory for Directory {
///     async fn status(
///         &self,
///         owner: Owner,
///     ) -> Result<OwnerStatus, Box<dyn std::error::Error + Send + Sync>> {
///         let is_disabled = self.disabled.contains(owner.as_str());
///         Ok(if is_disabled { OwnerStatus::Disabled } else { OwnerStatus::Active })
///     }
/// }
/// ```
///
/// If the directory returns an error, the check fails with
/// [`AuthError::Unavailable`](crate::AuthError::Unavailable). The response is a 503: the request is
/// not served, but the token is not reported as invalid either.
pub trait OwnerDirectory: Send + Sync + 'static {
    /// Returns the current status of `owner`.
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

/// A query to the host's directory about one owner. A cache sends it once for many checks.
#[derive(Clone)]
pub struct OwnerStatusQuery {
    owners: Arc<dyn ErasedOwnerDirectory>,
    owner: Owner,
}

impl OwnerStatusQuery {
    pub(crate) fn new(owners: &Arc<dyn ErasedOwnerDirectory>, owner: &Owner) -> Self {
        Self { owners: Arc::clone(owners), owner: owner.clone() }
    }

    /// Queries the directory. This may be called any number of times.
    ///
    /// # Errors
    ///
    /// Returns the error of the host's directory.
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
    fn owner_without_a_printable_id_is_rejected() {
        for good in ["alice", "acme/41", "وزير", "a b"] {
            assert!(Owner::new(good).is_ok(), "{good:?}");
        }
        let long = "x".repeat(256);
        for bad in ["", "a\nb", "a\0", "a\u{202e}b", "\u{2066}a", "a\u{2028}b", &long] {
            assert!(Owner::new(bad).is_err(), "{bad:?}");
        }
    }
}
