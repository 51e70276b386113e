use std::cmp::Ordering;

use hallpass_core::TokenRecord;
use hallpass_core::store::{ListKey, ListPage, ListQuery, StoreError};

use crate::packed::Packed;
use crate::sought::Sought;

/// Puts a page together from all that there is, and makes records of no more than it has to.
pub(crate) struct Page<'q> {
    query: &'q ListQuery,
    sought: Sought<'q>,
    total: u64,
    kept: Vec<(ListKey, TokenRecord)>,
    /// Whether the first of those kept are the page and one more: what comes behind that one is on no page.
    is_full: bool,
}

impl<'q> Page<'q> {
    pub(crate) fn new(query: &'q ListQuery) -> Self {
        Self { query, sought: Sought::new(query), total: 0, kept: Vec::new(), is_full: false }
    }

    /// How many are on the page, and one more.
    fn enough(&self) -> usize {
        self.query.limit as usize + 1
    }

    pub(crate) fn take(&mut self, token: Packed<'_>) -> Result<(), StoreError> {
        if !self.sought.matches(&token) {
            return Ok(());
        }
        self.total += 1;
        let key = self.sought.key_of(&token);
        let is_behind = |other: &ListKey| self.query.sort.compare(&key, other) == Ordering::Greater;
        let last = self.kept.get(self.enough() - 1).filter(|_| self.is_full);
        if self.query.after.as_ref().is_none_or(is_behind)
            && !last.is_some_and(|(last, _)| is_behind(last))
        {
            self.kept.push((key, token.into_record()?));
            if self.kept.len() >= 2 * self.enough() {
                self.shorten();
            }
        }
        Ok(())
    }

    fn shorten(&mut self) {
        self.kept.sort_unstable_by(|(a, _), (b, _)| self.query.sort.compare(a, b));
        self.kept.truncate(self.enough());
        self.is_full = self.kept.len() == self.enough();
    }

    pub(crate) fn finish(mut self) -> ListPage {
        self.shorten();
        let limit = self.query.limit as usize;
        let more = self.kept.len() > limit;
        let records = self.kept.into_iter().take(limit).map(|(_, record)| record).collect();
        ListPage { records, total: self.total, more }
    }
}

#[cfg(test)]
mod tests {
    use hallpass_core::store::Sort;

    use super::*;
    use crate::packed::look;
    use crate::sought::tests::{SORTS, at, tokens};

    #[test]
    fn a_page_is_what_sorting_all_of_them_gives() {
        let tokens = tokens();
        for (by, descending) in SORTS.into_iter().flat_map(|by| [(by, false), (by, true)]) {
            let sort = Sort { by, descending };
            let everything = ListQuery { sort, ..ListQuery::everything(at(0), 1) };
            let query = ListQuery { text: Some("ci".into()), ..everything };
            let mut sorted: Vec<_> =
                tokens.iter().map(|(record, _)| record).filter(|it| query.matches(it)).collect();
            sorted.sort_by(|a, b| sort.compare(&sort.key_of(a), &sort.key_of(b)));
            let count = sorted.len();
            for (from, limit) in [(0, 1), (0, 20), (1, 0), (33, 7), (count - 20, 20), (0, count)] {
                let after = from.checked_sub(1).map(|last| sort.key_of(sorted[last]));
                let query = ListQuery { after, limit: limit as u32, ..query.clone() };
                let mut page = Page::new(&query);
                for (record, value) in &tokens {
                    page.take(look(record.id, value, &mut "").unwrap()).unwrap();
                }
                let page = page.finish();
                assert!(page.records.iter().eq(sorted[from..from + limit].iter().copied()));
                assert_eq!((page.total, page.more), (count as u64, from + limit < count));
            }
        }
    }
}
