//! The domain of [Hallpass](https://docs.rs/hallpass) personal access tokens: what a token is, what
//! it may do, how it lives and ends, and the one trait a store implements.
//!
//! There is no HTTP and no I/O here. Applications use the `hallpass` crate. This crate is for those
//! who write a store, or an integration for something that is not HTTP.
//!
//! | to | look at |
//! |---|---|
//! | issue, list, change, revoke | [`Hallpass`] |
//! | check a token | [`Hallpass::authenticate`], [`Principal`] |
//! | say what a route needs | [`Requirement`], [`any_of`], [`all_of`], [`authenticated`], [`public`] |
//! | name the scopes there are | [`Catalog`] |
//! | write a store | [`store::TokenStore`] |

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
mod hmac_key;
mod lifecycle;
mod limits;
mod metadata;
mod metrics;
mod owner;
mod record;
mod requirement;
mod scope;
#[cfg(feature = "serde")]
mod serde_impls;
pub mod store;
mod sync;
mod text;
mod token;
mod usage;
mod verify;

/// The times in records and settings are its [`Timestamp`](jiff::Timestamp)s.
pub use jiff;

pub use self::{
    actor::{Actor, Origin, Role},
    catalog::{Catalog, CatalogScope, Preset},
    clock::{Clock, SystemClock},
    digest::{Digest, DigestError, KeyId, KeyIdError, Pepper, PepperError},
    error::{Error, FieldError, PermissionError},
    event::{Event, EventKind, EventKindError, EventSink, RejectReason},
    expiry::{Expiry, ExpiryError, parse_span},
    field_change::FieldChange,
    lifecycle::{
        AuditOptions, AuditTrail, BuildError, DeletedTokens, Ensured, ExpiryInput, Hallpass,
        HallpassBuilder, Issued, KnownToken, ListOptions, MAX_GRACE_PERIOD, NewToken,
        RegenerateOptions, RevokedTokens, SpanInput, TokenPage, TokenUpdate, Uncommitted,
        WeakHallpass,
    },
    limits::Limits,
    metadata::{Metadata, MetadataError},
    owner::{Owner, OwnerDirectory, OwnerError, OwnerStatus},
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

/// What the other crates of this workspace share. It may change in any version.
#[doc(hidden)]
pub mod __private {
    pub use crate::owner::OwnerStatusQuery;
    pub use crate::verify::backend::{Backend, Freshness, HostError, Lookup};
    pub use crate::verify::{CacheMeta, CachedToken, Interner};
}

/// Stops compiling when a public type loses what its users rely on.
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
