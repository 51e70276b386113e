//! A node that falls behind the change log.
#![expect(clippy::missing_panics_doc, reason = "a test helper panics if the test fails")]

use std::time::Duration;

use hallpass_core::store::TokenStore;
use hallpass_core::{Actor, Hallpass, Issued, NewToken};
use hallpass_testkit::{FaultyStore, Gate, Operation};
use tokio::time::sleep;

use crate::nodes::{
    NEVER, accepts, alice, check, is_rejected, issue, node, owner, settings, until,
};

/// A node that cannot read the change log and has a token in its cache that another node has
/// revoked.
#[derive(Debug)]
pub struct Late<S: TokenStore> {
    store: FaultyStore<S>,
    hallpass: Hallpass,
    /// The other node, which reads the change log without faults.
    pub elsewhere: Hallpass,
    revoked: Issued,
    good: Issued,
    log: Gate,
}

impl<S: TokenStore> Late<S> {
    /// Creates two nodes, each with its own handle of one store, and revokes a token on the other
    /// node while this node's read of the change log is stalled.
    pub async fn new(here: S, elsewhere: S) -> Self {
        let store = FaultyStore::new(here);
        // The staleness limit is never reached, so only the change log can reveal the revocation.
        let hallpass = node(&store, settings().max_staleness(NEVER));
        let elsewhere = node(&FaultyStore::new(elsewhere), settings());
        let revoked = issue(&elsewhere).await;
        let good = elsewhere.issue(&Actor::owner("bob"), NewToken::named("good")).await.unwrap();
        for token in [&revoked, &good] {
            assert!(accepts(&hallpass, token).await);
        }
        // After two more reads the node has a position in the change log.
        let reads = store.faults().calls(Operation::Changes);
        until("the node follows the change log", async || {
            store.faults().calls(Operation::Changes) > reads + 1
        })
        .await;
        let log = store.faults().on(Operation::Changes).stall();
        log.arrived(1).await;
        elsewhere.revoke(&alice(), revoked.record.id).await.unwrap();
        assert!(accepts(&hallpass, &revoked).await, "the node has already read the revocation");
        Self { store, hallpass, elsewhere, revoked, good, log }
    }

    /// Lets the node continue to read the change log. Checks that it rejects the revoked token,
    /// accepts the other one, and caches and follows the log again.
    pub async fn catches_up(self) {
        self.store.faults().heal();
        self.log.open();
        let rejected = async || is_rejected(&check(&self.hallpass, &self.revoked).await);
        until("the revocation is known", rejected).await;
        let verdict = check(&self.hallpass, &self.good).await;
        assert!(verdict.is_ok(), "{verdict:?}");
        // The entry stays the last one of the log for a while. The node must neither read it in a
        // busy loop nor block a request.
        let reads = self.store.faults().calls(Operation::Changes);
        for _ in 0..20 {
            let verdict = check(&self.hallpass, &self.good).await;
            assert!(verdict.is_ok(), "{verdict:?}");
            sleep(Duration::from_millis(10)).await;
        }
        let reads = self.store.faults().calls(Operation::Changes) - reads;
        assert!(reads < 100, "{reads} reads of the change log in about 10 poll intervals");
        // The node continues: it caches unchanged tokens and applies the next change.
        self.elsewhere.owner_changed(&alice(), &owner("carol")).await.unwrap();
        until("the token is cached again", async || {
            assert!(accepts(&self.hallpass, &self.good).await);
            let before = self.store.faults().calls(Operation::Get);
            sleep(Duration::from_millis(100)).await;
            assert!(accepts(&self.hallpass, &self.good).await);
            self.store.faults().calls(Operation::Get) == before
        })
        .await;
        self.elsewhere.revoke(&Actor::owner("bob"), self.good.record.id).await.unwrap();
        until("the next revocation is known", async || !accepts(&self.hallpass, &self.good).await)
            .await;
    }
}
