//! Tests of connections that are lost during a change: the store finds out the outcome.

use std::time::Duration;

use hallpass_core::store::{ChangeTarget, Deleted, StoreError, TokenStore as _};
use hallpass_postgres::PostgresStore;
use hallpass_servers::{Flow, Postgres, Proxy, Way};
use hallpass_tests::tokens::{at, event, owner, token};
use sqlx::PgConnection;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::{SOMEBODY_WAITS, ask, database, open, run, stranger, until};

/// A store behind a proxy, with connections to stop a change while it runs.
struct Scene {
    url: String,
    network: Proxy,
    store: PostgresStore,
    /// A connection that locks all tokens.
    other: PgConnection,
    /// A connection that observes the server.
    observer: PgConnection,
}

impl Scene {
    async fn new() -> Self {
        let url = database();
        let network = Proxy::to(Postgres::shared().address()).expect("a network");
        let store = open(&network.url(&url)).await;
        for _ in 0..3 {
            store.insert(&token("alice", "ci"), None, &event()).await.unwrap();
        }
        store.insert(&token("bob", "ci"), None, &event()).await.unwrap();
        let mut other = stranger(&url).await;
        run(&mut other, "BEGIN; SELECT FROM hallpass.tokens FOR UPDATE").await;
        let observer = stranger(&url).await;
        Self { url, network, store, other, observer }
    }

    /// Starts a change, and returns when the server is executing it and waits for the lock.
    async fn begin<T, F>(&mut self, change: impl FnOnce(PostgresStore) -> F) -> JoinHandle<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let changing = tokio::spawn(change(self.store.clone()));
        until(&mut self.observer, SOMEBODY_WAITS).await;
        changing
    }

    /// Lets the server complete the change, and drops its reply.
    async fn answer_unheard(&mut self) {
        self.network.set(Way::ToClient, Flow::Swallow);
        run(&mut self.other, "COMMIT").await;
        let done = "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() \
                    AND pid <> pg_backend_pid() AND state <> 'idle'";
        until(&mut self.observer, done).await;
    }
}

#[tokio::test]
async fn change_whose_reply_is_lost_is_found_to_be_committed() {
    let mut scene = Scene::new().await;
    let head = scene.store.changes(None, 0).await.unwrap().head;
    let deleting =
        scene.begin(async |store| store.delete_owner(&owner("alice"), &event()).await).await;
    scene.answer_unheard().await;
    scene.network.heal();
    scene.network.cut();
    let bulk = deleting.await.unwrap().expect("the store must find that the change was made");
    assert_eq!((bulk.count, bulk.seq), (3, Some(head.seq.next())));
    let logged = scene.store.changes(Some(head), 10).await.unwrap().entries;
    assert_eq!(logged[1].target, ChangeTarget::Owner(owner("alice")));
}

#[tokio::test]
async fn deleted_tokens_are_returned_although_the_reply_is_lost() {
    let mut scene = Scene::new().await;
    let page = hallpass_core::store::ListQuery::everything(at(0), 10);
    let ids: Vec<_> =
        scene.store.list(&page).await.unwrap().records.into_iter().map(|r| r.id).collect();
    let deleting = scene
        .begin(move |store| async move { store.delete_many(None, &ids, &event()).await })
        .await;
    scene.answer_unheard().await;
    scene.network.heal();
    scene.network.cut();
    let Deleted { tokens, seq } =
        deleting.await.unwrap().expect("the store must find that the change was made");
    assert_eq!(tokens.len(), 4);
    assert_eq!(tokens.iter().filter(|(_, of)| *of == owner("alice")).count(), 3);
    assert_eq!(seq.unwrap().get(), 8);
}

#[tokio::test]
async fn change_whose_server_process_ended_is_not_committed() {
    let mut scene = Scene::new().await;
    let deleting =
        scene.begin(async |store| store.delete_owner(&owner("alice"), &event()).await).await;
    ask(
        &scene.url,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
         WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    let error = deleting.await.unwrap().unwrap_err();
    assert!(error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
    run(&mut scene.other, "COMMIT").await;
    assert_eq!(ask(&scene.url, "SELECT count(*) FROM hallpass.tokens"), "4");
    assert_eq!(ask(&scene.url, "SELECT seq FROM hallpass.clock"), "4");
}

#[tokio::test]
async fn change_that_never_reaches_the_server_is_not_made() {
    let mut scene = Scene::new().await;
    run(&mut scene.other, "COMMIT").await;
    // The existing connection drops everything without an error.
    for connection in scene.network.connections() {
        connection.set(Way::ToServer, Flow::Swallow);
    }
    let (alice, event) = (owner("alice"), event());
    let deleting = timeout(Duration::from_secs(3), scene.store.delete_owner(&alice, &event));
    // The call has used up its time limit, so it does not retry.
    let error = deleting.await.unwrap().unwrap_err();
    assert!(error.is_unavailable() && !error.is_outcome_unknown(), "{error:?}");
    assert_eq!(ask(&scene.url, "SELECT count(*) FROM hallpass.tokens"), "4");
    // The statement that gives up the change writes no log entry.
    assert_eq!(ask(&scene.url, "SELECT count(*) FROM hallpass.changes WHERE seq > 0"), "4");
    scene.network.cut();
    let bulk = scene.store.delete_owner(&alice, &event).await.unwrap();
    assert_eq!((bulk.count, bulk.seq.unwrap().get()), (3, 5));
}

#[tokio::test]
async fn change_on_a_dead_connection_is_looked_up_in_time() {
    let mut scene = Scene::new().await;
    let started = Instant::now();
    let deleting =
        scene.begin(async |store| store.delete_owner(&owner("alice"), &event()).await).await;
    scene.answer_unheard().await;
    // The existing connection stays dead without an error. New ones work.
    scene.network.heal();
    let bulk = deleting.await.unwrap().expect("the store must find that the change was made");
    assert_eq!(bulk.count, 3);
    assert!(started.elapsed() < Duration::from_secs(3), "{:?}", started.elapsed());
}

#[tokio::test]
async fn outcome_is_unknown_if_the_server_cannot_be_queried() {
    let mut scene = Scene::new().await;
    let deleting =
        scene.begin(async |store| store.delete_owner(&owner("alice"), &event()).await).await;
    scene.answer_unheard().await;
    scene.network.reject();
    let error: StoreError =
        timeout(Duration::from_secs(3), deleting).await.unwrap().unwrap().unwrap_err();
    assert!(error.is_outcome_unknown() && error.is_unavailable(), "{error:?}");
    // In this case the change was made.
    assert_eq!(ask(&scene.url, "SELECT count(*) FROM hallpass.tokens"), "1");
}
