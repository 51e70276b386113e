//! Where a request came from, for the audit trail.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::header::{FORWARDED, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName};
use hallpass_core::Origin;

/// The proxies whose word on the client's address is believed.
///
/// Each proxy appends the address that it was called from to a header, so the header is read from the
/// right. What stands to the left of the first untrusted address can be forged and is not read.
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
pub struct TrustedProxies {
    trust: Trust,
    header: HeaderName,
}

#[derive(Clone, Debug)]
enum Trust {
    Hops(usize),
    Networks(Vec<Network>),
}

#[derive(Clone, Copy, Debug)]
struct Network {
    address: u128,
    mask: u128,
}

impl TrustedProxies {
    /// Trusts this many proxies in a row, whatever their addresses are. Nobody may be able to reach the
    /// service past them.
    #[must_use]
    pub fn hops(count: usize) -> Self {
        Self::new(Trust::Hops(count))
    }

    /// Trusts the proxies at these addresses or in these networks, such as `10.0.0.0/8`. Needs
    /// `ConnectInfo<SocketAddr>`, which `into_make_service_with_connect_info` provides.
    ///
    /// # Panics
    ///
    /// Panics if a text is neither an address nor a network.
    #[must_use]
    #[track_caller]
    pub fn networks<T: AsRef<str>>(networks: impl IntoIterator<Item = T>) -> Self {
        let parse = |text: T| match Network::parse(text.as_ref()) {
            Some(network) => network,
            None => panic!("{:?} is not a network: write `10.0.0.0/8`", text.as_ref()),
        };
        Self::new(Trust::Networks(networks.into_iter().map(parse).collect()))
    }

    fn new(trust: Trust) -> Self {
        Self { trust, header: HeaderName::from_static("x-forwarded-for") }
    }

    /// Reads the `Forwarded` header (RFC 7239) instead of `X-Forwarded-For`. Only one of them is read:
    /// a client can send the one that the proxies do not write.
    #[must_use]
    pub fn rfc7239(mut self) -> Self {
        self.header = FORWARDED;
        self
    }

    /// Returns the client's address, as far as the proxies can be believed.
    fn client(&self, peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
        let lines = headers.get_all(&self.header).iter().rev();
        let mut hops = lines.flat_map(|line| {
            let text = line.to_str().unwrap_or_default();
            text.rsplit(',').map(|element| self.address_in(element)).collect::<Vec<_>>()
        });
        match &self.trust {
            Trust::Hops(0) => peer,
            Trust::Hops(count) => hops.nth(count - 1).flatten().or(peer),
            Trust::Networks(networks) => {
                let is_proxy = |ip: IpAddr| networks.iter().any(|network| network.contains(ip));
                let mut client = peer?;
                while is_proxy(client) {
                    match hops.next().flatten() {
                        Some(ip) => client = ip,
                        None => break,
                    }
                }
                Some(client)
            }
        }
    }

    fn address_in(&self, element: &str) -> Option<IpAddr> {
        if self.header != FORWARDED {
            return address(element);
        }
        element.split(';').find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then(|| address(value)).flatten()
        })
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let ip: IpAddr = address.parse().ok()?;
        let bits: u32 = if ip.is_ipv4() { 32 } else { 128 };
        let host_bits = bits.checked_sub(length.unwrap_or(bits))?;
        let mask = u128::MAX.checked_shl(host_bits).unwrap_or(0);
        Some(Self { address: number(ip) & mask, mask })
    }

    fn contains(self, ip: IpAddr) -> bool {
        number(ip) & self.mask == self.address
    }
}

/// Every address as one of IPv6, IPv4 mapped into it.
fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().to_bits(),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

/// Reads an address, with or without quotes, brackets and a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
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

#[cfg(test)]
mod tests {
    use super::*;

    fn client(proxies: &TrustedProxies, peer: &str, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(proxies.header.clone(), line.parse().unwrap());
        }
        let client = proxies.client(peer.parse().ok(), &headers);
        client.map_or_else(|| "none".to_owned(), |ip| ip.to_string())
    }

    #[test]
    fn hops_are_counted_from_the_right() {
        let one = TrustedProxies::hops(1);
        assert_eq!(client(&one, "10.0.0.1", &["6.6.6.6, 203.0.113.7"]), "203.0.113.7");
        assert_eq!(client(&one, "10.0.0.1", &["6.6.6.6", "203.0.113.7:4711"]), "203.0.113.7");
        assert_eq!(client(&one, "10.0.0.1", &["6.6.6.6, unknown"]), "10.0.0.1");
        assert_eq!(client(&one, "10.0.0.1", &[]), "10.0.0.1");
        let two = TrustedProxies::hops(2);
        assert_eq!(client(&two, "10.0.0.1", &["6.6.6.6, 203.0.113.7, 10.0.0.2"]), "203.0.113.7");
    }

    #[test]
    fn only_trusted_networks_are_believed() {
        let inside = TrustedProxies::networks(["10.0.0.0/8", "::1"]);
        assert_eq!(client(&inside, "203.0.113.9", &["6.6.6.6"]), "203.0.113.9");
        assert_eq!(client(&inside, "10.0.0.1", &["6.6.6.6, 203.0.113.7, 10.9.9.9"]), "203.0.113.7");
        assert_eq!(client(&inside, "::1", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(client(&inside, "10.0.0.1", &["6.6.6.6, _hidden"]), "10.0.0.1");
        assert_eq!(client(&inside, "none", &["6.6.6.6"]), "none");
    }

    #[test]
    fn forwarded_is_read_where_the_proxies_write_it() {
        let proxies = TrustedProxies::hops(1).rfc7239();
        let line = r#"for=6.6.6.6, proto=https;For="[2001:db8::7]:4711""#;
        assert_eq!(client(&proxies, "10.0.0.1", &[line]), "2001:db8::7");
    }

    #[test]
    fn networks_are_addresses_with_an_optional_length() {
        for bad in ["", "10.0.0.0/33", "10.0.0.0/", "a/8", "::/129"] {
            assert!(Network::parse(bad).is_none(), "{bad}");
        }
        assert!(Network::parse("0.0.0.0/0").unwrap().contains("8.8.8.8".parse().unwrap()));
    }
}
