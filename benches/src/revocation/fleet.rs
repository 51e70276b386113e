//! Three nodes that share a store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use hallpass_cache::{CacheSettings, Cached};
use hallpass_core::jiff::Timestamp;
use hallpass_core::store::{
    AuditPage, AuditQuery, BulkResult, Change, ChangeBatch, ChangeSeq, Deleted, ListPage,
    ListQuery, LogPosition, Secrets, Snapshot, StoreError, StoredToken, TokenStore, TokenUse,
};
use hallpass_core::{Actor, Digest, Event, Hallpass, NewToken, Owner, Revision, TokenId};
use hallpass_servers::Proxy;

use crate::backend::Backend;

pub(super) const NODES: usize = 3;

/// The node that is disconnected, or whose first lookup a revocation overtakes. It never revokes.
pub(super) const LAST: usize = NODES - 1;

/// The faults between the nodes and their store.
#[derive(Clone, Copy, Default)]
pub(super) struct Trouble<'p> {
    /// Whether the nodes receive no push notifications, so that all have to poll.
    pub(super) deaf: bool,
    /// The delay of each lookup's result at the last node.
    pub(super) late: Duration,
    /// The proxy between the last node and its store.
    pub(super) network: Option<&'p Proxy>,
}

/// Starts nodes whose caches have this maximum staleness. Each has a store handle of its own.
pub(super) async fn fleet<S: Backend>(
    backend: &S,
    bound: Duration,
    trouble: Trouble<'_>,
) -> Result<Vec<Hallpass>> {
    let mut nodes = Vec::new();
    for number in 0..NODES {
        let is_last = number == LAST;
        let store = backend.open(trouble.network.filter(|_| is_last)).await?;
        let late = if is_last { trouble.late } else { Duration::ZERO };
        let store = Troubled { store, deaf: trouble.deaf, late };
        let settings = CacheSettings::default().max_staleness(bound).poll(bound / 4);
        nodes.push(Hallpass::builder(Cached::with_settings(store, settings)).build());
    }
    Ok(nodes)
}

/// A token, and an actor that may revoke it.
pub(super) struct Held {
    pub(super) by: Actor,
    pub(super) id: TokenId,
    pub(super) text: String,
}

/// Issues a token to a new owner.
pub(super) async fn issue(node: &Hallpass) -> Result<Held> {
    static OWNERS: AtomicUsize = AtomicUsize::new(0);
    let by = Actor::owner(format!("owner-{}", OWNERS.fetch_add(1, Ordering::Relaxed)));
    let issued = node.issue(&by, NewToken::named("bench").scope("projects:read")).await?;
    Ok(Held { by, id: issued.record.id, text: issued.token.reveal().to_owned() })
}

/// Returns whether the store did not respond in time. A busy machine may cause this, so it does not
/// count as a failure.
pub(super) fn is_unavailable(error: &anyhow::Error) -> bool {
    error.downcast_ref::<hallpass_core::Error>().is_some_and(hallpass_core::Error::is_unavailable)
}

/// A store with faults.
#[derive(Clone, Debug)]
pub(super) struct Troubled<S> {
    pub(super) store: S,
    pub(super) deaf: bool,
    pub(super) late: Duration,
}

impl<S: TokenStore> TokenStore for Troubled<S> {
    async fn get(&self, id: TokenId) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let found = self.store.get(id).await;
        if !self.late.is_zero() {
            tokio::time::sleep(self.late).await;
        }
        found
    }

    async fn wait_for_change(&self, seen: LogPosition) {
        if self.deaf {
            std::future::pending::<()>().await;
        } else {
            self.store.wait_for_change(seen).await;
        }
    }

    async fn close(&self) {
        self.store.close().await;
    }

    crate::forward::forward!(store:
        insert list update replace_digest delete delete_many delete_owner revoke_owner
        revoke_everyone log_owner_change record_uses prune prune_log changes audit ping
    );
}
