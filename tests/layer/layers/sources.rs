//! Tests of credentials in other places than `Authorization: Bearer` and `?session=`.

use axum::Router;
use axum::routing::get;
use hallpass_tower::{CredentialSource, PrincipalExt as _, TokenLayer};

use super::{answer, serving};
use crate::fixture::{Fixture, Setup};
use crate::host::Host;
use crate::server::Server;
use crate::wire::Http1;

/// Sends a request with these header lines and returns status and body.
async fn send(server: &Server, target: &str, lines: &[&str]) -> (u16, String) {
    let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    let request = server.text(&format!("GET {target} HTTP/1.1\r\nhost: x\r\n{lines}\r\n"));
    let answer = Http1::exchange(server.address, &request).await;
    (answer.status, answer.text().to_owned())
}

#[tokio::test]
async fn other_schemes_are_accepted_only_if_they_are_listed() {
    let lines = ["Token {T}", "token {T}", "{T}", "Bearer {T}"];
    type SetUp = fn(TokenLayer) -> TokenLayer;
    let cases: [(&str, SetUp, [u16; 4]); 4] = [
        ("default", |layer| layer, [401, 401, 401, 200]),
        (
            "token",
            |layer| layer.with_source(CredentialSource::scheme("Token")),
            [200, 200, 401, 200],
        ),
        ("bare", |layer| layer.with_source(CredentialSource::bare()), [401, 401, 200, 200]),
        ("bare alone", |layer| layer.sources([CredentialSource::bare()]), [401, 401, 200, 401]),
    ];
    for (name, set_up, owed) in cases {
        for host in [Host::Hyper, Host::Axum] {
            let server = Server::with(host, set_up).await;
            for (line, owed) in lines.iter().zip(owed) {
                let (status, body) =
                    send(&server, "/echo", &[&format!("authorization: {line}")]).await;
                assert_eq!(status, owed, "{name}, {host:?}: {line}");
                assert!(server.fixture.leak(body.as_bytes()).is_none(), "{name}, {host:?}: {line}");
            }
        }
    }
}

#[tokio::test]
async fn token_in_a_custom_header_is_accepted_and_removed() {
    let server = Server::with(Host::Axum, |layer| {
        layer.sources([CredentialSource::bearer(), CredentialSource::header("X-Api-Key")])
    })
    .await;
    for (lines, owed) in [
        (&["x-api-key: {T}"][..], 200),
        (&["authorization: Bearer {T}"], 200),
        (&["x-api-key: {SUM}"], 401),
        (&["x-api-key: {REVOKED}"], 401),
        (&["x-api-key:"], 400),
        (&["x-api-key: {T}", "x-api-key: {T}"], 400),
        (&["x-api-key: {T} {T}"], 400),
        (&["x-api-key: {T}, {U}"], 400),
        (&["x-api-key: {T}", "authorization: Bearer {T}"], 400),
        (&["x-api-key: {T}", "authorization: Basic dTpw"], 400),
        // The default source is not listed any more.
        (&[], 401),
    ] {
        let (status, body) = send(&server, "/echo", lines).await;
        assert_eq!(status, owed, "{lines:?}");
        assert!(server.fixture.leak(body.as_bytes()).is_none(), "{lines:?}");
    }
    assert_eq!(server.get("/echo?session={T}", "").await.status, 401);
    let request = server.text("GET /echo HTTP/1.1\r\nhost: x\r\nx-api-key: {T}\r\n\r\n");
    let answer = Http1::exchange(server.address, &request).await;
    assert_eq!(answer.header("vary"), Some("authorization, x-api-key"));
}

#[tokio::test]
async fn vary_names_only_the_headers_that_are_read() {
    let server = Server::with(Host::Axum, |layer| {
        let both = [CredentialSource::bearer(), CredentialSource::header("x-api-key")];
        layer.sources(both).bearer_only()
    })
    .await;
    assert_eq!(server.get("/echo", "").await.header("vary"), Some("authorization"));
}

#[tokio::test]
async fn custom_header_is_marked_sensitive_without_a_principal() {
    let server =
        Server::with(Host::Axum, |layer| layer.sources([CredentialSource::bearer()]).optional())
            .await;
    let (status, body) = send(&server, "/echo", &["x-api-key: mine"]).await;
    assert!(
        status == 200 && body.contains("x-api-key: mine"),
        "a value without our prefix belongs to the application: {body}"
    );

    let table = hallpass_tower::PolicyTable::new().get("/echo", hallpass_core::public());
    let server = Server::with(Host::Axum, |layer| {
        layer.sources([CredentialSource::header("x-api-key")]).policy(table)
    })
    .await;
    let (status, body) = send(&server, "/echo", &["x-api-key: {T}"]).await;
    assert!(status == 200 && server.fixture.leak(body.as_bytes()).is_none(), "{body}");
}

