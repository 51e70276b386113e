//! Tests that need more than a single request: bodies, trailers, upgrades, and several requests per
//! connection.

use http::{HeaderMap, HeaderValue, Method, Request};

use crate::host::Host;
use crate::server::Server;
use crate::wire::frames::{self, Ended, PROTOCOL_ERROR};
use crate::wire::{Answer, Http1, Http2, Sent, in_time};

/// The header block of an HTTP/2 request.
type Fields = Vec<(&'static [u8], Vec<u8>)>;

const BOTH: [Host; 2] = [Host::Hyper, Host::Axum];
const WITH_TOKEN: &str = "GET /echo HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {T}\r\n\r\n";
const WITHOUT: &str = "GET /echo HTTP/1.1\r\nhost: x\r\n\r\n";
const BARE: &str = r#"Bearer realm="api""#;

#[tokio::test]
async fn fields_that_http2_forbids_are_rejected() {
    let good: [(&[u8], &[u8]); 4] =
        [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"x"), (b":path", b"/echo")];
    for host in [Host::Hyper, Host::Axum, Host::Tonic] {
        let server = Server::of(host).await;
        let bearer = server.text("Bearer {T}");
        let send = |change: &dyn Fn(&mut Fields)| {
            let mut fields: Vec<_> =
                good.iter().map(|(name, value)| (*name, value.to_vec())).collect();
            fields.push((b"authorization", bearer.clone()));
            change(&mut fields);
            let address = server.address;
            async move {
                let fields: Vec<_> =
                    fields.iter().map(|(name, value)| (*name, &value[..])).collect();
                frames::request(address, &fields).await
            }
        };
        assert_eq!(send(&|_| {}).await, Ended::Answered, "{host:?}: a valid request");
        let served = server.echo.served();
        // Values must not contain NUL, CR or LF, and names must not contain upper-case letters.
        for bad in [&b"\0"[..], b"\r", b"\n"] {
            let ended = send(&|fields| fields[4].1.extend_from_slice(bad)).await;
            assert_eq!(ended, Ended::GoAway(PROTOCOL_ERROR), "{host:?}, value: {bad:?}");
        }
        let ended = send(&|fields| fields[4].0 = b"Authorization").await;
        assert_eq!(ended, Ended::GoAway(PROTOCOL_ERROR), "{host:?}, upper-case name");
        // These are invalid values of `:path`.
        for path in ["http://x/echo", "", "echo"] {
            let ended = send(&|fields| fields[3].1 = path.into()).await;
            assert_eq!(ended, Ended::Reset(PROTOCOL_ERROR), "{host:?}, path: {path:?}");
        }
        // A second path, a pseudo-header field after a regular one, and a field of HTTP/1.1.
        for (name, value) in
            [(&b":path"[..], "/echo"), (b":method", "GET"), (b"connection", "close")]
        {
            let ended = send(&|fields| fields.push((name, value.into()))).await;
            assert_eq!(ended, Ended::Reset(PROTOCOL_ERROR), "{host:?}, field: {value:?}");
        }
        assert_eq!(server.echo.served(), served, "{host:?}");
    }
}

#[tokio::test]
async fn credential_in_trailers_is_ignored() {
    for host in BOTH {
        let server = Server::of(host).await;
        let lookups = server.fixture.lookups();
        let request = server.text(
            "POST /echo HTTP/1.1\r\nhost: x\r\ntrailer: authorization\r\ntransfer-encoding: chunked\r\n\r\n\
             0\r\nauthorization: Bearer {T}\r\n\r\n",
        );
        let answer = Http1::exchange(server.address, &request).await;
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (401, Some(BARE)),
            "{host:?}"
        );

        let mut trailers = HeaderMap::new();
        trailers
            .insert("authorization", HeaderValue::from_bytes(&server.text("Bearer {T}")).unwrap());
        let request = Request::post("http://x/echo").body(()).unwrap();
        let sent = Sent::Trailers(trailers);
        let answer = Http2::connect(server.address).await.send(request, sent).await.unwrap();
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (401, Some(BARE)),
            "{host:?}"
        );
        assert_eq!((server.fixture.lookups(), server.echo.served()), (lookups, 0), "{host:?}");
    }
}

#[tokio::test]
async fn extended_connect_needs_a_token() {
    for host in [Host::Hyper, Host::Axum] {
        let server = Server::of(host).await;
        let connect = |token: Option<Vec<u8>>| {
            let mut request =
                Request::builder().method(Method::CONNECT).uri("http://x/echo").body(()).unwrap();
            request.extensions_mut().insert(h2::ext::Protocol::from_static("websocket"));
            if let Some(token) = token {
                let value = HeaderValue::from_bytes(&token).unwrap();
                request.headers_mut().insert("authorization", value);
            }
            request
        };
        let mut connection = Http2::connect(server.address).await;
        connection.until_extended_connect_is_allowed().await;
        let answer = connection.send(connect(None), Sent::Nothing).await.unwrap();
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (401, Some(BARE)),
            "{host:?}"
        );
        let token = server.text("Bearer {T}");
        let answer = connection.send(connect(Some(token)), Sent::Nothing).await.unwrap();
        assert_eq!((answer.status, server.echo.served()), (200, 1), "{host:?}");
    }
}

