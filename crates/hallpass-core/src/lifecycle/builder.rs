//! The builder of a handle.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use zeroize::Zeroizing;

use super::extensions::Extensions;
use super::owner_limits::OwnerLimits;
use super::superseded::SupersededSecrets;
use super::{Hallpass, Inner};
use crate::catalog::Catalog;
use crate::clock::{Clock, SystemClock};
use crate::digest::Digester;
use crate::digest_upgrades::DigestUpgrades;
use crate::event::{EventSink, RejectReason};
use crate::expiry::{Expiry, boundary};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::owner::{ErasedOwnerDirectory, OwnerDirectory};
use crate::pepper::{KeyId, KeyIdError, Pepper, PepperError};
use crate::throttle::Throttle;
use crate::token::{ChecksumKey, ChecksumKeyError, Checksums, Prefix, PrefixError};
use crate::usage::UseLog;
use crate::verify::HandleId;
use crate::verify::backend::{Backend, ErasedBackend};

/// The settings that a handle keeps as they are.
pub(super) struct Settings {
    pub(super) backend: Box<dyn ErasedBackend>,
    pub(super) catalog: Option<Catalog>,
    pub(super) limits: Limits,
    pub(super) owners: Option<Arc<dyn ErasedOwnerDirectory>>,
    pub(super) clock: Box<dyn Clock>,
    pub(super) events: Option<Box<dyn EventSink>>,
    pub(super) zone: TimeZone,
    pub(super) audit_retention: SignedDuration,
    pub(super) not_before: Option<Timestamp>,
    pub(super) extensions: Extensions,
}

/// A builder for a [`Hallpass`] handle. Every setting has a default.
///
/// Integrations add settings by extension traits, which the prelude of the crate `hallpass`
/// contains:
///
/// - [`step_up` and `trusted_proxies`](https://docs.rs/hallpass-axum/latest/hallpass_axum/trait.HallpassBuilderExt.html)
///   for the management API
/// - [`realm`, `problem_type_prefix` and `on_rejection`](https://docs.rs/hallpass-tower/latest/hallpass_tower/trait.RejectionBuilderExt.html)
///   for rejections
///
/// ```
/// use hallpass_core::{Catalog, CatalogScope, Expiry, Hallpass, Limits};
/// # use hallpass_memory::MemoryStore;
///
/// let hallpass = Hallpass::builder(MemoryStore::new())
///     .prefix("acme")
///     .catalog(Catalog::new().scope(CatalogScope::new("projects:read", "Read projects").per("id")))
///     .limits(Limits::default().tokens_per_owner(10).default_expiry(Expiry::days(30)))
///     .pepper("2026", *b"32 random bytes from the secrets")
///     .build();
/// assert_eq!(hallpass.prefix().as_str(), "acme");
/// ```
#[must_use = "a builder does nothing until `build`"]
pub struct HallpassBuilder {
    settings: Settings,
    prefix: String,
    accepted: Vec<String>,
    pepper: Option<(String, Zeroizing<Vec<u8>>)>,
    retired_peppers: Vec<(String, Zeroizing<Vec<u8>>)>,
    require_pepper: bool,
    checksum_key: Option<Zeroizing<Vec<u8>>>,
    retired_checksum_keys: Vec<Zeroizing<Vec<u8>>>,
    accept_unkeyed_checksums: bool,
}

impl HallpassBuilder {
    pub(super) fn new(backend: impl Backend) -> Self {
        Self {
            settings: Settings {
                backend: Box::new(backend),
                catalog: None,
                limits: Limits::default(),
                owners: None,
                clock: Box::new(SystemClock),
                events: None,
                zone: TimeZone::UTC,
                audit_retention: DEFAULT_RETENTION,
                not_before: None,
                extensions: Extensions::default(),
            },
            prefix: Prefix::default().to_string(),
            accepted: Vec::new(),
            pepper: None,
            retired_peppers: Vec::new(),
            require_pepper: false,
            checksum_key: None,
            retired_checksum_keys: Vec::new(),
            accept_unkeyed_checksums: true,
        }
    }

