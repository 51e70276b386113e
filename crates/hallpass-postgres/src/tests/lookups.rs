use hallpass_core::store::TokenStore as _;
use hallpass_servers::{Flow, Way};

use super::*;

/// Whether a token that was revoked is found as it was before, on a standby that follows nobody any
/// more.
async fn a_standby_lets_it_in(guards: Guards, primary: &Postgres, standby: &Postgres) -> bool {
    let (network, store) = by_way_of(primary, primary.url(), guards).await;
    let elsewhere = open(primary.url(), Guards::ON).await;
    let page = hallpass_core::store::ListQuery::everything(at(0), 1);
    let token = elsewhere.list(&page).await.unwrap().records.remove(0);
    assert!(store.get(token.id).await.unwrap().value.is_some());
    if token.revoked_at.is_none() {
        let revoke = edited(&token, |record| record.revoked_at = Some(at(1)));
        elsewhere.update(&revoke, &event()).await.unwrap();
    }

    network.lead_to(standby.address());
    network.cut();
    let found = store.get(token.id).await;
    let log = store.changes(None, 0).await;
    assert_eq!(found.is_ok(), log.is_ok(), "a cache would take either for the latest");
    found.is_ok_and(|found| found.value.unwrap().record.revoked_at.is_none())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_is_asked_nothing() {
    let primary = Postgres::start().unwrap();
    let store = open(primary.url(), Guards::ON).await;
    store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
    let standby = primary.standby().unwrap();
    standby.stop_following().unwrap();
    assert!(a_standby_lets_it_in(Guards::without(Guard::Primary), &primary, &standby).await);
    assert!(!a_standby_lets_it_in(Guards::ON, &primary, &standby).await);
}

/// Whether a token as it was before a change passes for one of after it, if the change comes while
/// it is read.
async fn what_was_before_passes_for_after(guards: Guards) -> bool {
    let url = database();
    let network = Proxy::to(Postgres::shared().address()).unwrap();
    let settings = PostgresSettings { guards, ..PostgresSettings::default() };
    let settings = settings.connections(1).lookup_deadline(Duration::from_secs(2));
    let store = settings.connect(&network.url(&url)).await.unwrap();
    let token = token("alice", "ci");
    store.insert(&token, None, &event()).await.unwrap();
    let elsewhere = open(&url, Guards::ON).await;
    // The server knows the statement now, on the only connection.
    store.get(token.record.id).await.unwrap();
    // And that is free again.
    while store.connections.main.num_idle() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let mut stranger = Stranger::at(&url).await;
    stranger.run("CREATE TABLE public.started AS SELECT clock_timestamp() AS at").await;
    network.set(Way::ToClient, Flow::Hold);
    let reading = tokio::spawn({
        let store = store.clone();
        async move { store.get(token.record.id).await }
    });
    stranger
        .until(
            "count(*) > 0 FROM pg_stat_activity, public.started \
             WHERE datname = current_database() AND query LIKE 'SELECT COALESCE%' \
             AND query_start > at AND state = 'idle' AND pid <> pg_backend_pid()",
        )
        .await;
    let revoke = edited(&token.record, |record| record.revoked_at = Some(at(1)));
    let revoked = elsewhere.update(&revoke, &event()).await.unwrap();
    network.set(Way::ToClient, Flow::Pass);
    let found = reading.await.unwrap().unwrap();
    assert_eq!(found.value.unwrap().record.revoked_at, None);
    found.as_of >= revoked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_and_the_number_of_the_log_are_of_one_snapshot() {
    assert!(what_was_before_passes_for_after(Guards::without(Guard::Snapshot)).await);
    assert!(!what_was_before_passes_for_after(Guards::ON).await);
}
