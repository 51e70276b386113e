//! The domain of [Hallpass](https://docs.rs/hallpass) personal access tokens: tokens, scopes, their
//! lifecycle, their verification, and the trait that a store implements.
//!
//! This crate contains no HTTP and no I/O. Applications depend on the crate `hallpass` instead. Use
//! this crate directly to write a store, or an integration for a protocol other than HTTP.
//!
//! | task | start with |
//! |---|---|
//! | issue, list, change and revoke tokens | [`Hallpass`] |
//! | check a token | [`Hallpass::authenticate`], [`Principal`] |
//! | define what a route requires | [`Requirement`], [`any_of`], [`all_of`], [`authenticated`], [`public`] |
//! | define the scopes of an application | [`Catalog`] |
//! | write a store | [`store::TokenStore`] |
//!
//! # How a token is checked
//!
//! A token is the text `<prefix>_<id><secret><checksum>`. A check takes these steps, and the first
//! one that fails rejects the token:
//!
//! 1. The text is parsed: prefix, length, characters and checksum. This needs no I/O.
//! 2. The record with that id is taken from the cache, or loaded from the store.
//! 3. The secret is compared with the record's digests, in constant time.
//! 4. The token must not be revoked or expired, and its owner must not be disabled.
//! 5. The token's scopes must meet the requirement of the route.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use hallpass_core::{Actor, Hallpass, NewToken, Requirement};
//! # use hallpass_memory::MemoryStore;
//!
//! let hallpass = Hallpass::builder(MemoryStore::new()).prefix("acme").build();
//! let new = NewToken::named("ci").scope("projects:read");
//! let issued = hallpass.issue(&Actor::owner("alice"), new).await?;
//!
//! let principal = hallpass.authenticate(issued.token.reveal().as_bytes()).await?;
//! let requirement: Requirement = "projects:read:{id}".parse()?;
//! assert!(principal.check(&requirement, &[("id", "42")]).is_allowed());
//! # Ok(()) }
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

mod actor;
mod catalog;
mod clock;
mod cursor;
mod digest;
mod digest_text;
mod digest_upgrades;
mod error;
mod event;
mod expiry;
mod field_change;
mod hex;
mod hmac_key;
mod lifecycle;
mod limits;
mod log_once;
mod metadata;
mod metrics;
mod owner;
mod pepper;
mod record;
mod requirement;
mod scope;
#[cfg(feature = "serde")]
mod serde_impls;
pub mod store;
mod sync;
mod text;
mod throttle;
mod token;
mod usage;
mod verify;

/// The date library. Records and settings contain its [`Timestamp`](jiff::Timestamp).
pub use jiff;

pub use self::{
    actor::{Actor, Origin, Role},
    catalog::{Catalog, CatalogScope, Preset},
    clock::{Clock, SystemClock},
    digest::{Digest, DigestError},
    error::{Error, FieldError, PermissionError},
    event::{Event, EventKind, EventKindError, EventSink, RejectReason},
    expiry::{Expiry, ExpiryError, parse_span},
    field_change::FieldChange,
    lifecycle::{
        AuditOptions, AuditTrail, BuildError, DeletedTokens, EnsureOutcome, ExpiryInput, Hallpass,
        HallpassBuilder, Issued, KnownToken, ListOptions, MAX_GRACE_PERIOD, NewToken,
        RegenerateOptions, RevokedTokens, SpanInput, TokenPage, TokenUpdate, Uncommitted,
        WeakHallpass,
    },
    limits::Limits,
    metadata::{Metadata, MetadataError},
    owner::{Owner, OwnerDirectory, OwnerError, OwnerStatus},
    pepper::{KeyId, KeyIdError, PepperError},
    record::{Revision, Status, TokenRecord},
    requirement::{
        Decision, IntoRequirement, PathParameters, Requirement, RequirementError, all_of, any_of,
        authenticated, public,
    },
    scope::{Scope, ScopeError, ScopeSet},
    text::{DESCRIPTION_MAX, NAME_MAX, fold, fold_beyond_ascii},
    token::{
        ChecksumKey, ChecksumKeyError, ParseTokenError, PlainToken, Prefix, PrefixError,
        PresentedToken, TokenId, TokenIdError,
    },
    verify::{AuthError, PendingUse, PendingVerification, Principal, Verification},
};

/// Items for the other crates of this workspace. They may change in any version.
#[doc(hidden)]
pub mod __private {
    pub use crate::log_once::LogOnce;
    pub use crate::owner::OwnerStatusQuery;
    pub use crate::throttle::Throttle;
    pub use crate::token::layout::{
        BODY_LEN as TOKEN_BODY_LEN, MAX_LEN as MAX_TOKEN_LEN, find_bodies,
    };
    pub use crate::verify::backend::{Backend, Freshness, HostError, Lookup};
    pub use crate::verify::{CacheMeta, CachedToken, Interner};
}

/// Fails to compile if a public type is no longer `Send`, `Sync` and `'static`.
const _: () = {
    const fn sendable<T: Send + Sync + 'static>() {}
    sendable::<Hallpass>();
    sendable::<Principal>();
    sendable::<Requirement>();
    sendable::<Error>();
    sendable::<PlainToken>();
    sendable::<PendingVerification>();
    sendable::<PendingUse>();
};
