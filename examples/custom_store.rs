//! A custom store around another one: during maintenance, it allows reads and rejects changes. A
//! store on a new database implements the same trait; `hallpass_testkit::conformance` contains a
//! complete one.
//!
//! `cargo run --example custom_store`. `POST /close` with the token that it prints begins the
//! maintenance; `DELETE /tokens/current` is a 503 from then on, and `GET /projects` still works.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::http::request::Parts;
use axum::{Router, routing::get};
use hallpass::deps::jiff::Timestamp;
use hallpass::store::*;
use hallpass::{
    Actor, Digest, Event, Hallpass, MemoryStore, NewToken, Owner, Revision, TokenApi, TokenId,
    prelude::*,
};
use tokio::net::TcpListener;

/// A store that can be closed for changes. Callers get 503 then, with `Retry-After`.
#[derive(Clone, Debug, Default)]
pub struct Maintained<S> {
    inner: S,
    closed: Arc<AtomicBool>,
}

macro_rules! changes {
    ($($name:ident($($argument:ident: $type:ty),*) -> $value:ty;)*) => {$(
        async fn $name(&self, $($argument: $type),*) -> Result<$value, StoreError> {
            if self.closed.load(Relaxed) {
                return Err(StoreError::unavailable("closed for maintenance"));
            }
            self.inner.$name($($argument),*).await
        }
    )*};
}

macro_rules! forward {
    ($($name:ident($($argument:ident: $type:ty),*) -> $value:ty;)*) => {$(
        async fn $name(&self, $($argument: $type),*) -> $value {
            self.inner.$name($($argument),*).await
        }
    )*};
}

#[rustfmt::skip] // One line for each method.
impl<S: TokenStore> TokenStore for Maintained<S> {
    changes! {
        insert(token: &StoredToken, limit: Option<u32>, event: &Event) -> ChangeSeq;
        update(change: &Change, event: &Event) -> ChangeSeq;
        replace_digest(id: TokenId, expected: &Digest, secrets: &Secrets, event: &Event) -> ChangeSeq;
        delete(id: TokenId, expected: Option<Revision>, event: &Event) -> ChangeSeq;
        delete_many(owner: Option<&Owner>, ids: &[TokenId], event: &Event) -> Deleted;
        delete_owner(owner: &Owner, event: &Event) -> BulkResult;
        revoke_owner(owner: &Owner, before: Option<Timestamp>, at: Timestamp, event: &Event) -> BulkResult;
        revoke_everyone(before: Option<Timestamp>, at: Timestamp, limit: u32, event: &Event) -> BulkResult;
        log_owner_change(owner: &Owner, event: &Event) -> ChangeSeq;
        record_uses(uses: &[TokenUse]) -> u64;
        prune(ended_before: Timestamp, limit: u32, event: &Event) -> u64;
        prune_log(written_before: Timestamp, limit: u32) -> u64;
    }
    forward! {
        get(id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError>;
        list(query: &ListQuery) -> Result<ListPage, StoreError>;
        changes(from: Option<LogPosition>, limit: u32) -> Result<ChangeBatch, StoreError>;
        audit(query: &AuditQuery) -> Result<AuditPage, StoreError>;
        wait_for_change(seen: LogPosition) -> ();
        ping() -> Result<(), StoreError>;
        close() -> ();
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = Maintained { inner: MemoryStore::new(), ..Maintained::default() };
    let closed = Arc::clone(&store.closed);
    let hallpass = Hallpass::builder(store).prefix("acme").build();
    let close = async move || closed.store(true, Relaxed);
    let app = Router::new()
        .route("/projects", get((async || "the projects\n").scoped("projects:list")))
        .route("/close", axum::routing::post(close.scoped("admin:close")))
        .layer(hallpass.layer())
        .merge(TokenApi::new(&hallpass, async |_: Parts| None::<Actor>).into_router_at("/tokens"));
    let new = NewToken::named("first").scopes(["projects:list", "admin:close"]);
    let issued = hallpass.issue(&Actor::owner("alice"), new).await?;
    println!("token: {}", issued.token.reveal());

    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
