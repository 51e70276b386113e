//! Exports of the whole audit trail.

use hallpass_core::store::TokenStore as _;
use hallpass_core::{Actor, AuditOptions, Hallpass};
use hallpass_tests::nodes::owner;
use hallpass_tests::tokens::event;

use crate::stores::{Database, on_stores};

/// The number of entries, which is more than two pages.
const ENTRIES: u64 = 2_500;

/// The number of entries that are written concurrently.
const AT_ONCE: u64 = 50;

/// Checks that an export in pages of at most 1,000 entries reads every entry exactly once.
async fn export_reads_every_entry_once_page_by_page<D: Database>() {
    let database = D::create();
    let store = database.open().await;
    let alice = owner("alice");
    for _ in 0..ENTRIES / AT_ONCE {
        let writes = (0..AT_ONCE).map(async |_| store.log_owner_change(&alice, &event()).await);
        for written in futures::future::join_all(writes).await {
            written.unwrap();
        }
    }
    let hallpass = Hallpass::builder(store).build();
    let auditor = Actor::system("auditor");
    let first = AuditOptions::new().oldest_first().limit(AuditOptions::MAX_LIMIT);
    let (mut read, mut options) = (0, first.clone());
    loop {
        let page = hallpass.audit(&auditor, &options).await.unwrap();
        assert!(page.items.len() <= AuditOptions::MAX_LIMIT as usize);
        for entry in page.items {
            read += 1;
            assert_eq!(entry.seq.get(), read, "an entry is missing or was read twice");
        }
        let Some(cursor) = page.next_cursor else { break };
        options = first.clone().cursor(cursor);
    }
    assert_eq!(read, ENTRIES);
}

on_stores!(export_reads_every_entry_once_page_by_page:
    sqlite SqliteFile, postgres PostgresDatabase, redis RedisNamespace);