#[tokio::test]
async fn head_gets_the_response_of_get_without_the_body() {
    let same = |get: &Answer, head: &Answer| {
        let without_date = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            headers.remove("date");
            headers
        };
        assert_eq!((get.status, without_date(get)), (head.status, without_date(head)));
        assert!(head.body.is_empty() && !get.body.is_empty());
    };
    for host in BOTH {
        let server = Server::of(host).await;
        let http1 = async |method: &str| {
            let request = server.text(&format!("{method} /get HTTP/1.1\r\nhost: x\r\n\r\n"));
            Http1::exchange(server.address, &request).await
        };
        same(&http1("GET").await, &http1("HEAD").await);
        let http2 = async |method: Method| {
            let request = Request::builder().method(method).uri("http://x/get").body(()).unwrap();
            Http2::connect(server.address).await.send(request, Sent::Nothing).await.unwrap()
        };
        same(&http2(Method::GET).await, &http2(Method::HEAD).await);
    }
}

#[tokio::test]
async fn body_with_two_lengths_is_not_taken_for_a_second_request() {
    for host in BOTH {
        let server = Server::of(host).await;
        let hidden = server.text(WITH_TOKEN);
        let mut request = server.text(
            "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n",
        );
        let body =
            [format!("\r\n{:x}\r\n", hidden.len()).as_bytes(), &hidden, b"\r\n0\r\n\r\n"].concat();
        let rejected = [request.clone(), body.clone()].concat();
        let mut connection = Http1::connect(server.address).await;
        connection.send(&rejected).await.unwrap();
        assert_eq!(connection.answer().await.status, 401, "{host:?}");
        // Whether the server drains the body or closes the connection, it must not take the body
        // for a request.
        let _ = connection.send(&server.text(WITHOUT)).await;
        let rest = connection.rest().await;
        assert!(!String::from_utf8_lossy(&rest).contains(" 200 OK"), "{host:?}");
        assert_eq!(server.echo.served(), 0, "{host:?}");

        request.extend(server.text("authorization: Bearer {T}\r\n"));
        let answer = Http1::exchange(server.address, &[request, body].concat()).await;
        assert_eq!(
            (answer.status, server.echo.served()),
            (200, 1),
            "{host:?}: the chunks must be taken for the body"
        );
    }
}

#[tokio::test]
async fn rejected_request_gets_no_100_continue() {
    for host in BOTH {
        let server = Server::of(host).await;
        let head =
            "POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n";
        let mut connection = Http1::connect(server.address).await;
        connection.send(&server.text(&format!("{head}\r\n"))).await.unwrap();
        assert_eq!(connection.answer().await.status, 401, "{host:?}");

        let mut connection = Http1::connect(server.address).await;
        let request = server.text(&format!("{head}authorization: Bearer {{T}}\r\n\r\n"));
        connection.send(&request).await.unwrap();
        assert_eq!(connection.answer().await.status, 100, "{host:?}");
        connection.send(b"hello").await.unwrap();
        let answer = connection.answer().await;
        assert!(answer.status == 200 && answer.text().contains("body: hello"), "{host:?}");
    }
}

#[tokio::test]
async fn body_of_a_rejected_request_is_not_read() {
    const GIGABYTE: usize = 1 << 30;
    for host in BOTH {
        let server = Server::of(host).await;
        let mut connection = Http1::connect(server.address).await;
        let head = format!("POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: {GIGABYTE}\r\n\r\n");
        connection.send(head.as_bytes()).await.unwrap();
        assert_eq!(connection.answer().await.status, 401, "{host:?}");
        let piece = vec![0; 1 << 20];
        let mut sent = 0;
        in_time(async {
            while sent < GIGABYTE && connection.send(&piece).await.is_ok() {
                sent += piece.len();
            }
        })
        .await;
        // This is the maximum size of the sockets' buffers.
        assert!(sent < GIGABYTE / 16, "{host:?}: {sent} bytes were accepted");
    }
}

#[tokio::test]
async fn each_request_of_a_connection_is_checked_separately() {
    for host in BOTH {
        let server = Server::of(host).await;
        let mut connection = Http1::connect(server.address).await;
        let bad =
            server.text("GET /echo HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SUM}\r\n\r\n");
        let (good, nothing) = (server.text(WITH_TOKEN), server.text(WITHOUT));
        connection.send(&[bad, good.clone(), nothing, good].concat()).await.unwrap();
        for owed in [401, 200, 401, 200] {
            assert_eq!(connection.answer().await.status, owed, "{host:?}");
        }

        let mut connection = Http2::connect(server.address).await;
        for (token, owed) in [("{T}", 200), ("", 401), ("{U}", 200), ("{SUM}", 401)] {
            let mut request = Request::get("http://x/echo").body(()).unwrap();
            if !token.is_empty() {
                let value =
                    HeaderValue::from_bytes(&server.text(&format!("Bearer {token}"))).unwrap();
                request.headers_mut().insert("authorization", value);
            }
            let answer = connection.send(request, Sent::Nothing).await.unwrap();
            assert_eq!(answer.status, owed, "{host:?}: {token}");
        }
    }
}
