use hallpass_core::TokenId;
use hallpass_core::store::{Snapshot, StoreError, StoredToken, TokenStore as _};
use hallpass_servers::{Flow, Way};
use redis::Value;

use super::*;
use crate::line::within;
use crate::trouble::Failure;
use crate::{answer, packed};

/// Whether a token that was revoked is found as it was before, on a replica that follows nobody any more.
async fn a_replica_lets_it_in(guards: Guards) -> bool {
    let primary = server();
    let (network, store) = by_way_of(&primary, guards).await;
    let token = token("alice", "ci");
    store.insert(&token, None).await.unwrap();
    let replica = primary.replica().unwrap();
    // There is nobody.
    run(&replica, &["REPLICAOF", "127.0.0.1", "1"]);
    let elsewhere = open(primary.url(), Guards::ON).await;
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    elsewhere.change(&revoke).await.unwrap();

    network.lead_to(replica.address());
    network.cut();
    let found = store.find(token.record.id).await;
    let log = store.changes(None, 0).await;
    assert_eq!(found.is_ok(), log.is_ok(), "a cache would take either for the latest");
    found.is_ok_and(|found| found.value.unwrap().record.revoked_at.is_none())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_is_asked_nothing() {
    assert!(a_replica_lets_it_in(Guards::without(Guard::Primary)).await);
    assert!(!a_replica_lets_it_in(Guards::ON).await);
}

impl RedisStore {
    /// The token, and the clock some time later.
    pub(crate) async fn find_in_two_steps(
        &self,
        id: TokenId,
    ) -> Result<Snapshot<Option<StoredToken>>, StoreError> {
        let ask = async |key: &[u8]| {
            let get = redis::cmd("GET").arg(key).to_owned();
            self.0.lookups.ask(&get, within(Duration::from_secs(5))).await
        };
        let key = self.0.namespace.token(id.as_uuid().as_bytes());
        let value = match ask(&key).await.map_err(Failure::of_read)? {
            Value::Nil => None,
            value => Some(packed::unpack(id, answer::bytes(&value)?)?),
        };
        let clock = ask(self.0.clock.as_bytes()).await.map_err(Failure::of_read)?;
        Ok(Snapshot { value, as_of: answer::clock(Some(&clock))? })
    }
}

/// Whether a token as it was before a change passes for one of after it, if the change comes while it is read.
async fn what_was_before_passes_for_after(guards: Guards) -> bool {
    let server = server();
    let (network, store) = by_way_of(&server, guards).await;
    let token = token("alice", "ci");
    store.insert(&token, None).await.unwrap();
    let elsewhere = open(server.url(), Guards::ON).await;
    // There is a connection now. Each look-up ends with this command.
    store.find(token.record.id).await.unwrap();
    let before = calls(&server, "wait");
    network.set(Way::ToClient, Flow::Hold);
    let reading = tokio::spawn({
        let store = store.clone();
        async move { store.find(token.record.id).await }
    });
    arrived(&server, "wait", before).await;
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    let revoked = elsewhere.change(&revoke).await.unwrap();
    network.set(Way::ToClient, Flow::Pass);
    let found = reading.await.unwrap().unwrap();
    assert_eq!(found.value.unwrap().record.revoked_at, None);
    found.as_of >= revoked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_and_the_clock_are_of_one_snapshot() {
    assert!(what_was_before_passes_for_after(Guards::without(Guard::Snapshot)).await);
    assert!(!what_was_before_passes_for_after(Guards::ON).await);
}
