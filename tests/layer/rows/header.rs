//! Cases of the `Authorization` header.

use super::Wires::{Http1, Http2};
use super::{
    INVALID_REQUEST, INVALID_TOKEN, LET_IN, Loads, NO_CREDENTIAL, Row, insufficient_scope, row,
    server,
};
use crate::stage::Setup;

pub(super) fn rows() -> Vec<Row> {
    let line = |id, value: &'static str, owed| row(id, owed).authorization(value);
    let with = |id, name, value: &'static [u8], owed| row(id, owed).header(name, value);
    vec![
        line("E1", "Bearer {T}", LET_IN),
        line("E2", "bearer {T}", LET_IN),
        line("E2", "BEARER {T}", LET_IN),
        line("E2", "bEaReR {T}", LET_IN),
        line("E3", "Bearer  {T}", LET_IN),
        line("E3", "Bearer                    {T}", LET_IN),
        line("E4", "Bearer\t{T}", INVALID_REQUEST),
        line("E5", "\t Bearer {T} \t", LET_IN).on(Http1),
        line("E6", " Bearer {T}", INVALID_REQUEST).on(Http2),
        line("E7", "Bearer {T} ", INVALID_REQUEST).on(Http2),
        line("E7", "Bearer {T}\t", INVALID_REQUEST).on(Http2),
        line("E7", "Basic dTpw ", INVALID_REQUEST).on(Http2),
        line("E8", "Bearer{T}", NO_CREDENTIAL),
        line("E9", "Bearer", INVALID_REQUEST),
        line("E10", "Bearer ", INVALID_REQUEST),
        row("E12", NO_CREDENTIAL),
        line("E13", "Bearer {T} junk", INVALID_REQUEST),
        line("E14", "Bearer {T}, Bearer {U}", INVALID_REQUEST),
        line("E15", "Bearer {T},", INVALID_REQUEST),
        line("E15", "Bearer ,{T}", INVALID_REQUEST),
        line("E16", "Bearer {T}", INVALID_REQUEST).authorization("Bearer {T}"),
        line("E18", "Bearer {T}", INVALID_REQUEST).authorization("Bearer {U}"),
        (0..50).fold(row("E19", INVALID_REQUEST), |row, _| row.authorization("Bearer {T}")),
        line("E20", "Basic dTpw", NO_CREDENTIAL),
        line("E21", "Basic {BASIC}", NO_CREDENTIAL),
        line("E23", "Bearer \"{T}\"", INVALID_TOKEN),
        line("E24", "Bearer token={T}", INVALID_TOKEN),
        line("E25", "Bearer {T}=", INVALID_TOKEN),
        line("E25", "Bearer {T}==", INVALID_TOKEN),
        line("E26", "Bearer {T}%20", INVALID_TOKEN),
        line("E26", "Bearer {ENCODED}", INVALID_TOKEN),
        with("E27", "authorization", b"Bearer {T}\x80", INVALID_TOKEN),
        with("E27", "authorization", b"Bearer \xff\xfe\x80", INVALID_TOKEN),
        with("E29", "authorization", b"Bearer {T}\0", server(400)).on(Http1),
        with("E29", "authorization", b"Bearer {T}\x01", server(400)).on(Http1),
        with("E29", "authorization", b"Bearer {T}\x7f", server(400)).on(Http1),
        with("E30", "authorization", b"Bearer {T}\rX", server(400)).on(Http1),
        row("E32", server(400))
            .raw("GET /echo HTTP/1.1\r\nhost: x\r\nauthorization: Bearer\r\n {T}\r\n\r\n"),
        row("E33", server(400))
            .raw("GET /echo HTTP/1.1\r\nhost: x\r\nauthorization : Bearer {T}\r\n\r\n"),
        line("E36", "Bearer {8K}", INVALID_TOKEN),
        line("E36", "Bearer {300K}", INVALID_TOKEN).on(Http1),
        with("E37", "x", b"{600K}", server(431)).authorization("Bearer {T}").on(Http1),
        (0..101)
            .fold(line("E38", "Bearer {T}", server(431)).on(Http1), |row, _| row.header("x", "y")),
        line("E39", "Bearer {SHORT}", INVALID_TOKEN),
        line("E39", "Bearer {LONG}", INVALID_TOKEN),
        line("E40", "Bearer {SUM}", INVALID_TOKEN),
        line("E41", "Bearer {UNKNOWN}", INVALID_TOKEN.after(Loads::Once)),
        line("E41", "Bearer {WRONG}", INVALID_TOKEN.after(Loads::Once)),
        line("E42", "Bearer {FOREIGN}", INVALID_TOKEN),
        line("E43", "Bearer {FLIPPED}", INVALID_TOKEN),
        line("E44", "Bearer {HOMOGLYPH}", INVALID_TOKEN),
        line("E46", "Bearer {REVOKED}", INVALID_TOKEN.after(Loads::UnlessCached)),
        line("E47", "Bearer {EXPIRED}", INVALID_TOKEN.after(Loads::UnlessCached)),
        line("E48", "Bearer {DISABLED}", INVALID_TOKEN.after(Loads::UnlessCached))
            .behind(Setup::Owners),
        line("E48", "Bearer {T}", LET_IN).behind(Setup::Owners),
        line("E49", "Bearer {LOW}", insufficient_scope("echo:read echo:list"))
            .behind(Setup::Policy),
        line("E49", "Bearer {READER}", insufficient_scope("echo:read echo:list"))
            .behind(Setup::Policy),
        line("E49", "Bearer {T}", LET_IN).behind(Setup::Policy),
        row("E50", NO_CREDENTIAL).header("proxy-authorization", "Bearer {T}"),
        line("E53", "Bearer {T}", LET_IN).header("connection", "Authorization").on(Http1),
    ]
}
