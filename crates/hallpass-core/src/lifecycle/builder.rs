use std::any::Any;
use std::fmt;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::extensions::Extensions;
use super::rejections::RejectionThrottle;
use super::superseded::SupersededSecrets;
use super::{Hallpass, Inner};
use crate::catalog::Catalog;
use crate::clock::{Clock, SystemClock};
use crate::digest::{Digester, KeyId, KeyIdError, Pepper, PepperError};
use crate::digest_upgrades::DigestUpgrades;
use crate::event::EventSink;
use crate::expiry::Expiry;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::owner::{ErasedOwnerDirectory, OwnerDirectory};
use crate::token::{ChecksumKey, ChecksumKeyError, Checksums, Prefix, PrefixError};
use crate::usage::UseLog;
use crate::verify::HandleId;
use crate::verify::backend::{Backend, ErasedBackend};

/// Puts a [`Hallpass`] together. Every setting has a default.
#[must_use = "a builder does nothing until `build`"]
pub struct HallpassBuilder {
    backend: Box<dyn ErasedBackend>,
    prefix: String,
    accepted: Vec<String>,
    pepper: Option<(String, Zeroizing<Vec<u8>>)>,
    retired_peppers: Vec<(String, Zeroizing<Vec<u8>>)>,
    require_pepper: bool,
    checksum_key: Option<Zeroizing<Vec<u8>>>,
    retired_checksum_keys: Vec<Zeroizing<Vec<u8>>>,
    accept_unkeyed_checksums: bool,
    catalog: Option<Catalog>,
    limits: Limits,
    owners: Option<Arc<dyn ErasedOwnerDirectory>>,
    clock: Box<dyn Clock>,
    events: Option<Box<dyn EventSink>>,
    zone: TimeZone,
    audit_retention: SignedDuration,
    not_before: Option<Timestamp>,
    extensions: Extensions,
}

impl HallpassBuilder {
    pub(super) fn new(backend: impl Backend) -> Self {
        Self {
            backend: Box::new(backend),
            prefix: Prefix::default().to_string(),
            accepted: Vec::new(),
            pepper: None,
            retired_peppers: Vec::new(),
            require_pepper: false,
            checksum_key: None,
            retired_checksum_keys: Vec::new(),
            accept_unkeyed_checksums: true,
            catalog: None,
            limits: Limits::default(),
            owners: None,
            clock: Box::new(SystemClock),
            events: None,
            zone: TimeZone::UTC,
            audit_retention: DEFAULT_RETENTION,
            not_before: None,
            extensions: Extensions::default(),
        }
    }

