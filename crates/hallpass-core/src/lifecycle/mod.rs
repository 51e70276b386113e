//! [`Hallpass`], the handle to the lifecycle of tokens. Each file contains one operation.

mod audit;
mod builder;
mod commit;
mod copy;
mod delete;
mod draft;
mod ensure;
mod extensions;
mod issue;
mod owner_limits;
mod owner_status;
mod read;
mod regenerate;
mod rejections;
mod revoke;
mod superseded;
mod uncommitted;
mod update;
mod use_flusher;

use std::fmt;
use std::sync::{Arc, Weak};

use jiff::{SignedDuration, Timestamp};

pub use self::audit::{AuditOptions, AuditTrail};
use self::builder::Settings;
pub(crate) use self::owner_limits::CallKind;
use self::owner_limits::OwnerLimits;
use self::superseded::SupersededSecrets;
pub use self::{
    builder::{BuildError, HallpassBuilder},
    delete::DeletedTokens,
    draft::{ExpiryInput, NewToken, TokenUpdate},
    ensure::{EnsureOutcome, KnownToken},
    issue::Issued,
    read::{ListOptions, TokenPage},
    regenerate::{MAX_GRACE_PERIOD, RegenerateOptions, SpanInput},
    revoke::RevokedTokens,
    uncommitted::Uncommitted,
};
use crate::actor::{Actor, Role};
use crate::catalog::Catalog;
use crate::digest::{Digest, Digester};
use crate::digest_upgrades::DigestUpgrades;
use crate::error::{Error, PermissionError};
use crate::event::{Event, EventKind, RejectReason};
use crate::expiry::to_millis;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::owner::Owner;
use crate::store::{StoreError, StoredToken};
use crate::throttle::Throttle;
use crate::token::{self, Checksums, PlainToken, Prefix, Secret, TokenId, TokenRef};
use crate::usage::UseLog;
use crate::verify::HandleId;
use crate::verify::backend::{Backend, ErasedBackend};

/// The handle through which an application issues, checks, changes and revokes tokens.
///
/// Cloning it is cheap, and all clones share their state.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), hallpass_core::Error> {
/// use hallpass_core::{Actor, Hallpass, NewToken};
/// # use hallpass_memory::MemoryStore;
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).prefix("acme").build();
/// let alice = Actor::owner("alice");
///
/// let issued = hallpass.issue(&alice, NewToken::named("ci").scope("projects:read").expires("30d")).await?;
/// println!("{}", issued.token.reveal()); // shown once, and stored nowhere
///
/// hallpass.revoke(&alice, issued.record.id).await?;
/// assert!(hallpass.authenticate(issued.token.reveal().as_bytes()).await.is_err());
/// # Ok(()) }
/// ```
///
/// Every call that reads or changes tokens takes the [`Actor`] who makes it. An owner cannot see
/// the tokens of other owners.
#[derive(Clone)]
pub struct Hallpass(Arc<Inner>);

/// A weak reference to a [`Hallpass`] handle: see [`Hallpass::downgrade`].
#[derive(Clone)]
pub struct WeakHallpass(Weak<Inner>);

impl WeakHallpass {
    /// Returns the handle, if any clone of it still exists.
    #[must_use]
    pub fn upgrade(&self) -> Option<Hallpass> {
        self.0.upgrade().map(Hallpass)
    }
}

impl fmt::Debug for WeakHallpass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakHallpass").finish_non_exhaustive()
    }
}

struct Inner {
    settings: Settings,
    /// The accepted prefixes. The first one is that of new tokens.
    prefixes: Vec<Prefix>,
    checksums: Checksums,
    digester: Digester,
    uses: UseLog,
    digest_upgrades: DigestUpgrades,
    superseded: SupersededSecrets,
    owner_limits: OwnerLimits,
    /// The rejections, by reason.
    rejections: [Throttle; RejectReason::ALL.len()],
    metrics: Metrics,
    id: HandleId,
}

impl Hallpass {
    /// Creates a builder for a handle. `store` is a [`TokenStore`](crate::store::TokenStore), alone
    /// or with a cache in front (`hallpass_cache::Cached`).
    pub fn builder(store: impl Backend) -> HallpassBuilder {
        HallpassBuilder::new(store)
    }

    /// Returns a weak reference, which does not keep the handle alive. Use it in a background task
    /// that should end with the service.
    #[must_use]
    pub fn downgrade(&self) -> WeakHallpass {
        WeakHallpass(Arc::downgrade(&self.0))
    }

    /// Returns whether both are clones of the same handle.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns the catalog of the application's scopes, if there is one.
    #[must_use]
    pub fn catalog(&self) -> Option<&Catalog> {
        self.0.settings.catalog.as_ref()
    }

