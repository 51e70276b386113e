//! [`Hallpass`], the handle to the lifecycle of tokens. One file for each verb.

mod audit;
mod builder;
mod commit;
mod copy;
mod delete;
mod draft;
mod ensure;
mod extensions;
mod issue;
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

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use self::audit::{AuditOptions, AuditTrail};
use self::extensions::Extensions;
use self::rejections::RejectionThrottle;
use self::superseded::SupersededSecrets;
pub use self::{
    builder::{BuildError, HallpassBuilder},
    delete::DeletedTokens,
    draft::{ExpiryInput, NewToken, TokenUpdate},
    ensure::{Ensured, KnownToken},
    issue::Issued,
    read::{ListOptions, TokenPage},
    regenerate::{MAX_GRACE_PERIOD, RegenerateOptions, SpanInput},
    revoke::RevokedTokens,
    uncommitted::Uncommitted,
};
use crate::actor::{Actor, Role};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::digest::{Digest, Digester};
use crate::digest_upgrades::DigestUpgrades;
use crate::error::{Error, PermissionError};
use crate::event::{Event, EventKind, EventSink, RejectReason};
use crate::expiry::to_millis;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::owner::{ErasedOwnerDirectory, Owner};
use crate::store::{StoreError, StoredToken};
use crate::token::{self, Checksums, PlainToken, Prefix, Secret, TokenId, TokenRef};
use crate::usage::UseLog;
use crate::verify::HandleId;
use crate::verify::backend::{Backend, ErasedBackend};

/// The one handle: issues tokens, checks them, takes them back. Cloning it is cheap, and all
/// clones are the same.
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
/// println!("{}", issued.token.reveal()); // shown once, kept nowhere
///
/// hallpass.revoke(&alice, issued.record.id).await?;
/// assert!(hallpass.authenticate(issued.token.reveal().as_bytes()).await.is_err());
/// # Ok(()) }
/// ```
///
/// Every call says who makes it, with a [`Actor`]: owners reach their own tokens, and another's
/// does not exist for them.
#[derive(Clone)]
pub struct Hallpass(Arc<Inner>);

/// A [`Hallpass`] that may be gone: see [`Hallpass::downgrade`].
#[derive(Clone)]
pub struct WeakHallpass(Weak<Inner>);

impl WeakHallpass {
    /// The handle, if any clone of it is left.
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
    backend: Box<dyn ErasedBackend>,
    /// The first is that of new tokens.
    prefixes: Vec<Prefix>,
    checksums: Checksums,
    digester: Digester,
    catalog: Option<Catalog>,
    limits: Limits,
    owners: Option<Arc<dyn ErasedOwnerDirectory>>,
    clock: Box<dyn Clock>,
    events: Option<Box<dyn EventSink>>,
    zone: TimeZone,
    audit_retention: SignedDuration,
    not_before: Option<Timestamp>,
    uses: UseLog,
    digest_upgrades: DigestUpgrades,
    superseded: SupersededSecrets,
    rejections: RejectionThrottle,
    extensions: Extensions,
    metrics: Metrics,
    id: HandleId,
}

impl Hallpass {
    /// Starts to configure a handle for a [`TokenStore`](crate::store::TokenStore), alone or in a
    /// cache (`hallpass_cache::Cached`).
    pub fn builder(store: impl Backend) -> HallpassBuilder {
        HallpassBuilder::new(store)
    }

    /// A handle that keeps nothing alive: for tasks that end with the service.
    #[must_use]
    pub fn downgrade(&self) -> WeakHallpass {
        WeakHallpass(Arc::downgrade(&self.0))
    }

    /// Whether both are clones of one handle.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The scopes the application knows, if it said.
    #[must_use]
    pub fn catalog(&self) -> Option<&Catalog> {
        self.0.catalog.as_ref()
    }

    /// The bounds on people's tokens.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// The mark at the front of every new token.
    #[must_use]
    pub fn prefix(&self) -> &Prefix {
        &self.0.prefixes[0]
    }

    /// Returns a setting that was attached with
    /// [`HallpassBuilder::extension`](HallpassBuilder::extension).
    #[must_use]
    pub fn extension<T: std::any::Any>(&self) -> Option<&T> {
        self.0.extensions.get()
    }

    /// The pattern by which a secret scanner finds this application's tokens.
    #[must_use]
    pub fn token_pattern(&self) -> String {
        self.prefix().token_pattern()
    }

