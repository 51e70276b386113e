use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hallpass_core::TokenId;
use hallpass_core::store::{
    ChangeEntry, ChangeSeq, ChangeTarget, ListQuery, LogPosition, StoredToken, TokenStore,
};

use tokio::task::{JoinHandle, yield_now};

use crate::conformance::Nodes;
use crate::conformance::samples::at;

/// The token, which must be there.
pub(crate) async fn read(store: &impl TokenStore, id: TokenId) -> StoredToken {
    store.find(id).await.expect("an answer").value.expect("the token")
}

/// Whether there is such a token.
pub(crate) async fn exists(store: &impl TokenStore, id: TokenId) -> bool {
    store.find(id).await.expect("an answer").value.is_some()
}

/// How far the log has come.
pub(crate) async fn head(store: &impl TokenStore) -> LogPosition {
    store.changes(None, 0).await.expect("an answer").head
}

/// Where the first line of the log will be.
pub(crate) const START: LogPosition = LogPosition { seq: ChangeSeq::new(1), nonce: 0 };

/// The log from its first line on, unbroken.
pub(crate) async fn whole_log(store: &impl TokenStore) -> Vec<ChangeEntry> {
    let log = store.changes(Some(START), 100_000).await.expect("an answer");
    assert_unbroken(&log.lines);
    assert_eq!(log.lines.first().map_or(START.seq, |line| line.at.seq), START.seq);
    if let Some(last) = log.lines.last() {
        assert_eq!(last.at, log.head, "the log ends at its head");
    }
    log.lines
}

/// What was logged behind that place.
pub(crate) async fn logged_since(store: &impl TokenStore, place: LogPosition) -> Vec<ChangeTarget> {
    let lines = store.changes(Some(place), 10_000).await.expect("an answer").lines;
    lines.into_iter().filter(|line| line.at.seq > place.seq).map(|line| line.scope).collect()
}

/// Fails unless each line has the number after the one before, and a nonce of its own.
pub(crate) fn assert_unbroken(lines: &[ChangeEntry]) {
    for pair in lines.windows(2) {
        assert_eq!(pair[1].at.seq, pair[0].at.seq.next(), "a gap");
        assert_ne!(pair[1].at.nonce, pair[0].at.nonce, "the same nonce twice");
    }
}

/// Fails unless both are the same token, its digests included.
pub(crate) fn assert_same(one: &StoredToken, other: &StoredToken) {
    assert_eq!(one.record, other.record);
    assert!(one.secrets.current.ct_eq(&other.secrets.current), "another digest");
    match (&one.secrets.previous, &other.secrets.previous) {
        (None, None) => {}
        (Some(one), Some(other)) => {
            assert!(one.digest.ct_eq(&other.digest), "another digest before");
            assert_eq!(one.until, other.until);
        }
        (one, other) => panic!("{one:?} is not {other:?}"),
    }
}

/// Everything, the newest first, on one page.
pub(crate) fn everything() -> ListQuery {
    ListQuery::everything(at(50), 100_000)
}

/// Makes all these calls at the same time.
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

/// Looks at a store again and again, at least once, while others change it.
pub(crate) struct Watcher {
    done: Arc<AtomicBool>,
    looks: JoinHandle<()>,
}

impl Watcher {
    pub(crate) fn start<F>(store: &Nodes, look: impl Fn(Nodes) -> F + Send + 'static) -> Self
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

    /// Fails if any look did.
    pub(crate) async fn end(self) {
        self.done.store(true, Ordering::Relaxed);
        self.looks.await.expect("no panic");
    }
}
