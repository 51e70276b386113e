//! Measures lists: the list of one owner, and the first and a late page of the list of all tokens.

use std::time::Instant;

use anyhow::Result;
use hallpass_core::jiff::Timestamp;
use hallpass_core::store::{ListKey, ListQuery, ListValue, SortBy, StoreError, TokenStore};
use hallpass_core::{Scope, Status, TokenRecord};

use super::tokens::Tokens;
use crate::harness::Measured;
use crate::latencies::{Latencies, millis};

/// The number of reads of each list.
const TIMES: usize = 11;

/// The number of tokens per page.
const PAGE: u32 = 20;

/// Measures the lists of an owner, and an admin's list of all tokens with filters that match on
/// every page.
pub(super) async fn add(
    measured: &mut Measured,
    name: &str,
    store: &impl TokenStore,
    late: &TokenRecord,
) -> Result<()> {
    let everything = ListQuery::everything(Timestamp::now(), PAGE);
    let owners = ListQuery { owner: Some(Tokens::owner(0)?), ..everything.clone() };
    let searched = ListQuery { text: Some("key 7".to_owned()), ..owners.clone() };
    read(measured, &format!("{name}_list_of_owner"), store, &owners).await;
    read(measured, &format!("{name}_search_of_owner"), store, &searched).await;

    let scope: Scope = "projects:read".parse()?;
    for (filter, query) in [
        ("all", everything.clone()),
        ("active", ListQuery { status: Some(Status::Active), ..everything.clone() }),
        ("revoked", ListQuery { status: Some(Status::Revoked), ..everything.clone() }),
        ("by_scope", ListQuery { scope: Some(scope), ..everything.clone() }),
        ("by_text", ListQuery { text: Some("key 7".to_owned()), ..everything.clone() }),
    ] {
        let name = format!("{name}_list_{filter}");
        let first = read(measured, &format!("{name}_first_page"), store, &query).await;
        debug_assert_eq!(query.sort.by, SortBy::CreatedAt);
        let key = ListKey { value: ListValue::Time(Some(late.created_at)), id: late.id };
        let query = ListQuery { after: Some(key), ..query };
        let late = read(measured, &format!("{name}_late_page"), store, &query).await;
        if let (Some(first), Some(late)) = (first, late) {
            measured.ratio(format!("{name}_late_over_first_page"), late / first);
        }
    }
    Ok(())
}

/// Returns the median duration in milliseconds, or `None` if the store returns an error.
async fn read(
    measured: &mut Measured,
    name: &str,
    store: &impl TokenStore,
    query: &ListQuery,
) -> Option<f64> {
    match times(store, query).await {
        Ok(times) => {
            let median = millis(times.percentile(50));
            measured.figure(format!("{name}_ms"), median);
            Some(median)
        }
        Err(error) => {
            measured.broken.push(format!("{name}: {error}"));
            None
        }
    }
}

async fn times(store: &impl TokenStore, query: &ListQuery) -> Result<Latencies, StoreError> {
    let mut times = Latencies::default();
    for _ in 0..TIMES {
        let started = Instant::now();
        let page = store.list(query).await?;
        times.push(started.elapsed());
        if page.records.is_empty() {
            return Err(StoreError::corrupt("a page that should be full is empty"));
        }
    }
    Ok(times)
}
