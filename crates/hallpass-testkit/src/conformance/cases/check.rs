//! Assertions and helpers that several cases share.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass_core::store::{
    AuditEntry, AuditQuery, ChangeEntry, ChangeSeq, ChangeTarget, ListQuery, LogPosition,
    StoredToken, TokenStore,
};
use hallpass_core::{TokenId, TokenRecord};

use tokio::task::{JoinHandle, yield_now};

use crate::conformance::Replicas;
use crate::conformance::samples::at;

/// Reads a token that must exist.
pub(crate) async fn read(store: &impl TokenStore, id: TokenId) -> StoredToken {
    store.get(id).await.expect("an answer").value.expect("the token")
}

/// Returns whether a token exists.
pub(crate) async fn exists(store: &impl TokenStore, id: TokenId) -> bool {
    store.get(id).await.expect("an answer").value.is_some()
}

/// Returns the position of the newest log entry.
pub(crate) async fn head(store: &impl TokenStore) -> LogPosition {
    store.changes(None, 0).await.expect("an answer").head
}

/// The position of the first log entry, with a wrong nonce.
pub(crate) const START: LogPosition = LogPosition { seq: ChangeSeq::new(1), nonce: 0 };

/// Reads all log entries that are kept, and checks that they have no gap and end at the head.
pub(crate) async fn whole_log(store: &impl TokenStore) -> Vec<ChangeEntry> {
    let log = store.changes(Some(START), 100_000).await.expect("an answer");
    assert_unbroken(&log.entries);
    if let Some(last) = log.entries.last() {
        assert_eq!(last.position, log.head, "the log ends at its head");
    }
    log.entries
}

/// Reads the whole audit trail, oldest entry first.
pub(crate) async fn whole_trail(store: &impl TokenStore) -> Vec<AuditEntry> {
    let page = store.audit(&oldest_first(100_000)).await.expect("an answer");
    assert!(!page.more);
    page.entries
}

/// Reads the entries that were written after a position, oldest first.
pub(crate) async fn audited_since(
    store: &impl TokenStore,
    position: LogPosition,
) -> Vec<AuditEntry> {
    let query = AuditQuery { after: Some(position.seq), ..oldest_first(100_000) };
    store.audit(&query).await.expect("an answer").entries
}

/// Selects the oldest entries.
pub(crate) fn oldest_first(limit: u32) -> AuditQuery {
    AuditQuery { ascending: true, ..AuditQuery::newest(limit) }
}

/// Reads the targets of the entries that were written after a position.
pub(crate) async fn logged_since(
    store: &impl TokenStore,
    position: LogPosition,
) -> Vec<ChangeTarget> {
    let entries = store.changes(Some(position), 10_000).await.expect("an answer").entries;
    let later = entries.into_iter().filter(|entry| entry.position.seq > position.seq);
    later.map(|entry| entry.target).collect()
}

/// Fails unless the entries have consecutive numbers and different nonces. Only the entries of one
/// transaction, which deleted several tokens, may share a nonce.
pub(crate) fn assert_unbroken(entries: &[ChangeEntry]) {
    for pair in entries.windows(2) {
        assert_eq!(pair[1].position.seq, pair[0].position.seq.next(), "the log has a gap");
        let are_tokens = |entry: &ChangeEntry| matches!(entry.target, ChangeTarget::Token(_));
        let may_be_one_transaction = pair.iter().all(are_tokens);
        let is_same = pair[1].position.nonce == pair[0].position.nonce;
        assert!(!is_same || may_be_one_transaction, "two transactions have the same nonce");
    }
}

/// Returns the record as a store returns it: with the end of the previous secret filled in.
pub(crate) fn as_stored(token: &StoredToken) -> TokenRecord {
    let mut record = token.record.clone();
    record.previous_secret_expires_at =
        token.secrets.previous.as_ref().map(|previous| previous.until);
    record
}

/// Fails unless the store returned that token, including its digests.
pub(crate) fn assert_same(found: &StoredToken, expected: &StoredToken) {
    assert_eq!(found.record, as_stored(expected));
    assert!(found.secrets.current.ct_eq(&expected.secrets.current), "the current digest differs");
    match (&found.secrets.previous, &expected.secrets.previous) {
        (None, None) => {}
        (Some(found), Some(expected)) => {
            assert!(found.digest.ct_eq(&expected.digest), "the previous digest differs");
            assert_eq!(found.until, expected.until);
        }
        (found, expected) => panic!("{found:?} is not {expected:?}"),
    }
}

/// Selects all tokens on one page, newest first.
pub(crate) fn everything() -> ListQuery {
    ListQuery::everything(at(50), 100_000)
}

/// Makes all these calls at the same time and returns their results in order.
pub(crate) async fn at_once<T: Send + 'static>(
    calls: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let running: Vec<_> = calls.into_iter().map(tokio::spawn).collect();
    let mut answers = Vec::new();
    for call in running {
        answers.push(call.await.expect("no panic"));
    }
    answers
}

/// Reads a store repeatedly, at least once, while others change it.
pub(crate) struct Watcher {
    done: Arc<AtomicBool>,
    looks: JoinHandle<()>,
}

impl Watcher {
    pub(crate) fn start<F>(store: &Replicas, look: impl Fn(Replicas) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let done = Arc::new(AtomicBool::new(false));
        let (store, is_over) = (store.clone(), done.clone());
        let looks = tokio::spawn(async move {
            loop {
                look(store.clone()).await;
                yield_now().await;
                if is_over.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        Self { done, looks }
    }

    /// Stops reading. Fails if any read failed.
    pub(crate) async fn end(self) {
        self.done.store(true, Ordering::Relaxed);
        self.looks.await.expect("no panic");
    }
}
