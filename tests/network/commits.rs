//! Tests in which a connection is closed during a change: before the server receives it, while it
//! receives it, and between the commit and the response.

use std::time::Duration;

use futures::future::join_all;
use hallpass_core::{Error, Hallpass, Limits, ListOptions, NewToken};
use hallpass_servers::{Proxy, Way};
use hallpass_tests::nodes::{alice, issue};
use tokio::time::sleep;

use crate::backend::Backend;
use crate::node::truth;
use crate::on_each_store;

/// The number of places in a change at which its connection is closed, for each direction.
const PLACES: u64 = 15;

/// A handle without a cache, so that only the change itself uses the network.
struct Handle {
    hallpass: Hallpass,
    network: Proxy,
}

impl Handle {
    async fn on<B: Backend>(server: &B) -> Self {
        let network = Proxy::to(server.address()).unwrap();
        let store = B::open(&network.url(server.url())).await;
        let limits = Limits::default().unlimited_tokens();
        Self { hallpass: Hallpass::builder(store).limits(limits).build(), network }
    }

    /// Returns the numbers of bytes in this direction after which a change is interrupted. All
    /// connections are open and were used before.
    async fn places(&self, way: Way, change: impl AsyncFn(&Self)) -> impl Iterator<Item = u64> {
        change(self).await;
        let before = self.network.passed(way);
        change(self).await;
        let bytes = self.network.passed(way) - before;
        assert!(bytes > 0);
        // The change itself is sent last, so the places are closer together at the end.
        let (wide, close) = ((bytes / PLACES).max(1), (bytes / PLACES / 3).max(1));
        let late = bytes * 2 / 3;
        (0..late).step_by(wide as usize).chain((late..=bytes).step_by(close as usize))
    }
}

/// Returns whether an error reports that the outcome of the change is unknown.
fn is_unknown(error: &Error) -> bool {
    assert!(error.is_unavailable(), "{error}");
    matches!(error, Error::Store(error) if error.is_outcome_unknown())
}

async fn revocation_with_a_reset_connection_is_reported_truthfully<B: Backend>() {
    let server = B::shared();
    let (handle, truth) = (Handle::on(&server).await, truth(&server).await);
    let revoke = async |handle: &Handle| {
        let token = issue(&truth).await;
        handle.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    };
    let (mut done, mut unknown) = (0, 0);
    for way in [Way::ToServer, Way::ToClient] {
        for place in handle.places(way, revoke).await {
            revoke(&handle).await;
            let id = issue(&truth).await.record.id;
            handle.network.reset_after(way, place);
            let answer = handle.hallpass.revoke(&alice(), id).await;
            handle.network.heal();
            let is_revoked = async || truth.get(&alice(), id).await.unwrap().revoked_at.is_some();
            match answer {
                Ok(_) => {
                    assert!(is_revoked().await, "after {place} bytes {way:?}");
                    done += 1;
                }
                Err(error) => {
                    let stands = is_revoked().await;
                    assert!(is_unknown(&error) || !stands, "after {place} bytes {way:?}: {error}");
                    unknown += u64::from(is_unknown(&error));
                }
            }
            // The interrupted change must not leave a lock behind.
            handle.hallpass.revoke(&alice(), id).await.unwrap();
            assert!(is_revoked().await);
        }
    }
    assert!(done > 0, "no change succeeded");
    assert_eq!(
        unknown, 0,
        "the network recovered immediately, so the store can find out the outcome"
    );
}

async fn issue_with_a_reset_connection_is_reported_truthfully<B: Backend>() {
    let server = B::shared();
    let (handle, truth) = (Handle::on(&server).await, truth(&server).await);
    let (mut done, mut failed) = (0, 0);
    let mut alive = 0;
    for way in [Way::ToServer, Way::ToClient] {
        let places = handle.places(way, async |handle| drop(issue(&handle.hallpass).await)).await;
        alive += 2;
        for place in places {
            handle.network.reset_after(way, place);
            let answer = handle.hallpass.issue(&alice(), NewToken::named("ci")).await;
            handle.network.heal();
            let now = truth.list(&alice(), &ListOptions::new()).await.unwrap().total;
            match answer {
                Ok(issued) => {
                    assert!(truth.authenticate(issued.token.reveal().as_bytes()).await.is_ok());
                    assert_eq!(now, alive + 1, "after {place} bytes {way:?}");
                    done += 1;
                }
                Err(error) => {
                    let most = alive + u64::from(is_unknown(&error));
                    assert!((alive..=most).contains(&now), "after {place} bytes {way:?}: {error}");
                    failed += 1;
                }
            }
            alive = now;
        }
    }
    assert!(done > 0, "{failed} failed");
}

/// The store cannot find out the outcome, because the server stays unreachable.
async fn change_without_a_known_outcome_is_reported_as_unknown<B: Backend>() {
    let server = B::shared();
    let (handle, truth) = (Handle::on(&server).await, truth(&server).await);
    let revoke = async |handle: &Handle| {
        let token = issue(&truth).await;
        handle.hallpass.revoke(&alice(), token.record.id).await.unwrap();
    };
    let places = handle.places(Way::ToClient, revoke).await.step_by(2);
    let stood = join_all(places.map(async |place| {
        let handle = Handle::on(&server).await;
        revoke(&handle).await;
        let id = issue(&truth).await.record.id;
        handle.network.reject();
        handle.network.cut_after(Way::ToClient, place);
        let answer = handle.hallpass.revoke(&alice(), id).await;
        // The server may still process the commands that it has received.
        sleep(Duration::from_millis(50)).await;
        let stands = truth.get(&alice(), id).await.unwrap().revoked_at.is_some();
        match answer {
            Ok(_) => assert!(stands),
            Err(error) => {
                assert!(is_unknown(&error) || !stands, "after {place} bytes: {error}");
            }
        }
        handle.network.heal();
        handle.hallpass.revoke(&alice(), id).await.unwrap();
        stands
    }));
    assert!(stood.await.contains(&true), "no connection was closed after its commit");
}

on_each_store!(
    revocation_with_a_reset_connection_is_reported_truthfully,
    issue_with_a_reset_connection_is_reported_truthfully,
    change_without_a_known_outcome_is_reported_as_unknown,
);
