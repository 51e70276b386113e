//! Fuzzes `Authorization`. Each line of the input is one such header line of a request, with
//! placeholders for tokens.

use hallpass_tower::Authorization;
use http::{HeaderMap, Uri};

use crate::oracle::{Credential, Header, authorization, credential};
use crate::stage::{self, Stage};

thread_local! {
    static STAGE: Stage = Stage::new();
}

/// Checks that the parser and the layer agree with the oracle about these lines.
///
/// # Panics
///
/// Panics if they disagree.
pub fn check(data: &[u8]) {
    STAGE.with(|stage| {
        let input = stage.words.fill(data);
        let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
        let Some(headers) = stage::authorization(lines.iter().copied()) else { return };
        check_parser(&headers, &lines);
        check_layer(stage, &headers, &lines);
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

fn check_layer(stage: &Stage, headers: &HeaderMap, lines: &[&[u8]]) {
    let owed = match credential(lines, None, &[]) {
        Credential::Nothing => (401, None),
        Credential::Malformed => (400, Some("invalid_request")),
        Credential::One(text) if stage.live.contains(&text) => (200, None),
        Credential::One(_) => (401, Some("invalid_token")),
    };
    let (_, answer) = stage.answers(&Uri::from_static("/"), headers).next().expect("a layer");
    assert_eq!((answer.status, answer.error.as_deref()), owed, "{headers:?}");
    match answer.within {
        Some(within) => assert!(within.is_known && within.lines == 0, "{within:?}"),
        None => assert_ne!(answer.status, 200),
    }
}
