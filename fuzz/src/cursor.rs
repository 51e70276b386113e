//! Fuzzes cursors of lists. The input is a cursor, with placeholders for the parts of a valid one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hallpass_core::store::{ListKey, Sort, SortBy};
use hallpass_core::{Actor, Clock, Error, Hallpass, ListOptions, NewToken, TokenRecord};
use hallpass_memory::MemoryStore;
use jiff::Timestamp;

use crate::now::now;
use crate::words::Words;

/// The lengths of a cursor's parts in characters: the check value, and the id of the position in
/// hexadecimal.
const CHECK: usize = 24;
const ID: usize = 64;

const PAGE: u32 = 2;

thread_local! {
    static LISTS: Lists = Lists::new();
}

/// Checks that a list accepts a cursor only if that list has issued it, and then continues after
/// its position. The fuzzer cannot compute the check value.
///
/// # Panics
///
/// Panics if a list continues at a wrong position or accepts a cursor of another list.
pub fn check(data: &[u8]) {
    LISTS.with(|lists| {
        for list in &lists.all {
            let Ok(cursor) = String::from_utf8(list.words.fill(data)) else { return };
            let listing = listing(list.sort).cursor(&cursor);
            let place = list.positions.get(&cursor);
            match (now(lists.hallpass.list(&lists.alice, &listing)), place) {
                (Ok(page), Some(place)) => {
                    let behind = list.records.iter().filter(|record| {
                        list.sort.compare(&list.sort.key_of(record), place).is_gt()
                    });
                    let behind: Vec<_> = behind.take(PAGE as usize).collect();
                    assert_eq!(page.items.iter().collect::<Vec<_>>(), behind, "{cursor:?}");
                }
                (Err(Error::Invalid(_)), None) => {}
                (answer, _) => panic!("{cursor:?} contains {place:?}: {answer:?}"),
            }
            let strange = now(lists.hallpass.list(&Actor::owner("bob"), &listing));
            assert!(
                matches!(strange, Err(Error::Invalid(_))),
                "{cursor:?} belongs to another owner"
            );
        }
    });
}

fn listing(sort: Sort) -> ListOptions {
    ListOptions::new().sort(sort).limit(PAGE)
}

/// A few tokens, and the list of them in every sort order.
struct Lists {
    hallpass: Hallpass,
    alice: Actor,
    all: Vec<List>,
}

struct List {
    sort: Sort,
    /// All tokens, in the order of the list.
    records: Vec<TokenRecord>,
    /// The position of every cursor of the list.
    positions: HashMap<String, ListKey>,
    words: Words,
}

impl Lists {
    fn new() -> Self {
        let clock = Hands(Arc::new(AtomicI64::new(1_800_000_000)));
        let hallpass = Hallpass::builder(MemoryStore::new()).clock(clock.clone()).build();
        let alice = Actor::owner("alice");
        for (name, expires) in [
            ("größe", "30d"),
            ("b", "never"),
            ("B", "1y"),
            ("a", "never"),
            ("aa", "30d"),
            ("日", "2w"),
        ] {
            let new = NewToken::named(name).expires(expires);
            let issued = now(hallpass.issue(&alice, new)).expect("a token");
            clock.0.fetch_add(1, Ordering::Relaxed);
            if expires == "30d" {
                now(hallpass.authenticate(issued.token.reveal().as_bytes())).expect("it is good");
            }
        }
        let all = [SortBy::CreatedAt, SortBy::Name, SortBy::ExpiresAt, SortBy::LastUsedAt]
            .into_iter()
            .flat_map(|by| [false, true].map(|descending| Sort { by, descending }))
            .map(|sort| List::new(&hallpass, &alice, sort))
            .collect();
        Self { hallpass, alice, all }
    }
}

impl List {
    /// Reads the list in pages of one record and collects the cursors. The second cursor provides
    /// the values of the placeholders.
    fn new(hallpass: &Hallpass, by: &Actor, sort: Sort) -> Self {
        let whole = now(hallpass.list(by, &listing(sort).limit(100))).expect("a list");
        let (mut walked, mut cursors) = (Vec::<TokenRecord>::new(), Vec::new());
        let mut positions = HashMap::new();
        loop {
            let page = match cursors.last() {
                None => listing(sort).limit(1),
                Some(cursor) => listing(sort).limit(1).cursor(cursor),
            };
            let page = now(hallpass.list(by, &page)).expect("a page");
            walked.extend(page.items);
            let Some(cursor) = page.next_cursor else { break };
            positions.insert(cursor.clone(), sort.key_of(walked.last().expect("a record")));
            cursors.push(cursor);
        }
        assert_eq!(walked, whole.items, "{sort:?}");
        let cursor = &cursors[1];
        let (check, rest) = cursor.split_at(CHECK);
        let (id, value) = rest.split_at(ID);
        let words = Words::default()
            .with("CURSOR", &cursor[..])
            .with("CHECK", check)
            .with("ID", id)
            .with("VALUE", value);
        Self { sort, records: whole.items, positions, words }
    }
}

/// A clock that the test sets, in seconds after 1970.
#[derive(Clone, Debug)]
struct Hands(Arc<AtomicI64>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).expect("an instant")
    }
}
