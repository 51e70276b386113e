//! Property test with random bytes: the layer never panics, accepts a request only with one valid
//! credential, and passes no part of it on.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use hallpass_tests::oracle::{self, Credential};
use hallpass_tower::{TokenLayer, TokenService};
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::Empty;
use proptest::prelude::*;
use tower::{ServiceExt, service_fn};
use tower_layer::Layer;
use tower_service::Service;

use crate::fixture::Fixture;

type Body = Empty<bytes::Bytes>;

/// Returns header values composed of pieces that resemble a credential and of random bytes.
fn header() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"Bearer ".to_vec()),
        4 => Just(b"{T}".to_vec()),
        1 => Just(b"bearer".to_vec()),
        1 => Just(b"Basic ".to_vec()),
        1 => Just(b" ".to_vec()),
        1 => Just(b"\t".to_vec()),
        1 => Just(b",".to_vec()),
        1 => Just(b"=".to_vec()),
        // Any byte except the brace that starts a placeholder.
        1 => proptest::collection::vec(any::<u8>().prop_filter("a brace", |b| *b != b'{'), 0..4),
    ];
    proptest::collection::vec(piece, 0..4).prop_map(|pieces| pieces.concat())
}

/// Returns queries composed in the same way.
fn query() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => Just("session="),
        4 => Just("{T}"),
        2 => Just("&"),
        1 => Just("sess%69on="),
        1 => Just("Session="),
        1 => Just("session"),
        1 => Just("x=1"),
        1 => Just("%"),
        1 => Just("%ff"),
        1 => Just("+"),
        1 => Just(";"),
        1 => Just("?"),
        1 => Just("\u{e9}"),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

#[test]
fn random_requests_are_decided_as_the_oracle_decides() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let fixture = runtime.block_on(Fixture::new());
    let token = fixture.words.get("T").to_vec();
    let seen = Arc::new(Mutex::new(None));
    let within = Arc::clone(&seen);
    let keep = service_fn(move |request: Request<Body>| {
        *within.lock().unwrap() = Some(request);
        async { Ok::<_, Infallible>(Response::new(Body::new())) }
    });
    let service = TokenLayer::new(&fixture.hallpass).layer(keep);

    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4096) };
    proptest!(config, |(
        lines in proptest::collection::vec(header(), 0..3),
        query in proptest::option::of(query()),
    )| {
        let lines: Vec<_> = lines.iter().map(|line| fixture.words.fill(line)).collect();
        let target = match &query {
            Some(query) => format!("/?{}", String::from_utf8(fixture.words.fill(query.as_bytes())).unwrap()),
            None => "/".to_owned(),
        };
        let Ok(uri) = target.parse::<Uri>() else { return Ok(()) };
        let mut request = Request::new(Body::new());
        for line in &lines {
            let Ok(value) = HeaderValue::from_bytes(line) else { return Ok(()) };
            request.headers_mut().append("authorization", value);
        }
        *request.uri_mut() = uri.clone();
        let lookups = fixture.lookups();
        let status = runtime.block_on(call(&service, request));
        let asked = fixture.lookups() - lookups;
        let within = seen.lock().unwrap().take();

        let lines: Vec<_> = lines.iter().map(Vec::as_slice).collect();
        let owed = match oracle::credential(&lines, uri.query(), &["session"]) {
            Credential::Nothing => 401,
            Credential::Malformed => 400,
            Credential::One(text) if text == token => 200,
            Credential::One(_) => 401,
        };
        prop_assert_eq!(status, owed, "{:?}", uri);
        prop_assert_eq!(within.is_some(), status == 200);
        prop_assert_eq!(asked, u64::from(status == 200), "the store is called only for a valid credential");
        if let Some(within) = within {
            prop_assert!(within.headers().is_empty());
            let rest = oracle::without(&uri.to_string(), |key, value| {
                key == b"session" || (key.eq_ignore_ascii_case(b"session") && value == Some(&token))
            });
            prop_assert_eq!(within.uri().to_string(), rest);
        }
    });
}

async fn call<S>(service: &TokenService<S>, request: Request<Body>) -> u16
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone,
{
    service.clone().oneshot(request).await.unwrap().status().as_u16()
}
