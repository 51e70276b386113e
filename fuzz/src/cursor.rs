//! Cursors of lists: the input is a cursor, with words for the parts of one that is good.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use hallpass_core::store::{ListKey, ListValue, Sort, SortBy};
use hallpass_core::{Actor, Clock, Error, Hallpass, ListOptions, NewToken, TokenId, TokenRecord};
use hallpass_memory::MemoryStore;
use jiff::Timestamp;
use uuid::Uuid;

use crate::now::now;
use crate::words::Words;

/// The parts of a cursor, in characters.
const FINGERPRINT: usize = 16;
const ID: usize = 32;

const PAGE: u32 = 2;

thread_local! {
    static LISTS: Lists = Lists::new();
}

/// Each list goes on where the cursor says, if it is one of that list, and refuses it otherwise.
///
/// # Panics
///
/// One does not.
pub fn check(data: &[u8]) {
    LISTS.with(|lists| {
        for list in &lists.all {
            let Ok(cursor) = String::from_utf8(list.words.fill(data)) else { return };
            let listing = listing(list.sort).cursor(&cursor);
            let place = read(&cursor, list);
            match (now(lists.hallpass.list(&lists.alice, &listing)), &place) {
                (Ok(page), Some(place)) => {
                    let behind = list.records.iter().filter(|record| {
                        list.sort.compare(&list.sort.key_of(record), place).is_gt()
                    });
                    let behind: Vec<_> = behind.take(PAGE as usize).collect();
                    assert_eq!(page.items.iter().collect::<Vec<_>>(), behind, "{cursor:?}");
                }
                (Err(Error::Invalid(_)), None) => {}
                (answer, _) => panic!("{cursor:?} says {place:?}: {answer:?}"),
            }
            let strange = now(lists.hallpass.list(&Actor::owner("bob"), &listing));
            assert!(matches!(strange, Err(Error::Invalid(_))), "{cursor:?} is not bob's");
        }
    });
}

/// A cursor as it is written, letter for letter: fingerprint, id and value, all hexadecimal but for a time.
fn read(cursor: &str, list: &List) -> Option<ListKey> {
    let rest = cursor.strip_prefix(&list.fingerprint)?;
    let (id, value) = rest.split_at_checked(ID)?;
    let id = TokenId::from_uuid(Uuid::from_u128(u128::from_str_radix(id, 16).ok()?));
    let value = match (list.sort.by, value.split_at_checked(1)?) {
        (SortBy::Name, ("n", hex)) => ListValue::Name(unhex(hex)?),
        (SortBy::Name, _) => return None,
        (_, ("a", "")) => ListValue::Time(None),
        (_, ("t", millis)) => {
            ListValue::Time(Some(Timestamp::from_millisecond(millis.parse().ok()?).ok()?))
        }
        _ => return None,
    };
    let place = ListKey { value, id };
    (write(&list.fingerprint, &place) == cursor).then_some(place)
}

fn write(fingerprint: &str, place: &ListKey) -> String {
    let value = match &place.value {
        ListValue::Time(None) => "a".to_owned(),
        ListValue::Time(Some(time)) => format!("t{}", time.as_millisecond()),
        ListValue::Name(name) => {
            let digits: Vec<String> = name.bytes().map(|byte| format!("{byte:02x}")).collect();
            format!("n{}", digits.concat())
        }
    };
    format!("{fingerprint}{:032x}{value}", place.id.as_uuid().as_u128())
}

fn unhex(hex: &str) -> Option<String> {
    let digits: Vec<char> = hex.chars().collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).ok();
    String::from_utf8(digits.chunks(2).map(byte).collect::<Option<Vec<_>>>()?).ok()
}

fn listing(sort: Sort) -> ListOptions {
    ListOptions::new().sort(sort).limit(PAGE)
}

/// Some tokens, in every order.
struct Lists {
    hallpass: Hallpass,
    alice: Actor,
    all: Vec<List>,
}

struct List {
    sort: Sort,
    /// All of it, in order.
    records: Vec<TokenRecord>,
    fingerprint: String,
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
    /// Walks through the list by its own cursors, and takes the second of them for the words.
    fn new(hallpass: &Hallpass, by: &Actor, sort: Sort) -> Self {
        let whole = now(hallpass.list(by, &listing(sort).limit(100))).expect("a list");
        let (mut walked, mut cursors) = (Vec::new(), Vec::new());
        loop {
            let page = match cursors.last() {
                None => listing(sort),
                Some(cursor) => listing(sort).cursor(cursor),
            };
            let page = now(hallpass.list(by, &page)).expect("a page");
            walked.extend(page.items);
            match page.next_cursor {
                Some(cursor) => cursors.push(cursor),
                None => break,
            }
        }
        assert_eq!(walked, whole.items, "{sort:?}");
        let cursor = &cursors[1];
        let (fingerprint, rest) = cursor.split_at(FINGERPRINT);
        let (id, value) = rest.split_at(ID);
        let words = Words::default()
            .with("CURSOR", &cursor[..])
            .with("FINGERPRINT", fingerprint)
            .with("ID", id)
            .with("VALUE", value);
        Self { sort, records: whole.items, fingerprint: fingerprint.to_owned(), words }
    }
}

/// A clock that is set by hand, in seconds after 1970.
#[derive(Clone, Debug)]
struct Hands(Arc<AtomicI64>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).expect("an instant")
    }
}
