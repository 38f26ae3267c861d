//! Addresses, and networks of them.

use std::net::IpAddr;

/// A list of networks.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts(Vec<Network>);

/// The addresses that begin with the same bits. Those of IPv4 are written as IPv6 has them, `::ffff:10.0.0.1`.
#[derive(Clone, Copy, Debug)]
struct Network {
    address: u128,
    /// How many bits at the end do not count, up to 128.
    free_bits: u32,
}

impl Hosts {
    /// Reads addresses, networks and `all`, separated by commas or white space.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let words = text.split(|c: char| c == ',' || c.is_whitespace());
        let networks = words.filter(|word| !word.is_empty()).map(|word| {
            Network::parse(word)
                .ok_or_else(|| format!("{word:?} is no address, no network such as 10.0.0.0/8, nor all"))
        });
        Ok(Self(networks.collect::<Result<_, _>>()?))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn have(&self, address: IpAddr) -> bool {
        let address = bits(address);
        self.0.iter().any(|network| network.has(address))
    }
}

impl Network {
    fn parse(word: &str) -> Option<Self> {
        if word.eq_ignore_ascii_case("all") {
            return Some(Self {
                address: 0,
                free_bits: 128,
            });
        }
        let (address, length) = match word.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (word, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length: u32 = match length {
            Some(length) => length.parse().ok().filter(|length| *length <= most)?,
            None => most,
        };
        Some(Self {
            address: bits(address),
            free_bits: most - length,
        })
    }

    fn has(&self, address: u128) -> bool {
        let differing = self.address ^ address;
        differing.checked_shr(self.free_bits).unwrap_or(0) == 0
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}
