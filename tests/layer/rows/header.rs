//! Cases of the `Authorization` header.

use super::Wires::{Http1, Http2};
use super::{
    ACCEPTED, INVALID_REQUEST, INVALID_TOKEN, Loads, NO_CREDENTIAL, Row, insufficient_scope, row,
    server,
};
use crate::fixture::Setup;

pub(super) fn rows() -> Vec<Row> {
    let line = |name, value: &'static str, owed| row(name, owed).authorization(value);
    let with = |name, header, value: &'static [u8], owed| row(name, owed).header(header, value);
    vec![
        line("bearer token", "Bearer {T}", ACCEPTED),
        line("scheme in another case", "bearer {T}", ACCEPTED),
        line("scheme in another case", "BEARER {T}", ACCEPTED),
        line("scheme in another case", "bEaReR {T}", ACCEPTED),
        line("several spaces after the scheme", "Bearer  {T}", ACCEPTED),
        line("several spaces after the scheme", "Bearer                    {T}", ACCEPTED),
        line("tab after the scheme", "Bearer\t{T}", INVALID_REQUEST),
        line("blanks around the value, which HTTP/1 trims", "\t Bearer {T} \t", ACCEPTED).on(Http1),
        line("leading space in HTTP/2", " Bearer {T}", INVALID_REQUEST).on(Http2),
        line("trailing blank in HTTP/2", "Bearer {T} ", INVALID_REQUEST).on(Http2),
        line("trailing blank in HTTP/2", "Bearer {T}\t", INVALID_REQUEST).on(Http2),
        line("trailing blank in HTTP/2", "Basic dTpw ", INVALID_REQUEST).on(Http2),
        line("no space after the scheme", "Bearer{T}", NO_CREDENTIAL),
        line("scheme alone", "Bearer", INVALID_REQUEST),
        line("scheme and a space alone", "Bearer ", INVALID_REQUEST),
        row("no header", NO_CREDENTIAL),
        line("word after the token", "Bearer {T} junk", INVALID_REQUEST),
        line("two credentials in one line", "Bearer {T}, Bearer {U}", INVALID_REQUEST),
        line("comma after the token", "Bearer {T},", INVALID_REQUEST),
        line("comma before the token", "Bearer ,{T}", INVALID_REQUEST),
        line("the same header twice", "Bearer {T}", INVALID_REQUEST).authorization("Bearer {T}"),
        line("two headers with different tokens", "Bearer {T}", INVALID_REQUEST)
            .authorization("Bearer {U}"),
        (0..50)
            .fold(row("fifty headers", INVALID_REQUEST), |row, _| row.authorization("Bearer {T}")),
        line("other scheme", "Basic dTpw", NO_CREDENTIAL),
        line("token as a Basic password", "Basic {BASIC}", NO_CREDENTIAL),
        line("quoted token", "Bearer \"{T}\"", INVALID_TOKEN),
        line("token as a parameter", "Bearer token={T}", INVALID_TOKEN),
        line("base64 padding after the token", "Bearer {T}=", INVALID_TOKEN),
        line("base64 padding after the token", "Bearer {T}==", INVALID_TOKEN),
        line("percent-encoded token", "Bearer {T}%20", INVALID_TOKEN),
        line("percent-encoded token", "Bearer {ENCODED}", INVALID_TOKEN),
        with("bytes beyond ASCII", "authorization", b"Bearer {T}\x80", INVALID_TOKEN),
        with("bytes beyond ASCII", "authorization", b"Bearer \xff\xfe\x80", INVALID_TOKEN),
        with("control character", "authorization", b"Bearer {T}\0", server(400)).on(Http1),
        with("control character", "authorization", b"Bearer {T}\x01", server(400)).on(Http1),
        with("control character", "authorization", b"Bearer {T}\x7f", server(400)).on(Http1),
        with("bare carriage return", "authorization", b"Bearer {T}\rX", server(400)).on(Http1),
        row("folded line", server(400))
            .raw("GET /echo HTTP/1.1\r\nhost: x\r\nauthorization: Bearer\r\n {T}\r\n\r\n"),
        row("space before the colon", server(400))
            .raw("GET /echo HTTP/1.1\r\nhost: x\r\nauthorization : Bearer {T}\r\n\r\n"),
        line("very long value", "Bearer {8K}", INVALID_TOKEN),
        line("very long value", "Bearer {300K}", INVALID_TOKEN).on(Http1),
        with("headers beyond the limit of the server", "x", b"{600K}", server(431))
            .authorization("Bearer {T}")
            .on(Http1),
        (0..101).fold(
            line("more headers than the server accepts", "Bearer {T}", server(431)).on(Http1),
            |row, _| row.header("x", "y"),
        ),
        line("token that is too short", "Bearer {SHORT}", INVALID_TOKEN),
        line("token that is too long", "Bearer {LONG}", INVALID_TOKEN),
        line("wrong checksum", "Bearer {SUM}", INVALID_TOKEN),
        line("unknown token", "Bearer {UNKNOWN}", INVALID_TOKEN.after(Loads::Once)),
        line("wrong secret", "Bearer {WRONG}", INVALID_TOKEN.after(Loads::Once)),
        line("prefix of another application", "Bearer {FOREIGN}", INVALID_TOKEN),
        line("letter in another case", "Bearer {FLIPPED}", INVALID_TOKEN),
        line("look-alike character", "Bearer {HOMOGLYPH}", INVALID_TOKEN),
        line("revoked token", "Bearer {REVOKED}", INVALID_TOKEN.after(Loads::UnlessCached)),
        line("expired token", "Bearer {EXPIRED}", INVALID_TOKEN.after(Loads::UnlessCached)),
        line("disabled owner", "Bearer {DISABLED}", INVALID_TOKEN.after(Loads::UnlessCached))
            .behind(Setup::Owners),
        line("active owner", "Bearer {T}", ACCEPTED).behind(Setup::Owners),
        line(
            "token with an unrelated scope",
            "Bearer {LOW}",
            insufficient_scope("echo:read echo:list"),
        )
        .behind(Setup::Policy),
        line(
            "token without the required scope",
            "Bearer {READER}",
            insufficient_scope("echo:read echo:list"),
        )
        .behind(Setup::Policy),
        line("token with the required scope", "Bearer {T}", ACCEPTED).behind(Setup::Policy),
        row("token in Proxy-Authorization", NO_CREDENTIAL)
            .header("proxy-authorization", "Bearer {T}"),
        line("Authorization named as a hop-by-hop header", "Bearer {T}", ACCEPTED)
            .header("connection", "Authorization")
            .on(Http1),
    ]
}
