//! The origin of a request, for the audit trail.
//!
//! The audit trail shows the address of the client. It is evidence in an incident, so it must not
//! be possible to forge it: without trusted proxies, `X-Forwarded-For` is ignored.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use hallpass_core::Origin;
use ipnet::IpNet;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies whose `X-Forwarded-For` is trusted.
///
/// Each proxy appends the address that it was called from, so the header is read from the right.
/// Addresses to the left of the first untrusted one may be forged and are not read. If the proxies
/// write another header, the host can put its own [`Origin`] into the request's extensions.
///
/// ```
/// use hallpass_axum::{HallpassBuilderExt, TrustedProxies};
/// # use hallpass_core::Hallpass;
/// # use hallpass_memory::MemoryStore;
///
/// let one_nginx = TrustedProxies::hops(1);
/// let inside = TrustedProxies::networks(["10.0.0.0/8", "2001:db8::/32"]);
/// let hallpass = Hallpass::builder(MemoryStore::new()).trusted_proxies(inside).build();
/// # let _ = (one_nginx, hallpass);
/// ```
#[derive(Clone, Debug)]
pub struct TrustedProxies(Trust);

#[derive(Clone, Debug)]
enum Trust {
    Hops(usize),
    Networks(Vec<IpNet>),
}

impl TrustedProxies {
    /// Trusts this many proxies in a row, whatever their addresses are. Make sure that clients can
    /// reach the service only through these proxies.
    #[must_use]
    pub fn hops(count: usize) -> Self {
        Self(Trust::Hops(count))
    }

    /// Trusts the proxies at these addresses or in these networks, such as `10.0.0.0/8`. This needs
    /// `ConnectInfo<SocketAddr>`, which `into_make_service_with_connect_info` provides.
    ///
    /// # Panics
    ///
    /// Panics if a text is neither an address nor a network.
    #[must_use]
    #[track_caller]
    pub fn networks<T: AsRef<str>>(networks: impl IntoIterator<Item = T>) -> Self {
        let mut trusted = Vec::new();
        for text in networks {
            let text = text.as_ref();
            match (text.parse::<IpNet>(), text.parse::<IpAddr>()) {
                (Ok(network), _) => trusted.push(network),
                (_, Ok(address)) => trusted.push(address.into()),
                _ => panic!("invalid network {text:?}: write one such as `10.0.0.0/8`"),
            }
        }
        Self(Trust::Networks(trusted))
    }

    /// Returns the client's address, as far as the proxies are trusted.
    fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        // A client can send any bytes. They must not hide what a proxy has appended.
        let mut hops =
            lines.flat_map(|line| line.as_bytes().rsplit(|&byte| byte == b',').map(address));
        match &self.0 {
            Trust::Hops(count) => {
                count.checked_sub(1).and_then(|skipped| hops.nth(skipped).flatten()).or(peer)
            }
            Trust::Networks(networks) => {
                let mut client = peer?;
                while networks.iter().any(|network| network.contains(&client)) {
                    match hops.next().flatten() {
                        Some(ip) => client = ip,
                        None => break,
                    }
                }
                Some(client)
            }
        }
    }
}

/// Reads an address, with or without brackets and a port.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?.trim();
    let ip = match text.parse::<SocketAddr>() {
        Ok(address) => address.ip(),
        Err(_) => text.trim_start_matches('[').trim_end_matches(']').parse().ok()?,
    };
    Some(ip.to_canonical())
}

/// Returns the origin that the host put into the request's extensions, or else reads it from the
/// connection and the headers. A header that cannot be read is ignored.
pub(crate) fn origin_of(parts: &Parts, proxies: Option<&TrustedProxies>) -> Origin {
    if let Some(origin) = parts.extensions.get::<Origin>() {
        return origin.clone();
    }
    let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = info.map(|ConnectInfo(address)| address.ip().to_canonical());
    let ip = match proxies {
        Some(proxies) => proxies.client(peer, &parts.headers),
        None => peer,
    };
    let text = |name: HeaderName| parts.headers.get(name)?.to_str().ok();
    let mut origin = Origin::new();
    if let Some(ip) = ip {
        origin = origin.ip(ip);
    }
    if let Some(agent) = text(USER_AGENT) {
        origin = origin.user_agent(agent);
    }
    if let Some(id) = text(HeaderName::from_static("x-request-id")) {
        origin = origin.request_id(id);
    }
    origin
}
