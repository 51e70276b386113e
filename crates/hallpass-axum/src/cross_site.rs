//! Cross-site protection: another site can make a browser send a request, cookies and all; it
//! cannot make it lie about where the request comes from.
//!
//! Every change is looked at that no token speaks for: a browser sends not only cookies of its own
//! accord, but passwords of HTTP's own sign-in and client certificates too.

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};

use crate::problem::{Kind, Problem};

/// Lets a change through that comes from the host's own pages, from an origin the host trusts, or
/// from no browser at all.
pub(crate) fn check(parts: &Parts, trusted: &[Origin]) -> Result<(), Problem> {
    let refused =
        || Problem::new(Kind::CrossSite, "this change was asked for by a page of another site");
    let mut origins = parts.headers.get_all(ORIGIN).iter().peekable();
    if origins.peek().is_none() {
        return if from_own_site(&parts.headers) { Ok(()) } else { Err(refused()) };
    }
    let origins = origins
        .map(|value| value.to_str().ok().and_then(Origin::parse))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(refused)?;
    if origins.iter().all(|origin| trusted.contains(origin)) {
        return Ok(());
    }
    let own = Own::of(parts).ok_or_else(refused)?;
    if from_own_site(&parts.headers) && origins.iter().all(|origin| own.is(origin)) {
        Ok(())
    } else {
        Err(refused())
    }
}

/// Whether the browser says so, or says nothing. `none` is what a person typed or bookmarked.
fn from_own_site(headers: &HeaderMap) -> bool {
    headers
        .get_all("sec-fetch-site")
        .iter()
        .all(|value| matches!(value.as_bytes(), b"same-origin" | b"none"))
}

/// A web origin (RFC 6454): scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    https: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// Reads `scheme://host` or `scheme://host:port`. Not `null`, and of no other scheme than
    /// HTTP's.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let uri: Uri = text.parse().ok()?;
        let https = match uri.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = uri.authority()?;
        // Nothing before the host, nothing after the port.
        let bare = text.get(text.len().checked_sub(authority.as_str().len())?..)?;
        if bare != authority.as_str() || authority.as_str().contains('@') {
            return None;
        }
        let (host, port) = host_and_port(authority)?;
        Some(Self { https, host, port: port.unwrap_or(Self::default_port(https)) })
    }

    fn default_port(https: bool) -> u16 {
        if https { 443 } else { 80 }
    }
}

/// The host in lower case, and the port if one is named; `None` where something else stands.
fn host_and_port(authority: &Authority) -> Option<(String, Option<u16>)> {
    let host = authority.host();
    let after_userinfo = authority.as_str().rsplit('@').next()?;
    let port = match after_userinfo.strip_prefix(host)? {
        "" => None,
        port => Some(port.strip_prefix(':')?.parse().ok()?),
    };
    (!host.is_empty()).then(|| (host.to_ascii_lowercase(), port))
}

/// What the request itself is addressed to.
struct Own {
    host: String,
    port: Option<u16>,
    /// Whether it is known to have come over TLS. Where TLS ends in front of this server only
    /// `X-Forwarded-Proto` says so; it is believed because it can only make the check stricter.
    https: bool,
}

impl Own {
    /// From `:authority` or the request target's own, else from the one `Host`.
    fn of(parts: &Parts) -> Option<Self> {
        let authority = match parts.uri.authority() {
            Some(authority) => authority.clone(),
            None => {
                let mut hosts = parts.headers.get_all(HOST).iter();
                match (hosts.next(), hosts.next()) {
                    (Some(host), None) => host.to_str().ok()?.parse().ok()?,
                    _ => return None,
                }
            }
        };
        let (host, port) = host_and_port(&authority)?;
        let forwarded = parts.headers.get_all("x-forwarded-proto").iter();
        let https = parts.uri.scheme_str() == Some("https")
            || forwarded.into_iter().any(|scheme| scheme.as_bytes().eq_ignore_ascii_case(b"https"));
        Some(Self { host, port, https })
    }

