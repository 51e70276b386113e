//! Whether a list is after a token, told from its value: what `ListQuery::matches` and `Sort::key_of` say of the record, without
//! making one for each of a million.

use hallpass_core::store::{ListKey, ListQuery, ListValue, SortBy};
use hallpass_core::{Status, fold};

use crate::packed::Packed;

/// What a list is after.
pub(crate) struct Sought<'q> {
    query: &'q ListQuery,
    /// Where texts are folded, one after the other.
    folded: String,
}

impl<'q> Sought<'q> {
    pub(crate) fn new(query: &'q ListQuery) -> Self {
        Self { query, folded: String::new() }
    }

    /// Whether the filters match.
    pub(crate) fn matches(&mut self, token: &Packed<'_>) -> bool {
        let query = self.query;
        query.owner.as_ref().is_none_or(|owner| *owner == token.owner)
            && query.status.is_none_or(|status| status == self.status(token))
            && query
                .scope
                .as_ref()
                .is_none_or(|scope| token.scopes().any(|held| held == scope.as_str()))
            && query.text.as_ref().is_none_or(|text| {
                self.holds(token.name, text) || self.holds(token.description, text)
            })
    }

    /// Where it stands in the order.
    pub(crate) fn key_of(&self, token: &Packed<'_>) -> ListKey {
        let value = match self.query.sort.by {
            SortBy::CreatedAt => ListValue::Time(Some(token.created_at)),
            SortBy::Name => ListValue::Name(fold(token.name)),
            SortBy::ExpiresAt => ListValue::Time(token.expires_at),
            SortBy::LastUsedAt => ListValue::Time(token.last_used_at),
        };
        ListKey { value, id: token.id }
    }

    fn status(&self, token: &Packed<'_>) -> Status {
        if token.revoked_at.is_some() {
            Status::Revoked
        } else if token.expires_at.is_some_and(|end| self.query.now >= end) {
            Status::Expired
        } else {
            Status::Active
        }
    }

    fn holds(&mut self, text: &str, sought: &str) -> bool {
        if !text.is_ascii() {
            return fold(text).contains(sought);
        }
        self.folded.clear();
        self.folded.push_str(text);
        self.folded.make_ascii_lowercase();
        self.folded.contains(sought)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use hallpass_core::store::{Secrets, Sort, StoredToken};
    use hallpass_core::{Digest, Owner, Scope, ScopeSet, TokenId, TokenRecord};
    use jiff::Timestamp;

    use super::*;
    use crate::packed::{Pieces, look, pack, unpack};

    pub(crate) const SORTS: [SortBy; 4] =
        [SortBy::CreatedAt, SortBy::Name, SortBy::ExpiresAt, SortBy::LastUsedAt];

    pub(crate) fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn owner(number: usize) -> Owner {
        Owner::new(["alice", "bob"][number % 2]).unwrap()
    }

    /// One of each kind of name, description, scopes and times, in all combinations, and its value.
    pub(crate) fn tokens() -> Vec<(TokenRecord, Vec<u8>)> {
        let names = ["ci", "CI Deploy", "ÉTÉ", "İstanbul", "ΣΑΣ", "été ci"];
        let descriptions = ["", "Runs the CI\n\tat night", "Straße, CI"];
        let scopes: [&[&str]; 4] =
            [&[], &["projects"], &["jobs:run", "projects:read"], &["projects:read:42", "x"]];
        let times = [None, Some(at(-5)), Some(at(0)), Some(at(7))];
        let mut tokens = Vec::new();
        for (name, description) in names.iter().flat_map(|n| descriptions.map(|d| (*n, d))) {
            for scopes in scopes {
                for (number, (end, revoked)) in
                    times.iter().flat_map(|end| [(*end, None), (*end, Some(at(3)))]).enumerate()
                {
                    let created = at((tokens.len() * 7919 % 401) as i64);
                    let id = TokenId::generate(&owner(number), created).unwrap();
                    let created = if number % 3 == 0 { at(50) } else { created };
                    let mut record = TokenRecord::new(id, owner(number), name, created);
                    description.clone_into(&mut record.description);
                    record.scopes = ScopeSet::parse(scopes).unwrap();
                    (record.expires_at, record.revoked_at) = (end, revoked);
                    record.last_used_at = times[number / 2 % 4];
                    let current = Digest::from_parts("sha256", &[1; 32]).unwrap();
                    let secrets = Secrets { current, previous: None };
                    let token = StoredToken { record, secrets };
                    let value = pack(&token, &Pieces::of(&token.record));
                    tokens.push((token.record, value));
                }
            }
        }
        tokens
    }

    #[test]
    fn a_value_is_found_when_its_record_would_be() {
        let statuses = [None, Some(Status::Active), Some(Status::Expired), Some(Status::Revoked)];
        let texts =
            ["", "ci", "CI", "i d", "été", "ÉTÉ", "i\u{307}s", "istanbul", "σ", "ς", "\n\ta", "ß"];
        let scopes = ["projects", "projects:read", "jobs", "x"];
        let mut queries = Vec::new();
        for status in statuses {
            for text in texts.map(Some).into_iter().chain([None]) {
                for scope in scopes.map(Some).into_iter().chain([None]) {
                    let scope = scope.map(|scope| scope.parse::<Scope>().unwrap());
                    let owner = (queries.len() % 5 == 0).then(|| owner(0));
                    let text = text.map(str::to_owned);
                    let everything = ListQuery::everything(at(queries.len() as i64 % 3 - 1), 1);
                    queries.push(ListQuery { owner, status, text, scope, ..everything });
                }
            }
        }
        let tokens = tokens();
        let mut found = 0;
        for query in &queries {
            let mut sought = Sought::new(query);
            for (record, value) in &tokens {
                let is_found = sought.matches(&look(record.id, value, &mut "").unwrap());
                assert_eq!(is_found, query.matches(record), "{query:?} {record:?}");
                found += usize::from(is_found);
            }
        }
        assert!(found > queries.len(), "{found} of {} queries", queries.len());
    }

    #[test]
    fn a_value_stands_where_its_record_does_and_is_that_record() {
        for by in SORTS {
            let sort = Sort { by, descending: false };
            let query = ListQuery { sort, ..ListQuery::everything(at(0), 1) };
            for (record, value) in tokens() {
                let packed = look(record.id, &value, &mut "").unwrap();
                assert_eq!(Sought::new(&query).key_of(&packed), sort.key_of(&record));
                assert_eq!(packed.into_record().unwrap(), record);
            }
        }
    }

    #[test]
    fn what_cannot_be_read_is_seen_at_a_look() {
        let (record, whole) = tokens().pop().unwrap();
        let mut refused = 0;
        let mut compare = |value: &[u8]| {
            // Of the scopes of one that is whole nothing is taken over but that they are whole.
            let mut known = "";
            look(record.id, &whole, &mut known).unwrap();
            let [seen, read] =
                [look(record.id, value, &mut known).err(), unpack(record.id, value).err()]
                    .map(|error| error.map(|error| (error.is_corrupt(), format!("{error:?}"))));
            assert_eq!(seen, read);
            refused += usize::from(seen.is_some_and(|(is_corrupt, _)| is_corrupt));
        };
        for at in 0..whole.len() {
            compare(&whole[..at]);
            for byte in 0..=255 {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                compare(&damaged);
            }
        }
        assert!(refused > whole.len(), "{refused}");
    }
}