    /// The mark at the front of every new token: `[a-z][a-z0-9]{0,15}`, `hp` by default.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// A retired prefix, whose tokens still work.
    pub fn accept_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.accepted.push(prefix.into());
        self
    }

    /// Sets the key under which new digests are made, and its name. It has at least 32 bytes, and
    /// is kept outside the store. Without a pepper, digests are plain SHA-256 of 256 random bits
    /// and the token's prefix and id.
    ///
    /// Digests that were made without a pepper keep working unless
    /// [`require_pepper`](Self::require_pepper) is set, and so do those of a
    /// [`retired_pepper`](Self::retired_pepper). They are replaced when their token is used.
    pub fn pepper(mut self, key_id: impl Into<String>, key: impl Into<Vec<u8>>) -> Self {
        self.pepper = Some((key_id.into(), Zeroizing::new(key.into())));
        self
    }

    /// Adds a pepper that made digests in the past. Their tokens still work, and get a new digest
    /// when they are used.
    pub fn retired_pepper(mut self, key_id: impl Into<String>, key: impl Into<Vec<u8>>) -> Self {
        self.retired_peppers.push((key_id.into(), Zeroizing::new(key.into())));
        self
    }

    /// Rejects every token whose digest was made without a pepper. It is the emergency step if
    /// digests have leaked: set a new pepper, leave the old ones out, and call this. No token of
    /// before works then.
    ///
    /// [`Hallpass::ensure`] cannot create tokens under this setting, because their digests are made
    /// elsewhere, without the pepper.
    pub fn require_pepper(mut self) -> Self {
        self.require_pepper = true;
        self
    }

    /// Makes the checksums of new tokens under a key of the host's: the last six characters are
    /// then an HMAC-SHA-256 tag, cut to 35 bits. Without a key they are CRC-32, which anybody can
    /// compute. The key has at least 32 bytes.
    ///
    /// Made-up tokens are then rejected before a cache or a store is asked. That takes effect when
    /// no token of before is left and [`accept_unkeyed_checksums`](Self::accept_unkeyed_checksums)
    /// is turned off. Each check costs one more hash.
    ///
    /// Secret scanners find the tokens by the same pattern, but cannot tell a token from a text of
    /// the same shape without the key: see
    /// [`PresentedToken::inspect_keyed`](crate::PresentedToken::inspect_keyed).
    pub fn checksum_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.checksum_key = Some(Zeroizing::new(key.into()));
        self
    }

    /// Adds a key that made checksums in the past. Their tokens still work.
    pub fn retired_checksum_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.retired_checksum_keys.push(Zeroizing::new(key.into()));
        self
    }

    /// Sets whether tokens with a CRC-32 checksum are accepted although there is a
    /// [`checksum_key`](Self::checksum_key): those that were issued before there was a key. They are by
    /// default.
    pub fn accept_unkeyed_checksums(mut self, accept: bool) -> Self {
        self.accept_unkeyed_checksums = accept;
        self
    }

    /// The scopes the application knows. Without a catalog any well-formed scope may be held.
    pub fn catalog(mut self, catalog: Catalog) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// The bounds on people's tokens.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The host's word on what an owner may do now. Without it, every owner may do all that their
    /// tokens hold.
    pub fn owner_directory(mut self, owners: impl OwnerDirectory) -> Self {
        self.owners = Some(Arc::new(owners));
        self
    }

    /// Where the time comes from, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// Where events go, besides `tracing`.
    pub fn events(mut self, sink: impl EventSink) -> Self {
        self.events = Some(Box::new(sink));
        self
    }

    /// In which zone a date ends, when a token is valid through a day. UTC by default.
    pub fn time_zone(mut self, zone: TimeZone) -> Self {
        self.zone = zone;
        self
    }

    /// Sets how long entries of the audit trail are kept before [`Hallpass::prune`] deletes them:
    /// 400 days by default, and at least one day, because caches read the same log.
    pub fn audit_retention(mut self, retention: SignedDuration) -> Self {
        self.audit_retention = retention;
        self
    }

    /// Rejects every token whose secret was issued before that time, on this node, whatever the
    /// store says. The previous secret of a grace period counts as issued when its token was
    /// created. Use it in an emergency, until [`Hallpass::revoke_everyone`] has returned.
    pub fn not_before(mut self, time: Timestamp) -> Self {
        self.not_before = Some(time);
        self
    }

    /// Attaches a setting of an integration to the handle, so that everything built from the handle
    /// shares it. There is one value per type. Used through the extension traits of hallpass-tower and
    /// hallpass-axum.
    pub fn extension<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.extensions.insert(value);
        self
    }

    /// Returns a setting attached with [`extension`](Self::extension), to be changed.
    pub fn extension_mut<T: Any + Send + Sync + Default>(&mut self) -> &mut T {
        self.extensions.get_or_default()
    }

    /// The handle.
    ///
    /// # Panics
    ///
    /// A setting is wrong: told at start-up, with what would be right. Where settings come from
    /// outside the program, use [`try_build`](Self::try_build).
    #[must_use]
    #[track_caller]
    pub fn build(self) -> Hallpass {
        match self.try_build() {
            Ok(hallpass) => hallpass,
            Err(error) => panic!("{error}"),
        }
    }

    /// The handle.
    ///
    /// # Errors
    ///
    /// A setting is wrong.
    pub fn try_build(self) -> Result<Hallpass, BuildError> {
        let prefixes = std::iter::once(&self.prefix)
            .chain(&self.accepted)
            .map(|prefix| prefix.parse())
            .collect::<Result<Vec<Prefix>, _>>()?;
        if self.require_pepper && self.pepper.is_none() {
            return Err(BuildError::NoPepper);
        }
        // Without a current pepper, new digests are plain, whatever peppers are retired.
        let has_pepper = self.pepper.is_some();
        let mut peppers: Vec<(KeyId, Pepper)> = Vec::new();
        for pepper in self.pepper.into_iter().chain(self.retired_peppers) {
            let (id, pepper) = read_pepper(pepper)?;
            if peppers.iter().any(|(known, _)| *known == id) {
                return Err(BuildError::PepperTwice(id));
            }
            peppers.push((id, pepper));
        }
        let needs_checksum_key =
            !self.accept_unkeyed_checksums || !self.retired_checksum_keys.is_empty();
        if needs_checksum_key && self.checksum_key.is_none() {
            return Err(BuildError::NoChecksumKey);
        }
        let checksum_keys = self
            .checksum_key
            .into_iter()
            .chain(self.retired_checksum_keys)
            .map(|mut key| ChecksumKey::new(std::mem::take(&mut *key)))
            .collect::<Result<_, _>>()?;
        if self.audit_retention < SHORTEST_RETENTION {
            return Err(BuildError::AuditRetention);
        }
        if let Some(longest) = self.limits.longest_lifetime {
            match self.limits.default_expiry {
                Expiry::Never => return Err(BuildError::DefaultExpiry),
                Expiry::In(span) if span > longest => return Err(BuildError::DefaultExpiry),
                Expiry::In(_) | Expiry::At(_) | Expiry::Through(_) => {}
            }
        }
        if matches!(self.limits.default_expiry, Expiry::In(span) if span < Expiry::SHORTEST) {
            return Err(BuildError::ShortDefaultExpiry);
        }
        Ok(Hallpass(Arc::new(Inner {
            backend: self.backend,
            prefixes,
            checksums: Checksums::keyed(checksum_keys, self.accept_unkeyed_checksums),
            digester: Digester::new(has_pepper, peppers, self.require_pepper),
            catalog: self.catalog,
            limits: self.limits,
            owners: self.owners,
            clock: self.clock,
            events: self.events,
            zone: self.zone,
            audit_retention: self.audit_retention,
            not_before: self.not_before,
            extensions: self.extensions,
            uses: UseLog::default(),
            digest_upgrades: DigestUpgrades::default(),
            superseded: SupersededSecrets::default(),
            rejections: RejectionThrottle::default(),
            metrics: Metrics::default(),
            id: HandleId::next(),
        })))
    }
}

