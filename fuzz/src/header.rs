//! Fuzzes `Authorization`. Each line of the input is one such header line of a request, with
//! placeholders for tokens.

use hallpass_tower::Authorization;
use http::{HeaderMap, Uri};

use crate::fixture::{self, Fixture};
use crate::oracle::{Credential, Header, authorization, credential};

thread_local! {
    static STAGE: Fixture = Fixture::new();
}

/// Checks that the parser and the layer agree with the oracle about these lines.
///
/// # Panics
///
/// Panics if they disagree.
pub fn check(data: &[u8]) {
    STAGE.with(|fixture| {
        let input = fixture.words.fill(data);
        let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
        let Some(headers) = fixture::authorization(lines.iter().copied()) else { return };
        check_parser(&headers, &lines);
        check_layer(fixture, &headers, &lines);
    });
}

fn check_parser(headers: &HeaderMap, lines: &[&[u8]]) {
    let found = match Authorization::of(headers) {
        Authorization::Absent => Header::Absent,
        Authorization::OtherScheme => Header::Foreign,
        Authorization::Bearer(text) => Header::Bearer(text.to_vec()),
        Authorization::Malformed => Header::Malformed,
    };
    assert_eq!(found, authorization(lines), "{headers:?}");
}

fn check_layer(fixture: &Fixture, headers: &HeaderMap, lines: &[&[u8]]) {
    let owed = match credential(lines, None, &[]) {
        Credential::Nothing => (401, None),
        Credential::Malformed => (400, Some("invalid_request")),
        Credential::One(text) if fixture.live.contains(&text) => (200, None),
        Credential::One(_) => (401, Some("invalid_token")),
    };
    let (_, answer) = fixture.answers(&Uri::from_static("/"), headers).next().expect("a layer");
    assert_eq!((answer.status, answer.error.as_deref()), owed, "{headers:?}");
    match answer.within {
        Some(within) => assert!(within.is_known && within.lines == 0, "{within:?}"),
        None => assert_ne!(answer.status, 200),
    }
}