#[tokio::test]
async fn response_to_two_credentials_names_both_sources() {
    let server =
        Server::with(Host::Axum, |layer| layer.with_source(CredentialSource::header("x-api-key")))
            .await;
    for (target, lines, says) in [
        (
            "/echo?session={T}",
            &["authorization: Bearer {T}"][..],
            "There are two credentials, in `Authorization: Bearer` and in the query parameter \
             `session`: send only one of them.",
        ),
        (
            "/echo?session={T}",
            &["x-api-key: {T}"],
            "There are two credentials, in the query parameter `session` and in the header \
             `x-api-key`: send only one of them.",
        ),
        (
            "/echo?session={T}",
            &["authorization: Basic dTpw"],
            "There are two credentials, in `Authorization` with another scheme and in the query \
             parameter `session`: send only one of them.",
        ),
        (
            "/echo?session=",
            &[],
            "Send exactly one token in the query parameter `session`: it is empty, or there are \
             several.",
        ),
        (
            "/echo",
            &["authorization: Bearer"],
            "The `Authorization` header is malformed: send one scheme, a space and one token, once.",
        ),
    ] {
        let (status, body) = send(&server, target, lines).await;
        assert_eq!(status, 400, "{target} {lines:?}");
        assert!(body.contains(&format!(r#""detail":"{says}""#)), "{body}");
    }
}

#[tokio::test]
async fn handler_can_read_the_source_of_the_token() {
    let handler = async |request: axum::extract::Request| {
        request.credential_source().map_or("nowhere".to_owned(), ToString::to_string)
    };
    let fixture = Fixture::new().await;
    let layer = fixture.layer(Setup::Default, Host::Axum.layer()).optional();
    let server = serving(fixture, Router::new().route("/", get(handler)).layer(layer)).await;
    assert_eq!(server.get("/", "T").await.text(), "`Authorization: Bearer`");
    assert_eq!(server.get("/?session={T}", "").await.text(), "the query parameter `session`");
    assert_eq!(server.get("/", "").await.text(), "nowhere");
}

#[tokio::test]
async fn stricter_inner_layer_rejects_other_sources() {
    let fixture = Fixture::new().await;
    let make = || fixture.layer(Setup::Default, Host::Axum.layer());
    let header = || CredentialSource::header("x-api-key");
    let app = Router::new()
        .route("/echo", get(answer))
        .route("/strict", get(answer).layer(make().bearer_only()))
        .route("/watching", get(answer).layer(make().bearer_only().reject_query_tokens()))
        .route("/open", get(answer).layer(make().bearer_only().optional()))
        .route("/key", get(answer).layer(make().sources([header()])))
        .layer(make().with_source(header()));
    let server = serving(fixture, app).await;
    let key: &[&str] = &["x-api-key: {T}"];
    let bearer: &[&str] = &["authorization: Bearer {T}"];
    for (target, lines, owed) in [
        ("/echo?session={T}", &[][..], 200),
        ("/echo", bearer, 200),
        ("/echo", key, 200),
        ("/strict?session={T}", &[], 401),
        ("/strict", key, 401),
        ("/strict", bearer, 200),
        ("/watching?session={T}", &[], 400),
        ("/watching", bearer, 200),
        ("/key", key, 200),
        ("/key", bearer, 401),
        ("/key?session={T}", &[], 401),
    ] {
        let (status, body) = send(&server, target, lines).await;
        assert_eq!(status, owed, "{target} {lines:?}: {body}");
        assert!(server.fixture.leak(body.as_bytes()).is_none(), "{target} {lines:?}");
    }
    // The inner layer is optional and does not read the query, so the caller is anonymous there.
    let (status, body) = send(&server, "/open?session={T}", &[]).await;
    assert!(status == 200 && body.contains("owner: -"), "{body}");
    let (status, body) = send(&server, "/open", bearer).await;
    assert!(status == 200 && body.contains("owner: alice"), "{body}");
}

#[tokio::test]
async fn second_credential_that_only_the_inner_layer_reads_is_a_400() {
    let fixture = Fixture::new().await;
    let make = || fixture.layer(Setup::Default, Host::Axum.layer());
    let app = Router::new()
        .route("/echo", get(answer).layer(make()))
        .layer(make().sources([CredentialSource::query("session")]));
    let server = serving(fixture, app).await;
    assert_eq!(send(&server, "/echo?session={T}", &[]).await.0, 200);
    let both = send(&server, "/echo?session={T}", &["authorization: Bearer {U}"]).await;
    assert_eq!(both.0, 400, "{}", both.1);
    // A header that the outer layer is set to keep is not a second credential.
    let app = {
        let make = || server.fixture.layer(Setup::Default, Host::Axum.layer());
        Router::new()
            .route("/echo", get(answer).layer(make().with_source(CredentialSource::bare())))
            .layer(make().keep_authorization())
    };
    let kept = serving(Fixture::new().await, app).await;
    let token = server.fixture.words.text("T");
    let line = format!("authorization: Bearer {token}");
    assert_eq!(send(&kept, "/echo", &[&line]).await.0, 200);
}

#[tokio::test]
async fn rejection_by_an_inner_layer_records_no_use() {
    let fixture = Fixture::new().await;
    let make = || fixture.layer(Setup::Default, Host::Axum.layer());
    let app = Router::new().route("/echo", get(answer).layer(make().bearer_only())).layer(make());
    let server = serving(fixture, app).await;
    assert_eq!(send(&server, "/echo?session={T}", &[]).await.0, 401);
    assert!(!server.fixture.hallpass.has_unflushed_uses());
    assert_eq!(server.get("/echo", "T").await.status, 200);
    assert!(server.fixture.hallpass.has_unflushed_uses());
}
