//! Personal access tokens for axum, tower, hyper and tonic services: people issue them, programs
//! authenticate with them, every route enforces its scope, and a revoked token is rejected.
//!
#![doc = include_str!("docs/overview.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "cache")]
mod connect;

#[cfg(feature = "cache")]
pub use self::connect::{ConnectError, connect};
#[cfg(feature = "aide")]
pub use hallpass_axum::aide_routing;
#[cfg(feature = "axum")]
pub use hallpass_axum::{
    Authenticated, Authenticator, Confirmation, FormTokenLayer, FormTokenService, GuardedRouter,
    IntoActor, IntoStepUp, RejectionResponse, RequiredScope, Scoped, ScopedHandler, SignInOutput,
    TokenApi, TrustedProxies, openapi, routing,
};
#[cfg(feature = "cache")]
pub use hallpass_cache::{CacheSettings, CacheSettingsError, Cached};
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
    Actor, AuditOptions, AuditTrail, AuthError, BuildError, Catalog, CatalogScope, ChecksumKey,
    ChecksumKeyError, Clock, DESCRIPTION_MAX, Decision, DeletedTokens, Digest, DigestError,
    EnsureOutcome, Error, Event, EventKind, EventKindError, EventSink, Expiry, ExpiryError,
    ExpiryInput, FieldChange, FieldError, Hallpass, HallpassBuilder, IntoRequirement, Issued,
    KeyId, KeyIdError, KnownToken, Limits, ListOptions, MAX_GRACE_PERIOD, Metadata, MetadataError,
    NAME_MAX, NewToken, Origin, Owner, OwnerDirectory, OwnerError, OwnerStatus, ParseTokenError,
    PathParameters, PendingUse, PendingVerification, PepperError, PermissionError, PlainToken,
    Prefix, PrefixError, PresentedToken, Preset, Principal, RegenerateOptions, RejectReason,
    Requirement, RequirementError, Revision, RevokedTokens, Role, Scope, ScopeError, ScopeSet,
    SpanInput, Status, SystemClock, TokenId, TokenIdError, TokenPage, TokenRecord, TokenUpdate,
    Uncommitted, Verification, WeakHallpass, all_of, any_of, authenticated, fold, parse_span,
    public, store,
};
#[cfg(feature = "trace")]
pub use hallpass_tower::RedactingMakeSpan;
pub use hallpass_tower::{
    Authorization, CredentialSource, FormCredential, IntoPrincipal, PROBLEM_TYPE_PREFIX,
    PolicyError, PolicyTable, Rejection, RejectionKind, RejectionSettings, Require, RequireFuture,
    RequireLayer, ResponseBody, ResponseFuture, Rule, SignInResponse, TokenLayer, TokenService,
    require, retry_after,
};

/// The crates of the stores. Each has items that only it needs, such as its `ConnectError` and its
/// driver.
pub mod stores {
    #[cfg(feature = "memory")]
    pub use hallpass_memory as memory;
    #[cfg(feature = "postgres")]
    pub use hallpass_postgres as postgres;
    #[cfg(feature = "redis")]
    pub use hallpass_redis as redis;
    #[cfg(feature = "sqlite")]
    pub use hallpass_sqlite as sqlite;
}

/// The crates whose types occur in the public API, in the versions that Hallpass uses.
pub mod deps {
    #[cfg(feature = "axum")]
    pub use hallpass_axum::{utoipa, utoipa_axum};
    pub use hallpass_core::jiff;
    #[cfg(feature = "postgres")]
    pub use hallpass_postgres::sqlx;
    #[cfg(feature = "redis")]
    pub use hallpass_redis::redis;
    #[cfg(all(feature = "sqlite", not(feature = "postgres")))]
    pub use hallpass_sqlite::sqlx;
}

/// The traits whose methods the examples call: `use hallpass::prelude::*;`.
///
/// It contains only traits, because a trait must be in scope before its methods can be called.
/// Import types by their names, such as `use hallpass::{Hallpass, Principal};`.
pub mod prelude {
    #[cfg(feature = "axum")]
    pub use hallpass_axum::{HallpassBuilderExt, HallpassExt, HandlerExt, TokenLayerExt};
    pub use hallpass_tower::{PrincipalExt, RejectionBuilderExt};
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
    page!(sign_in, "../../../docs/sign-in.md");
    page!(routes, "../../../docs/routes.md");
    page!(stores, "../../../docs/stores.md");
    page!(operating, "../../../docs/operating.md");
    page!(testing, "../../../docs/testing.md");
    page!(security, "../../../docs/security.md");
    page!(incidents, "../../../docs/incidents.md");
    page!(middleware, "../../../docs/middleware.md");
    page!(tenants, "../../../docs/tenants.md");
    page!(your_tables, "../../../docs/your-tables.md");
}
