//! Fuzzes the query. The first line of the input is the request's URI, the others are lines of
//! `Authorization`, with placeholders for tokens. The request is sent to a layer of each setup.

use http::Uri;
use http::header::{CACHE_CONTROL, REFERRER_POLICY, VARY};

use crate::fixture::{self, Answer, Fixture, PREFIX, PUBLIC_PATH, Setup, Within};
use crate::oracle::{Credential, Header, authorization, credential, is_token, pairs, without};

thread_local! {
    static STAGE: Fixture = Fixture::new();
}

/// Checks that the response of each layer, and the request that it passes on, agree with the
/// oracle.
///
/// # Panics
///
/// Panics if a layer and the oracle disagree.
pub fn check(data: &[u8]) {
    STAGE.with(|fixture| {
        let input = fixture.words.fill(data);
        let mut lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
        let Ok(uri) = Uri::try_from(lines.remove(0)) else { return };
        let Some(headers) = fixture::authorization(lines.iter().copied()) else { return };
        for (setup, answer) in fixture.answers(&uri, &headers) {
            let Some(owed) = Owed::to(setup, &uri, &lines, &fixture.live) else { continue };
            let found = (answer.status, answer.error.as_deref(), answer.within.clone());
            assert_eq!(
                found,
                (owed.status, owed.error, owed.within),
                "{setup:?} {uri} {headers:?}"
            );
            check_privacy(setup, &uri, &answer);
        }
    });
}

/// The expected response to a request.
struct Owed {
    status: u16,
    error: Option<&'static str>,
    within: Option<Within>,
}

impl Owed {
    /// Returns the expected response, or `None` if the setup does not apply to this path.
    fn to(setup: Setup, uri: &Uri, lines: &[&[u8]], live: &[Vec<u8>]) -> Option<Self> {
        let rejected = |status, error| Some(Self { status, error, within: None });
        let anybody = || {
            let uri = without(&uri.to_string(), |key, value| holds_token(setup, key, value));
            // The layer removes all lines of `Authorization` if a word of one is a token.
            let lines = if lines.iter().any(|line| contains_token(line)) { 0 } else { lines.len() };
            let within = Within { uri, lines, is_known: false };
            Some(Self { status: 200, error: None, within: Some(within) })
        };
        match setup {
            Setup::Public if uri.path() == PUBLIC_PATH => return anybody(),
            Setup::Public => return None,
            Setup::Tripwire if trips(uri) => return rejected(400, Some("invalid_request")),
            _ => {}
        }
        match credential(lines, uri.query(), setup.names()) {
            Credential::Nothing if setup == Setup::Optional => anybody(),
            Credential::Nothing => rejected(401, None),
            Credential::Malformed => rejected(400, Some("invalid_request")),
            Credential::One(text) if live.contains(&text) => {
                let uri = without(&uri.to_string(), |key, value| {
                    is_name(setup, key) || holds_token(setup, key, value)
                });
                let within = Within { uri, lines: 0, is_known: true };
                Some(Self { status: 200, error: None, within: Some(within) })
            }
            // A Bearer token without our prefix belongs to the application.
            Credential::One(text)
                if setup == Setup::Optional
                    && authorization(lines) == Header::Bearer(text.clone())
                    && !text.starts_with(format!("{PREFIX}_").as_bytes()) =>
            {
                anybody()
            }
            Credential::One(_) => rejected(401, Some("invalid_token")),
        }
    }
}

fn is_name(setup: Setup, key: &[u8]) -> bool {
    setup.names().iter().any(|name| name.as_bytes() == key)
}

/// Checks that the inner service sees no token in a parameter of these names, in upper or lower
/// case.
fn holds_token(setup: Setup, key: &[u8], value: Option<&[u8]>) -> bool {
    setup.names().iter().any(|name| name.as_bytes().eq_ignore_ascii_case(key))
        && value.is_some_and(|value| is_token(value, PREFIX))
}

/// Returns whether a word of a line is a token.
fn contains_token(line: &[u8]) -> bool {
    line.split(|byte| matches!(byte, b' ' | b'\t' | b',')).any(|word| is_token(word, PREFIX))
}

/// Checks that a layer that does not read the query still rejects a token in it.
fn trips(uri: &Uri) -> bool {
    pairs(uri.query().unwrap_or_default()).iter().any(|(key, value)| {
        key == b"session" && value.as_ref().is_some_and(|value| is_token(value, PREFIX))
    })
}

/// Checks that no cache stores a rejection or a response to a URL with a token, and that no
/// `Referer` discloses such a URL.
fn check_privacy(setup: Setup, uri: &Uri, answer: &Answer) {
    let header = |name| answer.headers.get(name).map(http::HeaderValue::as_bytes);
    let reads_query = !setup.names().is_empty() && uri.query().is_some();
    let cache = match (answer.status, &answer.within) {
        (200, Some(within)) if within.uri != uri.to_string() => Some(&b"private, no-store"[..]),
        (200, Some(within)) if within.is_known => Some(&b"private"[..]),
        (200, _) => None,
        _ => Some(&b"no-store"[..]),
    };
    assert_eq!(header(CACHE_CONTROL), cache, "{setup:?} {uri} {answer:?}");
    let vary = answer.within.as_ref().is_none_or(|_| setup != Setup::Public);
    assert_eq!(header(VARY), vary.then_some(&b"authorization"[..]), "{setup:?} {uri} {answer:?}");
    if cache.is_some_and(|cache| cache != b"private") {
        let referrer = reads_query.then_some(&b"no-referrer"[..]);
        assert_eq!(header(REFERRER_POLICY), referrer, "{setup:?} {uri} {answer:?}");
    }
}
