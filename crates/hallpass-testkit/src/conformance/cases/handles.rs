//! Cases that open and close their own handles.

use hallpass_core::store::{ChangeSeq, PreviousSecret, StoreError, TokenStore};

use super::check::{assert_same, everything, head, read, whole_log};
use crate::conformance::StoreUnderTest;
use crate::conformance::samples::{at, digest, edited, event, owner, token};

pub async fn data_survives_reopening(place: impl StoreUnderTest) {
    let (mut kept, mut revoked) = (token("alice", "kept"), token("alice", "revoked"));
    kept.secrets.previous = Some(PreviousSecret { digest: digest(9), until: at(7) });
    let store = place.node().await;
    for token in [&kept, &revoked] {
        store.insert(token, None, &event()).await.unwrap();
    }
    let change = edited(&revoked.record, |record| record.revoked_at = Some(at(1)));
    let seq = store.update(&change, &event()).await.unwrap();
    revoked.record = change.record;
    let (before, log) = (head(&store).await, whole_log(&store).await);
    store.close().await;
    drop(store);

    let store = place.node().await;
    for token in [&kept, &revoked] {
        let snapshot = store.get(token.record.id).await.unwrap();
        assert_same(&snapshot.value.unwrap(), token);
        assert_eq!(snapshot.as_of, seq);
    }
    assert_eq!(head(&store).await, before, "the position of the log has changed");
    assert_eq!(whole_log(&store).await, log);
    assert_eq!(store.log_owner_change(&owner("alice"), &event()).await.unwrap(), seq.next());
    assert_eq!(
        store.insert(&token("alice", "x"), Some(2), &event()).await.unwrap_err().limit_in_use(),
        Some(2)
    );
}

pub async fn closing_one_handle_leaves_the_others_working(place: impl StoreUnderTest) {
    let (one, two) = (place.node().await, place.node().await);
    let token = token("alice", "ci");
    one.insert(&token, None, &event()).await.unwrap();
    one.close().await;
    // A closed handle returns the right result, or an unavailable error.
    match one.get(token.record.id).await {
        Ok(found) => assert_same(&found.value.unwrap(), &token),
        Err(error) => assert!(error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}"),
    }
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    let rejected = one.update(&revoke, &event()).await.err();
    assert!(rejected.as_ref().is_none_or(StoreError::is_unavailable), "{rejected:?}");
    drop(one);
    two.ping().await.unwrap();
    let record = read(&two, token.record.id).await.record;
    assert_eq!(
        record.revoked_at.is_some(),
        rejected.is_none(),
        "a rejected change was made, or an accepted one was not"
    );
    two.log_owner_change(&owner("alice"), &event()).await.unwrap();
    two.close().await;
}

pub async fn fresh_places_are_empty<P: StoreUnderTest>(place: P) {
    let store = place.node().await;
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let other = P::fresh().await;
    let empty = other.node().await;
    assert_eq!(head(&empty).await.seq, ChangeSeq::ZERO);
    assert!(whole_log(&empty).await.is_empty());
    assert_eq!(empty.list(&everything()).await.unwrap().counts.of(None), 0);
    assert_same(&read(&store, token.record.id).await, &token);
    empty.close().await;
    store.close().await;
}