    /// Sets the prefix of new tokens, which matches `[a-z][a-z0-9]{0,15}`. The default is `hp`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Adds a prefix that was used in the past. Tokens with it still work.
    pub fn accept_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.accepted.push(prefix.into());
        self
    }

    /// Sets the pepper for new digests and its name. A pepper is a secret key of at least 32 bytes
    /// that is kept outside the store. Without one, digests are plain SHA-256.
    ///
    /// Tokens whose digests were computed without a pepper keep working unless
    /// [`require_pepper`](Self::require_pepper) is set. So do those of a
    /// [`retired_pepper`](Self::retired_pepper). Their digests are replaced when they are used.
    pub fn pepper(mut self, key_id: impl Into<String>, key: impl Into<Vec<u8>>) -> Self {
        self.pepper = Some((key_id.into(), Zeroizing::new(key.into())));
        self
    }

    /// Adds a pepper that was used in the past. Tokens with its digests still work. Their digests
    /// are replaced when they are used.
    pub fn retired_pepper(mut self, key_id: impl Into<String>, key: impl Into<Vec<u8>>) -> Self {
        self.retired_peppers.push((key_id.into(), Zeroizing::new(key.into())));
        self
    }

    /// Rejects every token whose digest was computed without a pepper.
    ///
    /// Use it in an emergency, if digests have leaked. Set a new pepper, leave out the old ones,
    /// and call this. All existing tokens then stop working.
    ///
    /// With this setting, [`Hallpass::ensure`] cannot create tokens, because their digests are
    /// computed elsewhere and without the pepper.
    pub fn require_pepper(mut self) -> Self {
        self.require_pepper = true;
        self
    }

    /// Sets the key for the checksums of new tokens, which has at least 32 bytes.
    ///
    /// The checksum is then an HMAC-SHA-256 tag, cut to 35 bits. Without a key it is CRC-32, which
    /// anybody can compute. With a key, forged tokens are rejected without querying the cache or
    /// the store. This takes effect once all tokens have keyed checksums and
    /// [`accept_unkeyed_checksums`](Self::accept_unkeyed_checksums) is turned off. Each check then
    /// computes one more hash.
    ///
    /// Secret scanners find such tokens by the same pattern. To verify the checksum of a match they
    /// need the key: see [`PresentedToken::inspect_keyed`](crate::PresentedToken::inspect_keyed).
    pub fn checksum_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.checksum_key = Some(Zeroizing::new(key.into()));
        self
    }

    /// Adds a checksum key that was used in the past. Tokens with its checksums still work.
    pub fn retired_checksum_key(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.retired_checksum_keys.push(Zeroizing::new(key.into()));
        self
    }

    /// Sets whether tokens that were issued before a [`checksum_key`](Self::checksum_key) was set
    /// still work. Their checksums are CRC-32. The default is `true`.
    pub fn accept_unkeyed_checksums(mut self, accept: bool) -> Self {
        self.accept_unkeyed_checksums = accept;
        self
    }

    /// Sets the catalog of the application's scopes. Without a catalog, a token may hold any valid
    /// scope.
    pub fn catalog(mut self, catalog: Catalog) -> Self {
        self.settings.catalog = Some(catalog);
        self
    }

    /// Sets the limits on the tokens of each owner.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    /// Sets the directory that reports the status of owners. Without a directory, every owner is
    /// [active](crate::OwnerStatus::Active).
    pub fn owner_directory(mut self, owners: impl OwnerDirectory) -> Self {
        self.settings.owners = Some(Arc::new(owners));
        self
    }

    /// Sets the clock. Use it in tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.settings.clock = Box::new(clock);
        self
    }

    /// Sets a receiver of events. Events go to `tracing` as well.
    pub fn events(mut self, sink: impl EventSink) -> Self {
        self.settings.events = Some(Box::new(sink));
        self
    }

    /// Sets the time zone of expiry dates. A token that is valid through a day expires at the end
    /// of that day in this zone. The default is UTC.
    pub fn time_zone(mut self, zone: TimeZone) -> Self {
        self.settings.zone = zone;
        self
    }

    /// Sets how long entries of the audit trail are kept before [`Hallpass::prune`] deletes them.
    ///
    /// The default is 400 days, and the minimum is one day, because caches follow the same log.
    pub fn audit_retention(mut self, retention: SignedDuration) -> Self {
        self.settings.audit_retention = retention;
        self
    }

    /// Rejects every token on this node whose secret was issued before that time, regardless of
    /// what the store contains. Use it in an emergency, until [`Hallpass::revoke_everyone`] has
    /// returned.
    ///
    /// The previous secret of a grace period counts as issued when its token was created.
    pub fn not_before(mut self, time: Timestamp) -> Self {
        self.settings.not_before = Some(boundary(time));
        self
    }

    /// Attaches a setting of an integration to the handle, so that everything built from the handle
    /// shares it. There is one value per type. hallpass-tower and hallpass-axum use this in their
    /// extension traits.
    pub fn extension<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.settings.extensions.insert(value);
        self
    }

    /// Returns a setting attached with [`extension`](Self::extension), to be changed.
    pub fn extension_mut<T: Any + Send + Sync + Default>(&mut self) -> &mut T {
        self.settings.extensions.get_or_default()
    }

    /// Builds the handle.
    ///
    /// # Panics
    ///
    /// Panics if a setting is invalid. If settings come from outside the program, use
    /// [`try_build`](Self::try_build).
    #[must_use]
    #[track_caller]
    pub fn build(self) -> Hallpass {
        match self.try_build() {
            Ok(hallpass) => hallpass,
            Err(error) => panic!("{error}"),
        }
    }

    /// Builds the handle.
    ///
    /// # Errors
    ///
    /// Returns the [`BuildError`] of the first setting that is invalid.
    pub fn try_build(self) -> Result<Hallpass, BuildError> {
        let prefixes = std::iter::once(&self.prefix)
            .chain(&self.accepted)
            .map(|prefix| prefix.parse())
            .collect::<Result<Vec<Prefix>, _>>()?;
        if self.require_pepper && self.pepper.is_none() {
            return Err(BuildError::NoPepper);
        }
        // Without a current pepper, new digests are plain even if there are retired peppers.
        let has_pepper = self.pepper.is_some();
        let mut peppers: Vec<(KeyId, Pepper)> = Vec::new();
        for pepper in self.pepper.into_iter().chain(self.retired_peppers) {
            let (id, pepper) = read_pepper(pepper)?;
            if peppers.iter().any(|(known, _)| *known == id) {
                return Err(BuildError::DuplicatePepper(id));
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
        if self.settings.audit_retention < MIN_RETENTION {
            return Err(BuildError::AuditRetention);
        }
        let limits = &self.settings.limits;
        match (limits.default_expiry, limits.longest_lifetime) {
            (Expiry::Never, Some(_)) => return Err(BuildError::DefaultExpiry),
            (Expiry::In(span), Some(longest)) if span > longest => {
                return Err(BuildError::DefaultExpiry);
            }
            (Expiry::In(span), _) if span < Expiry::MIN_SPAN => {
                return Err(BuildError::ShortDefaultExpiry);
            }
            _ => {}
        }
        Ok(Hallpass(Arc::new(Inner {
            settings: self.settings,
            prefixes,
            checksums: Checksums::keyed(checksum_keys, self.accept_unkeyed_checksums),
            digester: Digester::new(has_pepper, peppers, self.require_pepper),
            uses: UseLog::default(),
            digest_upgrades: DigestUpgrades::default(),
            superseded: SupersededSecrets::default(),
            owner_limits: OwnerLimits::default(),
            rejections: [const { Throttle::new() }; RejectReason::ALL.len()],
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
            .field("limits", &self.settings.limits)
            .finish_non_exhaustive()
    }
}

/// The default time for which entries of the audit trail are kept.
const DEFAULT_RETENTION: SignedDuration = SignedDuration::from_hours(400 * 24);

/// The minimum time. A cache that was disconnected reads the entries that it missed, so the log
/// must contain at least the last day.
const MIN_RETENTION: SignedDuration = SignedDuration::from_hours(24);

/// The error for an invalid setting of the builder.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A prefix is invalid.
    #[error(transparent)]
    Prefix(#[from] PrefixError),
    /// The name of a pepper is invalid.
    #[error(transparent)]
    KeyId(#[from] KeyIdError),
    /// A pepper is too short.
    #[error(transparent)]
    Pepper(#[from] PepperError),
    /// Two peppers have the same name.
    #[error("two peppers are named {0}: give each pepper its own name")]
    DuplicatePepper(KeyId),
    /// A pepper is required, but there is none.
    #[error("`require_pepper` needs a pepper: set one with `pepper`")]
    NoPepper,
    /// A checksum key is too short.
    #[error(transparent)]
    ChecksumKey(#[from] ChecksumKeyError),
    /// A setting about checksums needs a current checksum key.
    #[error(
        "`retired_checksum_key` and `accept_unkeyed_checksums(false)` need a current key: set one \
         with `checksum_key`"
    )]
    NoChecksumKey,
    /// The default expiry is less than a minute.
    #[error("the default expiry must be at least a minute ahead: set `Limits::default_expiry`")]
    ShortDefaultExpiry,
    /// The default expiry is longer than the longest lifetime.
    #[error(
        "the default expiry must be within `Limits::longest_lifetime`: set `Limits::default_expiry`"
    )]
    DefaultExpiry,
    /// The retention of the audit trail is shorter than a day.
    #[error("`audit_retention` must be at least 24 hours, because caches follow the same log")]
    AuditRetention,
}
