//! `list` with its flaws.

use hallpass_core::store::{ListPage, ListQuery, StatusCounts, StoreError, TokenStore as _};

use hallpass_core::TokenRecord;

use super::flaw::Flaw;
use super::flawed::Flawed;

pub(super) async fn list(store: &Flawed, query: &ListQuery) -> Result<ListPage, StoreError> {
    let data = store.data();
    match store.flaw {
        Flaw::PagesRepeatARecord => {
            let Some(after) = &query.after else { return data.list(query).await };
            let all = ListQuery { after: None, limit: u32::MAX, ..query.clone() };
            let mut page = data.list(&all).await?;
            page.records.retain(|r| query.sort.compare(&query.sort.key_of(r), after).is_ge());
            page.more = page.records.len() > query.limit as usize;
            page.records.truncate(query.limit as usize);
            Ok(page)
        }
        Flaw::CountsAreOfThePage => {
            let mut page = data.list(query).await?;
            page.counts = counts_of(&page.records, query);
            Ok(page)
        }
        Flaw::FullPagesPromiseMore => {
            let mut page = data.list(query).await?;
            page.more = page.records.len() as u64 == u64::from(query.limit);
            Ok(page)
        }
        Flaw::NoTimeComesFirst => {
            let mut page = data.list(query).await?;
            let is_endless = |record: &TokenRecord| record.expires_at.is_some();
            page.records.sort_by_key(is_endless);
            Ok(page)
        }
        Flaw::SearchHasWildcards => {
            let text = query.text.as_ref().map(|text| text.replace('%', ""));
            data.list(&ListQuery { text, ..query.clone() }).await
        }
        Flaw::ScopesAreFoundByCover => {
            let all = ListQuery { scope: None, limit: u32::MAX, ..query.clone() };
            let mut page = data.list(&all).await?;
            let holds = |record: &TokenRecord| {
                query.scope.as_ref().is_none_or(|scope| record.scopes.covers(scope))
            };
            page.records.retain(holds);
            page.counts = counts_of(&page.records, query);
            Ok(page)
        }
        Flaw::CountsIgnoreFilters => {
            let mut page = data.list(query).await?;
            page.counts = data.list(&ListQuery::everything(query.now, 0)).await?.counts;
            Ok(page)
        }
        Flaw::NeverUsedIsIgnored => {
            data.list(&ListQuery { never_used: false, ..query.clone() }).await
        }
        Flaw::UnusedSinceIsIgnored => {
            data.list(&ListQuery { unused_since: None, ..query.clone() }).await
        }
        Flaw::UnusedSinceNeedsAUse => {
            let mut page = data.list(query).await?;
            let used = |record: &TokenRecord| record.last_used_at.is_some();
            page.records.retain(|record| query.unused_since.is_none() || used(record));
            page.counts = counts_of(&page.records, query);
            Ok(page)
        }
        Flaw::PreviousSecretFilterIsIgnored => {
            data.list(&ListQuery { previous_secret: false, ..query.clone() }).await
        }
        Flaw::PreviousSecretFilterIgnoresTheStatus if query.previous_secret => {
            let all = ListQuery { previous_secret: false, limit: u32::MAX, ..query.clone() };
            let mut page = data.list(&all).await?;
            page.records.retain(|record| {
                record.previous_secret_expires_at.is_some_and(|end| query.now < end)
            });
            page.counts = counts_of(&page.records, query);
            Ok(page)
        }
        Flaw::ExpiresBeforeIsIgnored => {
            data.list(&ListQuery { expires_before: None, ..query.clone() }).await
        }
        Flaw::MetadataIsIgnored => {
            data.list(&ListQuery { metadata: Vec::new(), ..query.clone() }).await
        }
        _ => data.list(query).await,
    }
}

fn counts_of(records: &[TokenRecord], query: &ListQuery) -> StatusCounts {
    let mut counts = StatusCounts::default();
    for record in records {
        counts.add(record.status(query.now));
    }
    counts
}
