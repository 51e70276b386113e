//! Cases of methods, hosts and places that are no source of credentials.

use super::Wires::{Http1, Http2};
use super::{
    INVALID_REQUEST, LET_IN, METHOD_NOT_ALLOWED, NO_CREDENTIAL, NOT_DECLARED, PASSED, Row,
    insufficient_scope, row,
};
use crate::stage::Setup;

pub(super) fn rows() -> Vec<Row> {
    let get = |id, owed| row(id, owed).target("/get").sees("/get");
    let bearer = "Bearer {T}";
    vec![
        row("E87", NO_CREDENTIAL).method("CONNECT").on(Http1),
        row("E87", NOT_DECLARED)
            .method("CONNECT")
            .authorization(bearer)
            .behind(Setup::Policy)
            .on(Http1),
        get("E87", METHOD_NOT_ALLOWED).method("CONNECT").authorization(bearer).on(Http1),
        get("E95", LET_IN).method("HEAD").authorization(bearer),
        get("E95", NO_CREDENTIAL).method("HEAD"),
        get("E95", INVALID_REQUEST).method("HEAD").target("/get?session="),
        row("E95", insufficient_scope("echo:read echo:list"))
            .method("HEAD")
            .authorization("Bearer {LOW}")
            .behind(Setup::Policy),
        row("E95", LET_IN).method("HEAD").authorization(bearer).behind(Setup::Policy),
        row("E96", PASSED)
            .method("OPTIONS")
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization"),
        row("E97", NO_CREDENTIAL)
            .method("OPTIONS")
            .header("access-control-request-method", "DELETE")
            .behind(Setup::Policy),
        row("E97", NOT_DECLARED).method("OPTIONS").authorization(bearer).behind(Setup::Policy),
        row("E99", NO_CREDENTIAL)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-protocol", "bearer, {T}")
            .on(Http1),
        row("E100", LET_IN)
            .method("POST")
            .authorization("Bearer {WRITER}")
            .header("x-http-method-override", "DELETE")
            .behind(Setup::Policy),
        row("E100", LET_IN)
            .method("POST")
            .target("/echo?_method=DELETE")
            .sees("/echo?_method=DELETE")
            .authorization("Bearer {WRITER}")
            .behind(Setup::Policy),
        row("E100", insufficient_scope("echo:delete"))
            .method("DELETE")
            .authorization("Bearer {WRITER}")
            .header("x-http-method-override", "POST")
            .behind(Setup::Policy),
        get("E101", METHOD_NOT_ALLOWED).method("TRACE").authorization(bearer),
        row("E101", NOT_DECLARED).method("TRACE").authorization(bearer).behind(Setup::Policy),
        get("E102", METHOD_NOT_ALLOWED).method("get").authorization(bearer),
        get("E102", METHOD_NOT_ALLOWED).method("FOO").authorization(bearer),
        get("E102", NO_CREDENTIAL).method("FOO"),
        row("E102", NOT_DECLARED).method("FOO").authorization(bearer).behind(Setup::Policy),
        row("E102", NOT_DECLARED).method("get").authorization(bearer).behind(Setup::Policy),
        row("E103", LET_IN).raw("GET /echo HTTP/1.0\r\nauthorization: Bearer {T}\r\n\r\n"),
        row("E103", LET_IN).raw("GET /echo HTTP/1.1\r\nauthorization: Bearer {T}\r\n\r\n"),
        row("E103", LET_IN)
            .raw("GET /echo HTTP/1.1\r\nhost: a\r\nhost: b\r\nauthorization: Bearer {T}\r\n\r\n"),
        row("E104", LET_IN).authorization(bearer).header("host", "elsewhere").on(Http2),
        row("E114", NO_CREDENTIAL).target("/echo/{T}"),
        row("E114", NO_CREDENTIAL).header("referer", "http://localhost/echo?session={T}"),
        row("E114", NO_CREDENTIAL).header("user-agent", "client/{T}"),
        row("E114", NO_CREDENTIAL).header("cookie", "session={T}"),
        row("E114", NO_CREDENTIAL).header("x-api-key", "{T}"),
        // Neither is a body, even if a form field has the name of the parameter.
        row("E114", NO_CREDENTIAL).raw(
            "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                  content-length: 82\r\n\r\nsession={T}",
        ),
    ]
}
