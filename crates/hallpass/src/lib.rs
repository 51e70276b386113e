//! Personal access tokens for axum, tower, hyper and tonic services: people issue them, programs
//! call with them, every route enforces its scope, and a revoked token is dead.
//!
#![doc = include_str!("docs/overview.md")]

#[cfg(feature = "axum")]
pub use hallpass_axum as axum;
pub use hallpass_core as core;
pub use hallpass_tower as tower;

#[cfg(feature = "axum")]
pub use hallpass_axum::{
    Authenticated, Confirmation, GuardedRouter, RequiredScope, Scoped, TokenApi, TrustedProxies,
};
#[cfg(feature = "cache")]
pub use hallpass_cache::{CacheSettings, Cached};
#[cfg(feature = "dashboard")]
pub use hallpass_dashboard::Dashboard;
#[cfg(feature = "memory")]
pub use hallpass_memory::MemoryStore;
#[cfg(feature = "postgres")]
pub use hallpass_postgres::{PostgresSettings, PostgresStore};
#[cfg(feature = "redis")]
pub use hallpass_redis::{RedisSettings, RedisStore};
#[cfg(feature = "sqlite")]
pub use hallpass_sqlite::SqliteStore;

pub use hallpass_core::{
    Actor, AuditOptions, AuditTrail, AuthError, BuildError, Catalog, CatalogScope, Clock,
    DeletedTokens, Ensured, Error, Event, EventKind, EventSink, Expiry, FieldChange, FieldError,
    Hallpass, HallpassBuilder, Issued, KnownToken, Limits, ListOptions, Metadata, MetadataError,
    NewToken, Origin, Owner, OwnerDirectory, OwnerError, OwnerStatus, PendingUse,
    PendingVerification, PermissionError, PlainToken, Prefix, PresentedToken, Preset, Principal,
    RegenerateOptions, RejectReason, Requirement, Revision, RevokedTokens, Role, Scope, ScopeError,
    ScopeSet, Status, SystemClock, TokenId, TokenPage, TokenRecord, TokenUpdate, Uncommitted,
    Verification, WeakHallpass, all_of, any_of, authenticated, jiff, public, store,
};
pub use hallpass_tower::{
    CredentialSource, IntoPrincipal, PolicyTable, Rejection, RejectionKind, TokenLayer, require,
};

/// The traits whose methods the examples call: `use hallpass::prelude::*;`.
pub mod prelude {
    #[cfg(feature = "axum")]
    pub use hallpass_axum::{HallpassBuilderExt, HallpassExt, HandlerExt, TokenLayerExt};
    #[cfg(not(feature = "axum"))]
    pub use hallpass_tower::HallpassExt;
    pub use hallpass_tower::{HallpassBuilderExt as _, PrincipalExt};
}

/// The README's and the guide's snippets, compiled and run.
#[cfg(all(
    doctest,
    feature = "axum",
    feature = "cache",
    feature = "dashboard",
    feature = "memory",
    feature = "openapi",
    feature = "postgres",
    feature = "redis",
    feature = "sqlite",
    feature = "trace"
))]
mod snippets {
    macro_rules! page {
        ($name:ident, $path:literal) => {
            #[doc = include_str!($path)]
            mod $name {}
        };
    }

    page!(readme, "../../../README.md");
    page!(start, "../../../docs/start.md");
    page!(dashboard, "../../../docs/dashboard.md");
    page!(confirmation, "../../../docs/confirmation.md");
    page!(scopes, "../../../docs/scopes.md");
    page!(audit, "../../../docs/audit.md");
    page!(layer, "../../../docs/layer.md");
    page!(routes, "../../../docs/routes.md");
    page!(stores, "../../../docs/stores.md");
    page!(operating, "../../../docs/operating.md");
    page!(testing, "../../../docs/testing.md");
    page!(security, "../../../docs/security.md");
}
