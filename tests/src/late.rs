//! A node that falls behind the change log.
#![expect(clippy::missing_panics_doc, reason = "what helps a test panics where the test fails")]

use std::time::Duration;

use hallpass_core::store::TokenStore;
use hallpass_core::{Actor, Hallpass, Issued, NewToken};
use hallpass_testkit::{FaultyStore, Gate, Operation};
use tokio::time::sleep;

use crate::nodes::{NEVER, accepts, alice, check, is_refused, issue, node, owner, settings, until};

/// A node that has a token in its cache which is revoked elsewhere, and stands still in the log
/// before that.
#[derive(Debug)]
pub struct Late<S: TokenStore> {
    store: FaultyStore<S>,
    hallpass: Hallpass,
    /// The other node.
    pub elsewhere: Hallpass,
    revoked: Issued,
    good: Issued,
    log: Gate,
}

impl<S: TokenStore> Late<S> {
    /// Two nodes, each with its own handle on one store.
    pub async fn new(here: S, elsewhere: S) -> Self {
        let store = FaultyStore::new(here);
        // The bound is never reached: nothing but the log can tell it.
        let hallpass = node(&store, settings().max_staleness(NEVER));
        let elsewhere = node(&FaultyStore::new(elsewhere), settings());
        let revoked = issue(&elsewhere).await;
        let good = elsewhere.issue(&Actor::owner("bob"), NewToken::named("good")).await.unwrap();
        for token in [&revoked, &good] {
            assert!(accepts(&hallpass, token).await);
        }
        // It has a place in the log by now: it looks at it a second time.
        let looks = store.faults().calls(Operation::Changes);
        until("it follows", async || store.faults().calls(Operation::Changes) > looks + 1).await;
        let log = store.faults().on(Operation::Changes).stall();
        log.arrived(1).await;
        elsewhere.revoke(&alice(), revoked.record.id).await.unwrap();
        assert!(accepts(&hallpass, &revoked).await, "it does not know yet");
        Self { store, hallpass, elsewhere, revoked, good, log }
    }

    /// Lets it read on. It must find out, and be as good as new.
    pub async fn finds_out(self) {
        self.store.faults().heal();
        self.log.open();
        let refused = async || is_refused(&check(&self.hallpass, &self.revoked).await);
        until("the revocation is known", refused).await;
        let verdict = check(&self.hallpass, &self.good).await;
        assert!(verdict.is_ok(), "{verdict:?}");
        // The line stays the last one for a while: that keeps nobody busy, and nobody waiting.
        let looks = self.store.faults().calls(Operation::Changes);
        for _ in 0..20 {
            let verdict = check(&self.hallpass, &self.good).await;
            assert!(verdict.is_ok(), "{verdict:?}");
            sleep(Duration::from_millis(10)).await;
        }
        let looks = self.store.faults().calls(Operation::Changes) - looks;
        assert!(looks < 100, "{looks} looks at the log in about 10 rounds");
        // It goes on: the next change is heard, and what has not changed is cached.
        self.elsewhere.owner_changed(&alice(), &owner("carol")).await.unwrap();
        until("it is cached again", async || {
            assert!(accepts(&self.hallpass, &self.good).await);
            let before = self.store.faults().calls(Operation::Get);
            sleep(Duration::from_millis(100)).await;
            assert!(accepts(&self.hallpass, &self.good).await);
            self.store.faults().calls(Operation::Get) == before
        })
        .await;
        self.elsewhere.revoke(&Actor::owner("bob"), self.good.record.id).await.unwrap();
        until("the next one is known", async || !accepts(&self.hallpass, &self.good).await).await;
    }
}
