//! Cases of the query.

use super::Wires::Http1;
use super::{ACCEPTED, INVALID_REQUEST, INVALID_TOKEN, Loads, NO_CREDENTIAL, Row, row, server};
use crate::fixture::Setup;

pub(super) fn rows() -> Vec<Row> {
    let rejected = |name, target, owed| row(name, owed).target(target);
    let accepted = |name, target, sees| row(name, ACCEPTED).query(target, sees);
    vec![
        accepted("token in the query", "/echo?session={T}", "/echo"),
        accepted(
            "token between other parameters",
            "/echo?a=%41&session={T}&b=+",
            "/echo?a=%41&b=+",
        ),
        accepted(
            "parameter with a longer name",
            "/echo?session={T}&session2=x",
            "/echo?session2=x",
        ),
        rejected(
            "unknown token in the query",
            "/echo?session={UNKNOWN}",
            INVALID_TOKEN.after(Loads::Once),
        ),
        rejected(
            "revoked token in the query",
            "/echo?session={REVOKED}",
            INVALID_TOKEN.after(Loads::UnlessCached),
        ),
        rejected("query that the layer does not read", "/echo?session={T}", NO_CREDENTIAL)
            .behind(Setup::BearerOnly),
        // In this case the parameter belongs to the application and stays.
        row("parameter of the application", ACCEPTED)
            .target("/echo?session=mine")
            .sees("/echo?session=mine")
            .authorization("Bearer {T}")
            .behind(Setup::BearerOnly),
        rejected("query token that the layer reports", "/echo?session={T}", INVALID_REQUEST)
            .behind(Setup::Tripwire),
        rejected(
            "encoded query token that the layer reports",
            "/echo?a&sess%69on={ENCODED}",
            INVALID_REQUEST,
        )
        .behind(Setup::Tripwire),
        rejected("reported query token and a header", "/echo?session={T}", INVALID_REQUEST)
            .authorization("Bearer {U}")
            .behind(Setup::Tripwire),
        rejected(
            "parameter of the application that holds no token",
            "/echo?session=mine",
            NO_CREDENTIAL,
        )
        .behind(Setup::Tripwire),
        rejected("empty parameter", "/echo?session=", INVALID_REQUEST),
        rejected("parameter without a value", "/echo?session", INVALID_REQUEST),
        rejected("repeated parameter", "/echo?session={T}&session={T}", INVALID_REQUEST),
        rejected("repeated parameter", "/echo?session={T}&x&%73ession={T}", INVALID_REQUEST),
        rejected("repeated parameter", "/echo?session={T}&session=", INVALID_REQUEST),
        rejected("token in header and query", "/echo?session={T}", INVALID_REQUEST)
            .authorization("Bearer {T}"),
        rejected("token in the header and an empty parameter", "/echo?session=", INVALID_REQUEST)
            .authorization("Bearer {T}"),
        rejected("two tokens in header and query", "/echo?session={T}", INVALID_REQUEST)
            .authorization("Bearer {U}"),
        rejected("query token with another scheme", "/echo?session={T}", INVALID_REQUEST)
            .authorization("Basic dTpw"),
        rejected("parameter of another name", "/echo?access_token={T}", NO_CREDENTIAL),
        accepted("percent-encoded name of the parameter", "/echo?%73ession={T}", "/echo"),
        accepted("percent-encoded name of the parameter", "/echo?sess%69on={T}&x", "/echo?x"),
        rejected("name in another case", "/echo?Session={T}", NO_CREDENTIAL),
        rejected("name in another case", "/echo?SESSION={T}", NO_CREDENTIAL),
        // A token in a mistyped parameter is removed even if another credential is accepted.
        row("name in another case", ACCEPTED)
            .query("/echo?Session={U}&Session=mine", "/echo?Session=mine")
            .authorization("Bearer {T}"),
        rejected("space in the value", "/echo?session=a+b", INVALID_TOKEN),
        rejected("space in the value", "/echo?session=a%20b", INVALID_TOKEN),
        rejected("text after the token", "/echo?session={T}%2B", INVALID_TOKEN),
        rejected("text after the token", "/echo?session={T}%00", INVALID_TOKEN),
        rejected("text after the token", "/echo?session={T}%0d%0aX", INVALID_TOKEN),
        rejected("incomplete percent-encoding", "/echo?session=%zz", INVALID_TOKEN),
        rejected("incomplete percent-encoding", "/echo?session=%2", INVALID_TOKEN),
        rejected("value that is not UTF-8", "/echo?session=%ff%fe", INVALID_TOKEN),
        rejected("value that is not UTF-8", "/echo?session=%c0%af", INVALID_TOKEN),
        accepted("percent-encoded token in the query", "/echo?session={ENCODED}", "/echo"),
        rejected("semicolon as a separator", "/echo?x=1;session={T}", NO_CREDENTIAL),
        rejected("separator inside of another value", "/echo?x=1%26session={T}", NO_CREDENTIAL),
        rejected("separator inside of another value", "/echo??session={T}", NO_CREDENTIAL),
        rejected("separator inside of another value", "/echo?x?session={T}", NO_CREDENTIAL),
        accepted("empty parameters", "/echo?&&session={T}&&", "/echo?&&&"),
        rejected("token in a fragment", "/echo#session={T}", NO_CREDENTIAL).on(Http1),
        accepted("token before a fragment", "/echo?session={T}#f", "/echo").on(Http1),
        rejected("invalid character in the target", "/echo?x=\"", server(400))
            .authorization("Bearer {T}")
            .on(Http1),
        rejected("invalid character in the target", "/echo?x=<", server(400))
            .authorization("Bearer {T}")
            .on(Http1),
        rejected("invalid character in the target", "/echo?x= y", server(400))
            .authorization("Bearer {T}")
            .on(Http1),
        rejected("invalid character in the target", "/echo?x=\ty", server(400))
            .authorization("Bearer {T}")
            .on(Http1),
        rejected("letter beyond ASCII in the query", "/echo?session=\u{e9}", INVALID_TOKEN),
        rejected("longest path and more", "{PATH_65534}", server(414))
            .authorization("Bearer {T}")
            .on(Http1),
        row("longest path", ACCEPTED)
            .target("{PATH_65500}")
            .sees("{PATH_65500}")
            .authorization("Bearer {T}")
            .on(Http1),
        accepted("very many parameters", "/echo?{MANY}&session={T}", "/echo?{MANY}").on(Http1),
        accepted("absolute target", "http://host/echo?session={T}", "http://host/echo").on(Http1),
        row("absolute target with a password", ACCEPTED)
            .target("http://u:p@host/echo")
            .sees("http://u:p@host/echo")
            .authorization("Bearer {T}")
            .on(Http1),
    ]
}