    /// A port that is not named is the default of the scheme that the origin names: whether TLS
    /// ends here or in front is not known.
    fn is(&self, origin: &Origin) -> bool {
        self.host == origin.host
            && self.port.unwrap_or(Origin::default_port(origin.https)) == origin.port
            && (origin.https || !self.https)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn passes(target: &str, headers: &[(&str, &str)]) -> bool {
        let trusted = [Origin::parse("https://app.example.org").unwrap()];
        let request = headers
            .iter()
            .fold(Request::post(target), |request, (name, value)| request.header(*name, *value));
        check(&request.body(()).unwrap().into_parts().0, &trusted).is_ok()
    }

    #[test]
    fn what_the_browser_says_counts_and_silence_passes() {
        for (site, passed) in [
            ("same-origin", true),
            ("none", true),
            ("same-site", false),
            ("cross-site", false),
            ("anything", false),
        ] {
            assert_eq!(passes("/", &[("sec-fetch-site", site)]), passed, "{site}");
        }
        assert!(passes("/", &[]));
        assert!(!passes(
            "/",
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")]
        ));
    }

    #[test]
    fn an_origin_is_the_requests_own_or_refused() {
        for (host, origin, passed) in [
            ("example.com", "https://example.com", true),
            ("example.com", "http://example.com", true),
            ("EXAMPLE.com", "https://example.COM", true),
            ("example.com:443", "https://example.com", true),
            ("example.com", "https://example.com:443", true),
            ("example.com", "https://example.com:8443", false),
            ("example.com:8080", "http://example.com:8080", true),
            ("example.com:8080", "http://example.com", false),
            ("[::1]:8080", "http://[::1]:8080", true),
            ("127.0.0.1:8080", "http://127.0.0.1:8080", true),
            ("127.0.0.1:8080", "http://localhost:8080", false),
            ("example.com", "null", false),
            ("example.com", "", false),
            ("example.com", "https://evil-example.com", false),
            ("example.com", "https://example.com.evil.org", false),
            ("example.com", "https://sub.example.com", false),
            ("example.com", "https://example.com/", false),
            ("example.com", "https://example.com@evil.org", false),
            ("example.com", "https://evil.org@example.com", false),
            ("example.com", "https://example.com:", false),
            ("example.com", "ftp://example.com", false),
            ("example.com", "example.com", false),
            ("example.com", "https://example.com https://evil.org", false),
            ("example.com", "https://app.example.org", true),
            ("example.com", "http://app.example.org", false),
        ] {
            let said = passes("/", &[("host", host), ("origin", origin)]);
            assert_eq!(said, passed, "{origin:?} at {host:?}");
        }
        assert!(!passes("/", &[("origin", "https://example.com")]), "no host to compare with");
        let two = [("host", "a.example"), ("host", "b.example"), ("origin", "http://b.example")];
        assert!(!passes("/", &two));
        let two =
            [("host", "a.example"), ("origin", "http://a.example"), ("origin", "http://b.example")];
        assert!(!passes("/", &two));
    }

    #[test]
    fn the_target_names_the_host_before_the_header_does() {
        let headers = [("host", "b.example"), ("origin", "https://a.example")];
        assert!(passes("https://a.example/x", &headers));
        assert!(!passes("https://b.example/x", &headers));
    }

    #[test]
    fn a_page_without_tls_does_not_speak_for_one_with_it() {
        let insecure = ("origin", "http://a.example");
        assert!(!passes("https://a.example/x", &[insecure]));
        assert!(!passes("/", &[("host", "a.example"), ("x-forwarded-proto", "https"), insecure]));
        assert!(
            passes("http://a.example/x", &[("origin", "https://a.example")]),
            "TLS ended in front"
        );
    }

    #[test]
    fn a_trusted_origin_is_trusted_whatever_its_site() {
        let cross = [("sec-fetch-site", "cross-site"), ("origin", "https://app.example.org")];
        assert!(passes("/", &cross));
        assert!(!passes("/", &cross[..1]));
    }
}