    /// The time by which tokens are judged, to the millisecond: this machine's, or the store's
    /// where a cache knows that to be ahead.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let (here, behind) = (self.0.clock.now(), self.backend().clock_offset());
        to_millis(here.checked_add(behind).unwrap_or(here))
    }

    /// Whether the store answers: for a readiness probe.
    ///
    /// # Errors
    ///
    /// It does not.
    pub async fn ping(&self) -> Result<(), Error> {
        Ok(self.backend().ping().await?)
    }

    pub(crate) fn backend(&self) -> &dyn ErasedBackend {
        &*self.0.backend
    }

    /// Reads a token from the store.
    pub(crate) async fn read(&self, id: TokenId) -> Result<Option<StoredToken>, StoreError> {
        let found = self.backend().get(id).await?.value;
        if let Some(found) = &found {
            check_record_id(id, found.record.id)?;
        }
        Ok(found)
    }

    /// Returns the prefixes of tokens that are accepted.
    pub(crate) fn prefixes(&self) -> &[Prefix] {
        &self.0.prefixes
    }

    /// Parses a token's text: prefix, length, characters and checksum.
    pub(crate) fn read_text<'t>(&self, text: &'t [u8]) -> Option<TokenRef<'t>> {
        token::read(text, &self.0.prefixes, &self.0.checksums)
    }

    /// Puts a new token's text together, and makes the digest that the store keeps.
    fn assemble(&self, id: TokenId, secret: &Secret) -> (PlainToken, Digest) {
        let token = PlainToken::assemble(self.prefix(), id, secret, &self.0.checksums);
        let digest = self.digester().digest(token.borrow());
        (token, digest)
    }

    pub(crate) fn not_before(&self) -> Option<Timestamp> {
        self.0.not_before
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

    pub(crate) fn emit(&self, event: &Event) {
        event.trace();
        if let Some(sink) = &self.0.events {
            sink.on_event(event);
        }
    }

    fn event(&self, kind: EventKind, by: &Actor) -> Event {
        Event::by(by, kind, self.now())
    }

    /// Reads a token if the actor may know of it. The owner is compared before anything else is
    /// done, so that a token of somebody else takes no longer than one that does not exist.
    async fn visible(&self, by: &Actor, id: TokenId) -> Result<StoredToken, Error> {
        let found = self.read(id).await?;
        let is_visible = |token: &StoredToken| match by.role() {
            Role::Owner => by.subject() == Some(&token.record.owner),
            Role::Admin | Role::System => true,
        };
        let Some(mut found) = found.filter(is_visible) else {
            return Err(self.rejected_actor(by, RejectReason::NotFound, Some(id), Error::NotFound));
        };
        // Shows the uses of a moment ago. If they cannot be written, they keep waiting.
        if self.uses().has(id) && self.write_use_of(id).await.is_ok_and(|updated| updated > 0) {
            found = self.read(id).await?.ok_or(Error::NotFound)?;
        }
        Ok(found)
    }

    /// Reads a token if the actor may change it.
    async fn editable(&self, by: &Actor, id: TokenId) -> Result<StoredToken, Error> {
        let found = self.visible(by, id).await?;
        match by.role() {
            Role::Admin if by.subject() != Some(&found.record.owner) => {
                Err(self.not_permitted(by, Some(id), PermissionError::OnlyItsOwner))
            }
            Role::Owner | Role::Admin | Role::System => Ok(found),
        }
    }

    /// Whether a token that starts now or started then may end at that time.
    fn within_lifetime(&self, start: Timestamp, end: Option<Timestamp>) -> Result<(), String> {
        let Some(longest) = self.limits().longest_lifetime else {
            return Ok(());
        };
        match end {
            Some(end) if end.duration_since(start) <= longest => Ok(()),
            _ => Err(format!("a token lives at most {}", in_words(longest))),
        }
    }
}

/// A store that answers with another token's record is broken: nothing it said is believed.
pub(crate) fn check_record_id(id: TokenId, found: TokenId) -> Result<(), StoreError> {
    if found == id {
        return Ok(());
    }
    tracing::error!(target: "hallpass", asked = %id, "the token store answered with another token's record");
    Err(StoreError::corrupt("the record of another token"))
}

/// The span in the largest unit that it is a whole number of.
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
            .field("limits", &self.0.limits)
            .finish_non_exhaustive()
    }
}

/// Returns the owner in whose name the actor acts.
///
/// # Errors
///
/// Returns [`Error::Invalid`] if the actor is a system actor without a subject.
fn require_subject(actor: &Actor) -> Result<&Owner, Error> {
    actor.subject().ok_or_else(|| {
        Error::invalid("owner", "say whose token it is: `Actor::system(..).on_behalf_of(..)`")
    })
}
