//! Cases of methods, hosts and places that are no source of credentials.

use super::Wires::{Http1, Http2};
use super::{
    ACCEPTED, INVALID_REQUEST, METHOD_NOT_ALLOWED, NO_CREDENTIAL, NOT_DECLARED, Row,
    insufficient_scope, row,
};
use crate::fixture::Setup;

pub(super) fn rows() -> Vec<Row> {
    let get = |name, owed| row(name, owed).target("/get").sees("/get");
    let bearer = "Bearer {T}";
    vec![
        row("CONNECT without a token", NO_CREDENTIAL).method("CONNECT").on(Http1),
        row("CONNECT that no rule allows", NOT_DECLARED)
            .method("CONNECT")
            .authorization(bearer)
            .behind(Setup::Policy)
            .on(Http1),
        get("CONNECT to a GET route", METHOD_NOT_ALLOWED)
            .method("CONNECT")
            .authorization(bearer)
            .on(Http1),
        get("HEAD", ACCEPTED).method("HEAD").authorization(bearer),
        get("HEAD without a token", NO_CREDENTIAL).method("HEAD"),
        get("HEAD with a malformed credential", INVALID_REQUEST)
            .method("HEAD")
            .target("/get?session="),
        row("HEAD without the required scope", insufficient_scope("echo:read echo:list"))
            .method("HEAD")
            .authorization("Bearer {LOW}")
            .behind(Setup::Policy),
        row("HEAD with the required scope", ACCEPTED)
            .method("HEAD")
            .authorization(bearer)
            .behind(Setup::Policy),
        row("CORS preflight", NO_CREDENTIAL)
            .method("OPTIONS")
            .header("origin", "https://app.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization")
            .behind(Setup::Policy),
        row("OPTIONS that is not a preflight", NO_CREDENTIAL)
            .method("OPTIONS")
            .header("access-control-request-method", "DELETE")
            .behind(Setup::Policy),
        row("OPTIONS that no rule allows", NOT_DECLARED)
            .method("OPTIONS")
            .authorization(bearer)
            .behind(Setup::Policy),
        row("token as a WebSocket protocol", NO_CREDENTIAL)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("sec-websocket-protocol", "bearer, {T}")
            .on(Http1),
        row("method override in a header", ACCEPTED)
            .method("POST")
            .authorization("Bearer {WRITER}")
            .header("x-http-method-override", "DELETE")
            .behind(Setup::Policy),
        row("method override in the query", ACCEPTED)
            .method("POST")
            .target("/echo?_method=DELETE")
            .sees("/echo?_method=DELETE")
            .authorization("Bearer {WRITER}")
            .behind(Setup::Policy),
        row("method override to a weaker method", insufficient_scope("echo:delete"))
            .method("DELETE")
            .authorization("Bearer {WRITER}")
            .header("x-http-method-override", "POST")
            .behind(Setup::Policy),
        get("TRACE", METHOD_NOT_ALLOWED).method("TRACE").authorization(bearer),
        row("TRACE that no rule allows", NOT_DECLARED)
            .method("TRACE")
            .authorization(bearer)
            .behind(Setup::Policy),
        get("method in lower case", METHOD_NOT_ALLOWED).method("get").authorization(bearer),
        get("unknown method", METHOD_NOT_ALLOWED).method("FOO").authorization(bearer),
        get("unknown method without a token", NO_CREDENTIAL).method("FOO"),
        row("unknown method that no rule allows", NOT_DECLARED)
            .method("FOO")
            .authorization(bearer)
            .behind(Setup::Policy),
        row("lower-case method that no rule allows", NOT_DECLARED)
            .method("get")
            .authorization(bearer)
            .behind(Setup::Policy),
        row("HTTP/1.0 without Host", ACCEPTED)
            .raw("GET /echo HTTP/1.0\r\nauthorization: Bearer {T}\r\n\r\n"),
        row("HTTP/1.1 without Host", ACCEPTED)
            .raw("GET /echo HTTP/1.1\r\nauthorization: Bearer {T}\r\n\r\n"),
        row("two Host headers", ACCEPTED)
            .raw("GET /echo HTTP/1.1\r\nhost: a\r\nhost: b\r\nauthorization: Bearer {T}\r\n\r\n"),
        row("other host", ACCEPTED).authorization(bearer).header("host", "elsewhere").on(Http2),
        row("token in the path", NO_CREDENTIAL).target("/echo/{T}"),
        row("token in Referer", NO_CREDENTIAL)
            .header("referer", "http://localhost/echo?session={T}"),
        row("token in User-Agent", NO_CREDENTIAL).header("user-agent", "client/{T}"),
        row("token in a cookie", NO_CREDENTIAL).header("cookie", "session={T}"),
        row("token in X-Api-Key", NO_CREDENTIAL).header("x-api-key", "{T}"),
        // A body is no source of tokens, even if a form field has the name of the parameter.
        row("token in a form", NO_CREDENTIAL).raw(
            "POST /echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n\
                  content-length: 82\r\n\r\nsession={T}",
        ),
    ]
}