    /// Returns the limits on the tokens of each owner.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.settings.limits
    }

    /// Returns the prefix of new tokens.
    #[must_use]
    pub fn prefix(&self) -> &Prefix {
        &self.0.prefixes[0]
    }

    /// Returns a setting that was attached with
    /// [`HallpassBuilder::extension`](HallpassBuilder::extension).
    #[must_use]
    pub fn extension<T: std::any::Any>(&self) -> Option<&T> {
        self.0.settings.extensions.get()
    }

    /// Returns the regular expression that secret scanners use to find this application's tokens.
    #[must_use]
    pub fn token_pattern(&self) -> String {
        self.prefix().token_pattern()
    }

    /// Returns the time that decides whether a token has expired, with millisecond precision.
    ///
    /// It is this machine's time, or the store's time if a cache has found that this machine's
    /// clock is behind.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let (here, behind) = (self.0.settings.clock.now(), self.backend().clock_offset());
        if behind.is_zero() {
            return to_millis(here);
        }
        to_millis(here.checked_add(behind).unwrap_or(here))
    }

    /// Checks whether the store responds. Use it for a readiness probe.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Store`] if the store does not respond.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.backend().ping().await?)
    }

    pub(crate) fn backend(&self) -> &dyn ErasedBackend {
        &*self.0.settings.backend
    }

    /// Reads a token from the store.
    pub(crate) async fn read(&self, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
        let token = self.backend().get(id).await?.value;
        if let Some(token) = &token {
            check_record_id(id, token.record.id)?;
        }
        Ok(token)
    }

    /// Returns the prefixes of tokens that are accepted.
    pub(crate) fn prefixes(&self) -> &[Prefix] {
        &self.0.prefixes
    }

    /// Parses a token's text: prefix, length, characters and checksum.
    pub(crate) fn read_text<'t>(&self, text: &'t [u8]) -> Option<TokenRef<'t>> {
        token::read(text, &self.0.prefixes, &self.0.checksums)
    }

    /// Creates a new token's text, and the digest that the store keeps.
    fn assemble(&self, id: TokenId, secret: &Secret) -> (PlainToken, Digest) {
        let token = PlainToken::assemble(self.prefix(), id, secret, &self.0.checksums);
        let digest = self.digester().digest(token.borrow());
        (token, digest)
    }

    pub(crate) fn not_before(&self) -> Option<Timestamp> {
        self.0.settings.not_before
    }

    pub(crate) fn digester(&self) -> &Digester {
        &self.0.digester
    }

    pub(crate) fn uses(&self) -> &UseLog {
        &self.0.uses
    }

    pub(crate) fn digest_upgrades(&self) -> &DigestUpgrades {
        &self.0.digest_upgrades
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    pub(crate) fn id(&self) -> HandleId {
        self.0.id
    }

    /// Sends an event to `tracing` and to the host's sink.
    pub(crate) fn emit(&self, event: &Event) {
        event.trace();
        if let Some(sink) = &self.0.settings.events {
            sink.on_event(event);
        }
    }

    fn event(&self, kind: EventKind, by: &Actor) -> Event {
        Event::by(by, kind, self.now())
    }

    /// Reads a token if the actor may see it. The owner is compared before anything else is done,
    /// so that another owner's token takes no longer than one that does not exist.
    async fn visible(&self, call: CallKind, by: &Actor, id: TokenId) -> Result<StoredToken, Error> {
        let _permit = self.acquire(call, by.subject()).await?;
        let token = self.read(id).await?;
        let is_visible = |token: &StoredToken| match by.role() {
            Role::Owner => by.subject() == Some(&token.record.owner),
            Role::Admin | Role::System => true,
        };
        let Some(mut token) = token.filter(is_visible) else {
            return Err(self.rejected_actor(by, RejectReason::NotFound, Some(id), Error::NotFound));
        };
        // Writes the waiting use of the token, so that the record shows it. If that fails, the use
        // keeps waiting.
        if self.uses().has(id) && self.write_use_of(id).await.is_ok_and(|updated| updated > 0) {
            token = self.read(id).await?.ok_or(Error::NotFound)?;
        }
        Ok(token)
    }

    /// Reads a token if the actor may change it.
    async fn editable(&self, by: &Actor, id: TokenId) -> Result<StoredToken, Error> {
        let token = self.visible(CallKind::Read, by, id).await?;
        match by.role() {
            Role::Admin if by.subject() != Some(&token.record.owner) => {
                Err(self.not_permitted(by, Some(id), PermissionError::OnlyItsOwner))
            }
            Role::Owner | Role::Admin | Role::System => Ok(token),
        }
    }

    /// Checks whether a token whose secret is issued at `start` may expire at `end`.
    fn within_lifetime(&self, start: Timestamp, end: Option<Timestamp>) -> Result<(), String> {
        let Some(longest) = self.limits().longest_lifetime else {
            return Ok(());
        };
        match end {
            Some(end) if end.duration_since(start) <= longest => Ok(()),
            _ => Err(format!("the token must expire within {}", in_words(longest))),
        }
    }
}

/// Checks that a store returned the record of the right token. If it did not, the store is broken,
/// and using the record would accept one token in place of another.
pub(crate) fn check_record_id(id: TokenId, returned: TokenId) -> Result<(), StoreError> {
    if returned == id {
        return Ok(());
    }
    tracing::error!(target: "hallpass", asked = %id, "the token store returned the record of \
        another token");
    Err(StoreError::corrupt("the record of another token"))
}

/// Formats a span in the largest unit that divides it evenly.
fn in_words(span: SignedDuration) -> String {
    let minutes = span.as_mins();
    let (count, unit) = match minutes {
        _ if minutes % (24 * 60) == 0 => (minutes / (24 * 60), "day"),
        _ if minutes % 60 == 0 => (minutes / 60, "hour"),
        _ => (minutes, "minute"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

impl fmt::Debug for Hallpass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hallpass")
            .field("prefixes", &self.0.prefixes)
            .field("limits", &self.0.settings.limits)
            .finish_non_exhaustive()
    }
}

/// Returns the owner for whom the actor acts.
///
/// # Errors
///
/// Returns [`Error::Invalid`] if the actor is a system actor without a subject.
fn require_subject(actor: &Actor) -> Result<&Owner, Error> {
    actor.subject().ok_or_else(|| {
        Error::invalid("owner", "name the owner: `Actor::system(..).on_behalf_of(..)`")
    })
}
