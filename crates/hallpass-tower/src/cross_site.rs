//! Cross-site requests that a browser sends with the user's cookies.
//!
//! A token in a header or in the URL cannot be added by a page of another site, so requests with a
//! token need no protection. The host's own sign-in usually relies on cookies, which browsers also
//! send with requests that a page of another site has caused.
//!
//! `Sec-Fetch-Site` decides if the browser sends it. All current browsers do, and pages cannot set
//! it. Older browsers send `Origin` with every request that changes state, which is compared with
//! the request's own host. Requests without both headers do not come from a browser.
//!
//! `tower_http::csrf`, which protects the management API, cannot be used here: it is a layer around
//! all requests, and it passes every `GET`, also those that open a WebSocket.

use http::header::{AUTHORIZATION, HOST, ORIGIN, UPGRADE};
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};

/// Schemes of `Authorization` that browsers send automatically, just like cookies.
const AMBIENT_SCHEMES: [&[u8]; 4] = [b"basic", b"digest", b"negotiate", b"ntlm"];

/// Returns whether a page of another site may have made a browser send this request with
/// credentials that the browser adds automatically: cookies, passwords or certificates.
///
/// If `Authorization` has a scheme that only programs send, such as `Bearer`, the request is not
/// forged: another site would have needed a successful CORS preflight first. Neither is a request
/// of one of the origins that the host trusts.
pub(crate) fn is_forged<B>(request: &Request<B>, trusted: &[HeaderValue]) -> bool {
    let headers = request.headers();
    changes_state(request.method(), headers)
        && !has_explicit_credential(headers)
        && !headers.get(ORIGIN).is_some_and(|origin| trusted.contains(origin))
        && is_cross_site(headers, request.uri())
}

/// Reads an origin as browsers send it: a scheme, a host in lower case, and a port unless it is the
/// default one. Returns `None` for any other text, which would never match.
fn origin(text: &str) -> Option<HeaderValue> {
    let uri: Uri = text.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?.as_str());
    let default_port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let fits = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9') || b"-._:[]".contains(&byte);
    let is_canonical = text == format!("{scheme}://{authority}")
        && !authority.ends_with(default_port)
        && authority.bytes().all(fits);
    is_canonical.then(|| HeaderValue::from_str(text).ok()).flatten()
}

/// Reads an origin as browsers send it.
///
/// # Panics
///
/// Panics if the text is not such an origin. It would never match the header of a browser.
#[must_use]
#[track_caller]
pub fn trusted_origin(text: &str) -> HeaderValue {
    let Some(origin) = origin(text) else {
        panic!(
            "invalid origin {text:?}: write it as browsers send it, such as \
             `https://app.example.com` (lower case, no path, no final slash, no default port)"
        )
    };
    origin
}

/// Returns whether a request may change state. A WebSocket starts as a `GET`, but its messages may
/// change state later.
fn changes_state(method: &Method, headers: &HeaderMap) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
        || headers.contains_key(UPGRADE)
}

fn has_explicit_credential(headers: &HeaderMap) -> bool {
    headers.get(AUTHORIZATION).is_some_and(|value| {
        let scheme = value.as_bytes().split(|byte| *byte == b' ').next().unwrap_or_default();
        !AMBIENT_SCHEMES.iter().any(|ambient| scheme.eq_ignore_ascii_case(ambient))
    })
}

fn is_cross_site(headers: &HeaderMap, uri: &Uri) -> bool {
    // Browsers set this header. Pages cannot set it, and proxies do not change it.
    if let Some(site) = headers.get("sec-fetch-site") {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    match headers.get(ORIGIN) {
        // Without both headers, the client is not a browser.
        None => false,
        Some(origin) => !origin.to_str().is_ok_and(|origin| is_own(origin, headers, uri)),
    }
}

/// Returns whether an origin names the host that the request is for. The scheme is not compared,
/// because a proxy in front may terminate TLS.
fn is_own(origin: &str, headers: &HeaderMap, uri: &Uri) -> bool {
    let Some((scheme, origin)) = origin.split_once("://") else { return false };
    let default_port = if scheme == "https" { 443 } else { 80 };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(Authority::as_str));
    let parts = |text: &str| {
        let authority: Authority = text.parse().ok()?;
        let port = authority.port_u16().unwrap_or(default_port);
        Some((authority.host().to_ascii_lowercase(), port))
    };
    match (parts(origin), host.and_then(parts)) {
        (Some(origin), Some(host)) => origin == host,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forged(method: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_forged(&request.body(()).unwrap(), &[origin("https://app.example").unwrap()])
    }

    #[test]
    fn only_origins_as_browsers_send_them_are_accepted() {
        for good in ["https://a.example", "http://localhost:3000", "https://[::1]:8443"] {
            assert_eq!(origin(good).unwrap(), good);
        }
        for bad in [
            "",
            "null",
            "a.example",
            "https://",
            "https://a.example/",
            "https://a.example/path",
            "https://a.example:443",
            "http://a.example:80",
            "https://A.example",
            "https://u:p@a.example",
            "ftp://a.example",
            "https://*.example",
        ] {
            assert!(origin(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn only_cross_site_browser_requests_count_as_forged() {
        for (method, headers, owed) in [
            ("POST", &[("host", "a.example")][..], false),
            ("POST", &[("sec-fetch-site", "same-origin")], false),
            ("POST", &[("sec-fetch-site", "none")], false),
            ("POST", &[("sec-fetch-site", "same-site")], true),
            ("POST", &[("sec-fetch-site", "cross-site")], true),
            ("DELETE", &[("sec-fetch-site", "cross-site")], true),
            ("GET", &[("sec-fetch-site", "cross-site")], false),
            ("GET", &[("sec-fetch-site", "cross-site"), ("upgrade", "websocket")], true),
            // If a proxy rewrites the host, `Sec-Fetch-Site` decides.
            (
                "POST",
                &[
                    ("sec-fetch-site", "same-origin"),
                    ("origin", "https://a.example"),
                    ("host", "inner:80"),
                ],
                false,
            ),
            ("POST", &[("origin", "https://a.example"), ("host", "a.example")], false),
            ("POST", &[("origin", "https://A.example:443"), ("host", "a.example")], false),
            ("POST", &[("origin", "https://a.example"), ("host", "b.example")], true),
            ("POST", &[("origin", "https://a.example:8443"), ("host", "a.example")], true),
            ("POST", &[("origin", "null"), ("host", "a.example")], true),
            ("POST", &[("origin", "https://a.example")], true),
            // The host trusts this origin, but not others whose names are similar.
            ("POST", &[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")], false),
            ("POST", &[("origin", "https://app.example"), ("host", "a.example")], false),
            (
                "GET",
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://app.example"),
                    ("upgrade", "websocket"),
                ],
                false,
            ),
            ("POST", &[("sec-fetch-site", "same-site"), ("origin", "http://app.example")], true),
            (
                "POST",
                &[("sec-fetch-site", "cross-site"), ("origin", "https://app.example.org")],
                true,
            ),
            // Only programs send the first scheme, but browsers send the second one automatically.
            ("POST", &[("sec-fetch-site", "cross-site"), ("authorization", "Bearer x.y")], false),
            ("POST", &[("sec-fetch-site", "cross-site"), ("authorization", "Basic dTpw")], true),
        ] {
            assert_eq!(forged(method, headers), owed, "{method} {headers:?}");
        }
    }
}
