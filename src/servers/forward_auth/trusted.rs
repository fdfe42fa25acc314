//! Who may ask.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The networks whose peers are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// Why a network was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Neither an address nor a network.
    #[error("a network is an address and a prefix, as in `10.0.0.0/8`, or one address")]
    Form,
    /// `::ffff:…`: peers are compared by their IPv4 address.
    #[error("an IPv4 network is written as one, as in `10.0.0.0/8`")]
    Mapped,
}

impl Default for TrustedProxies {
    /// This machine: `127.0.0.0/8` and `::1/128`.
    fn default() -> Self {
        let loopback = Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8);
        let loopback_v6 = Ipv6Net::from(Ipv6Addr::LOCALHOST);
        Self(vec![loopback.into(), loopback_v6.into()])
    }
}

impl TrustedProxies {
    /// Reads networks, each `address/prefix` or an address alone.
    ///
    /// # Errors
    /// See [`NetworkError`].
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, NetworkError> {
        texts
            .into_iter()
            .map(network)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether this peer is believed. An IPv4 address that a socket for both shows as `::ffff:…` counts as itself.
    #[must_use]
    pub fn contains(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.iter().any(|network| network.contains(&peer))
    }
}

fn network(text: &str) -> Result<IpNet, NetworkError> {
    let network = text
        .parse()
        .or_else(|_| text.parse().map(|address: IpAddr| IpNet::from(address)))
        .map_err(|_| NetworkError::Form)?;
    match network {
        IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => Err(NetworkError::Mapped),
        network => Ok(network),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(networks: &[&str], peer: &str) -> bool {
        let trusted = TrustedProxies::parse(networks.iter().copied()).unwrap();
        trusted.contains(peer.parse().unwrap())
    }

    #[test]
    fn this_machine_is_trusted_unless_others_are_listed() {
        let trusted = TrustedProxies::default();
        for (peer, is_trusted) in [
            ("127.0.0.1", true),
            ("127.9.9.9", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("::127.0.0.1", false),
            ("10.0.0.1", false),
            ("::ffff:10.0.0.1", false),
            ("::2", false),
        ] {
            assert_eq!(
                trusted.contains(peer.parse().unwrap()),
                is_trusted,
                "{peer}"
            );
        }
        assert!(!contains(&["10.0.0.0/8"], "127.0.0.1"));
    }

    #[test]
    fn a_network_holds_its_addresses_and_an_address_itself() {
        assert!(contains(&["10.0.0.0/8", "192.168.1.1"], "10.255.0.1"));
        assert!(contains(&["10.0.0.0/8", "192.168.1.1"], "192.168.1.1"));
        assert!(!contains(&["10.0.0.0/8", "192.168.1.1"], "192.168.1.2"));
        assert!(contains(&["fd00::/8"], "fd12::1"));
        assert!(!contains(&["::/0"], "10.0.0.1"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "proxy", "10.0.0.1:80", "*"] {
            assert_eq!(
                TrustedProxies::parse([text]),
                Err(NetworkError::Form),
                "{text}"
            );
        }
        for text in ["::ffff:10.0.0.0/104", "::ffff:10.0.0.1"] {
            assert_eq!(
                TrustedProxies::parse([text]),
                Err(NetworkError::Mapped),
                "{text}"
            );
        }
    }
}
