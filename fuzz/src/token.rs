//! Fuzzes the text of tokens. Each input is tried as it is, with its checksum corrected, and as the
//! bytes of a new token.

use hallpass_core::Hallpass;
use hallpass_memory::MemoryStore;

use crate::fixture::{Fixture, PREFIX};
use crate::oracle::{assemble, base62, checksum, is_b64token, is_token};

/// An earlier prefix of tokens.
const RETIRED: &str = "old2";

struct Parser {
    fixture: Fixture,
    hallpass: Hallpass,
}

thread_local! {
    static PARSER: Parser = Parser {
        fixture: Fixture::new(),
        hallpass: Hallpass::builder(MemoryStore::new()).prefix(PREFIX).accept_prefix(RETIRED).build(),
    };
}

/// Checks that the parser and the oracle accept the same texts, and that a parsed token has the
/// same text.
///
/// # Panics
///
/// Panics if the parser and the oracle disagree.
pub fn check(data: &[u8]) {
    PARSER.with(|parser| {
        let text = parser.fixture.words.fill(data);
        check_text(&parser.hallpass, &text);
        // Mutations alone would never produce a correct checksum.
        check_text(&parser.hallpass, &[&text[..], checksum(&text).as_bytes()].concat());
        check_made(&parser.hallpass, data);
    });
}

fn check_text(hallpass: &Hallpass, text: &[u8]) {
    let prefix = [PREFIX, RETIRED].into_iter().find(|prefix| is_token(text, prefix));
    let parsed = hallpass.parse(text);
    let shown = String::from_utf8_lossy(text);
    assert_eq!(parsed.is_ok(), prefix.is_some(), "{shown}");
    assert_eq!(hallpass.is_well_formed(text), prefix.is_some(), "{shown}");
    let (Ok(token), Some(prefix)) = (parsed, prefix) else { return };
    assert!(is_b64token(text), "{shown} fits behind `Bearer`");
    let secret = &shown[prefix.len() + 1 + 22..][..43];
    assert_eq!(assemble(prefix, token.id().as_uuid().as_u128(), secret), shown);
    assert!(!format!("{token:?}").contains(secret), "{token:?}");
}

/// Builds a token from the input: sixteen bytes are the id, and each following byte gives one digit
/// of the secret.
fn check_made(hallpass: &Hallpass, data: &[u8]) {
    let byte = |place: usize| data.get(place).copied().unwrap_or_default();
    let id = u128::from_be_bytes(std::array::from_fn(byte));
    let secret: String =
        (16..16 + 43).map(|place| base62(u128::from(byte(place)) % 62, 1)).collect();
    for prefix in [PREFIX, RETIRED] {
        let text = assemble(prefix, id, &secret);
        let token = hallpass.parse(text.as_bytes()).unwrap_or_else(|_| panic!("{text} is a token"));
        assert_eq!(token.id().as_uuid().as_u128(), id, "{text}");
    }
    assert!(hallpass.parse(assemble("other", id, &secret).as_bytes()).is_err());
}