fn read_pepper((id, mut key): (String, Zeroizing<Vec<u8>>)) -> Result<(KeyId, Pepper), BuildError> {
    Ok((id.parse()?, Pepper::new(std::mem::take(&mut *key))?))
}

impl fmt::Debug for HallpassBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HallpassBuilder")
            .field("prefix", &self.prefix)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// How long entries of the audit trail are kept by default.
const DEFAULT_RETENTION: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Caches need the log of a day.
const SHORTEST_RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// A setting of the builder is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A prefix is none.
    #[error(transparent)]
    Prefix(#[from] PrefixError),
    /// A pepper's name is none.
    #[error(transparent)]
    KeyId(#[from] KeyIdError),
    /// A pepper is too short.
    #[error(transparent)]
    Pepper(#[from] PepperError),
    /// Two peppers have one name.
    #[error("two peppers are named {0}: each key has a name of its own")]
    PepperTwice(KeyId),
    /// A pepper is required, and there is none.
    #[error("`require_pepper` needs a pepper: set one with `pepper`")]
    NoPepper,
    /// A checksum key is too short.
    #[error(transparent)]
    ChecksumKey(#[from] ChecksumKeyError),
    /// A setting about checksums needs a current checksum key.
    #[error(
        "retired checksum keys and the refusal of unkeyed checksums need a current key: set one \
         with `checksum_key`"
    )]
    NoChecksumKey,
    /// The default expiry is less than a minute.
    #[error("the default expiry must be at least a minute ahead: set `Limits::default_expiry`")]
    ShortDefaultExpiry,
    /// The default expiry is beyond the longest lifetime.
    #[error(
        "tokens have a longest lifetime, so they need a default expiry within it: set `Limits::default_expiry`"
    )]
    DefaultExpiry,
    /// The audit trail is kept for less than a day.
    #[error("audit_retention is at least 24 hours, because caches read the same log")]
    AuditRetention,
}
