//! Cases of the query.

use super::Wires::Http1;
use super::{INVALID_REQUEST, INVALID_TOKEN, LET_IN, Loads, NO_CREDENTIAL, Row, row, server};
use crate::stage::Setup;

pub(super) fn rows() -> Vec<Row> {
    let refused = |id, target, owed| row(id, owed).target(target);
    let let_in = |id, target, sees| row(id, LET_IN).query(target, sees);
    vec![
        let_in("E54", "/echo?session={T}", "/echo"),
        let_in("E54", "/echo?a=%41&session={T}&b=+", "/echo?a=%41&b=+"),
        let_in("E54", "/echo?session={T}&session2=x", "/echo?session2=x"),
        refused("E54", "/echo?session={UNKNOWN}", INVALID_TOKEN.after(Loads::Once)),
        refused("E54", "/echo?session={REVOKED}", INVALID_TOKEN.after(Loads::UnlessCached)),
        refused("E55", "/echo?session={T}", NO_CREDENTIAL).behind(Setup::BearerOnly),
        // Then the parameter belongs to the application and is kept.
        row("E55", LET_IN)
            .target("/echo?session=mine")
            .sees("/echo?session=mine")
            .authorization("Bearer {T}")
            .behind(Setup::BearerOnly),
        refused("E56", "/echo?session={T}", INVALID_REQUEST).behind(Setup::Tripwire),
        refused("E56", "/echo?a&sess%69on={ENCODED}", INVALID_REQUEST).behind(Setup::Tripwire),
        refused("E56", "/echo?session={T}", INVALID_REQUEST)
            .authorization("Bearer {U}")
            .behind(Setup::Tripwire),
        refused("E56", "/echo?session=mine", NO_CREDENTIAL).behind(Setup::Tripwire),
        refused("E57", "/echo?session=", INVALID_REQUEST),
        refused("E58", "/echo?session", INVALID_REQUEST),
        refused("E59", "/echo?session={T}&session={T}", INVALID_REQUEST),
        refused("E59", "/echo?session={T}&x&%73ession={T}", INVALID_REQUEST),
        refused("E59", "/echo?session={T}&session=", INVALID_REQUEST),
        refused("E61", "/echo?session={T}", INVALID_REQUEST).authorization("Bearer {T}"),
        refused("E61", "/echo?session=", INVALID_REQUEST).authorization("Bearer {T}"),
        refused("E62", "/echo?session={T}", INVALID_REQUEST).authorization("Bearer {U}"),
        refused("E65", "/echo?session={T}", INVALID_REQUEST).authorization("Basic dTpw"),
        refused("E66", "/echo?access_token={T}", NO_CREDENTIAL),
        let_in("E67", "/echo?%73ession={T}", "/echo"),
        let_in("E67", "/echo?sess%69on={T}&x", "/echo?x"),
        refused("E68", "/echo?Session={T}", NO_CREDENTIAL),
        refused("E68", "/echo?SESSION={T}", NO_CREDENTIAL),
        // A token in a mistyped parameter is removed even if another credential is accepted.
        row("E68", LET_IN)
            .query("/echo?Session={U}&Session=mine", "/echo?Session=mine")
            .authorization("Bearer {T}"),
        refused("E70", "/echo?session=a+b", INVALID_TOKEN),
        refused("E70", "/echo?session=a%20b", INVALID_TOKEN),
        refused("E71", "/echo?session={T}%2B", INVALID_TOKEN),
        refused("E71", "/echo?session={T}%00", INVALID_TOKEN),
        refused("E71", "/echo?session={T}%0d%0aX", INVALID_TOKEN),
        refused("E72", "/echo?session=%zz", INVALID_TOKEN),
        refused("E72", "/echo?session=%2", INVALID_TOKEN),
        refused("E73", "/echo?session=%ff%fe", INVALID_TOKEN),
        refused("E73", "/echo?session=%c0%af", INVALID_TOKEN),
        let_in("E74", "/echo?session={ENCODED}", "/echo"),
        refused("E75", "/echo?x=1;session={T}", NO_CREDENTIAL),
        refused("E77", "/echo?x=1%26session={T}", NO_CREDENTIAL),
        refused("E77", "/echo??session={T}", NO_CREDENTIAL),
        refused("E77", "/echo?x?session={T}", NO_CREDENTIAL),
        let_in("E78", "/echo?&&session={T}&&", "/echo?&&&"),
        refused("E79", "/echo#session={T}", NO_CREDENTIAL).on(Http1),
        let_in("E79", "/echo?session={T}#f", "/echo").on(Http1),
        refused("E80", "/echo?x=\"", server(400)).authorization("Bearer {T}").on(Http1),
        refused("E80", "/echo?x=<", server(400)).authorization("Bearer {T}").on(Http1),
        refused("E80", "/echo?x= y", server(400)).authorization("Bearer {T}").on(Http1),
        refused("E80", "/echo?x=\ty", server(400)).authorization("Bearer {T}").on(Http1),
        refused("E81", "/echo?session=\u{e9}", INVALID_TOKEN),
        refused("E82", "{PATH_65534}", server(414)).authorization("Bearer {T}").on(Http1),
        row("E82", LET_IN)
            .target("{PATH_65500}")
            .sees("{PATH_65500}")
            .authorization("Bearer {T}")
            .on(Http1),
        let_in("E83", "/echo?{MANY}&session={T}", "/echo?{MANY}").on(Http1),
        let_in("E84", "http://host/echo?session={T}", "http://host/echo").on(Http1),
        row("E85", LET_IN)
            .target("http://u:p@host/echo")
            .sees("http://u:p@host/echo")
            .authorization("Bearer {T}")
            .on(Http1),
    ]
}
