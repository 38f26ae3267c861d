//! Which addresses a component may open: `allowed_outbound_hosts` of the manifest.
//!
//! The syntax and the rules are Spin's: `scheme://host[:port]`, with `*` for any of the three. Where Spin
//! takes an entry that can never match (a password in it, a host without a name), this says so instead.

use std::net::IpAddr;
use std::ops::Range;
use std::str::FromStr;

use anyhow::{Result, anyhow};
use ipnet::IpNet;

#[cfg(test)]
mod tests;

/// The form of an entry, for error messages.
const FORM: &str = "scheme://host[:port]";

/// The addresses that one component may open. The empty list (the default) allows none.
#[derive(Debug, Clone, Default)]
pub struct AllowedHosts {
    entries: Vec<Entry>,
}

impl AllowedHosts {
    /// Reads entries whose templates have been rendered already.
    ///
    /// # Errors
    /// Names the entry (without a password that it may hold) and what is wrong with it.
    pub fn parse(entries: &[String]) -> Result<Self> {
        let entries = entries.iter().map(|text| {
            Entry::parse(text).map_err(|problem| anyhow!("allowed_outbound_hosts entry '{}' {problem}", shown(text)))
        });
        Ok(Self {
            entries: entries.collect::<Result<_>>()?,
        })
    }

    /// Whether a component may open `scheme://host:port`. Letter case does not matter. `host` is compared as
    /// it is written: nothing is resolved, so `localhost` is not `127.0.0.1`. An IPv6 address may have its brackets.
    #[must_use]
    pub fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.entries.iter().any(|entry| entry.allows(scheme, host, port))
    }
}

impl FromIterator<Entry> for AllowedHosts {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        Self {
            entries: entries.into_iter().collect(),
        }
    }
}

/// `text` as an error message may show it: what stands before an `@` can be a password.
pub(crate) fn shown(text: &str) -> String {
    let start = text.find("://").map_or(0, |at| at + "://".len());
    let (scheme, rest) = text.split_at(start);
    match rest.rsplit_once('@') {
        Some((_, rest)) => format!("{scheme}...@{rest}"),
        None => text.to_owned(),
    }
}

/// One entry of the list.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// In lower case. `None` is any.
    scheme: Option<String>,
    host: Host,
    /// `None` is any.
    ports: Option<Range<u32>>,
}

impl Entry {
    /// Reads one entry. The error is the end of a sentence that begins with the entry, and does not repeat
    /// the entry: its value may be a secret.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = split_scheme(text.trim())?;
        if rest.contains('@') {
            return Err(format!("has a user or a password; only {FORM} may stand here"));
        }
        if rest.starts_with('[') && rest.trim_end_matches('/').ends_with(']') {
            return Err("is an IPv6 address without a port; write [address]:port".to_owned());
        }
        let (host, port) = rest.rsplit_once(':').unwrap_or((rest, ""));
        let (port, path) = port.split_once('/').unwrap_or((port, ""));
        if !path.is_empty() {
            return Err(trailing());
        }
        Ok(Self {
            host: Host::parse(host)?,
            ports: parse_ports(port, scheme.as_deref())?,
            scheme,
        })
    }

    pub(crate) fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.scheme
            .as_deref()
            .is_none_or(|only| only.eq_ignore_ascii_case(scheme))
            && self.host.allows(host)
            && self.ports.as_ref().is_none_or(|ports| ports.contains(&u32::from(port)))
    }
}

/// The scheme (in lower case, `None` for `*`) and what follows it.
fn split_scheme(text: &str) -> Result<(Option<String>, &str), String> {
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(format!(
            "has no scheme; it must be {FORM}, such as redis://localhost:6379 (anything: *://*:*)"
        ));
    };
    match scheme {
        "*" => Ok((None, rest)),
        _ if scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphabetic()) => Err(format!(
            "has a scheme that is neither letters nor '*'; it must be {FORM}"
        )),
        _ => Ok((Some(scheme.to_ascii_lowercase()), rest)),
    }
}

fn trailing() -> String {
    format!("has something after the host and port; only {FORM} may stand here (no path, no database number)")
}

/// The ports of an entry. A range is without its end, as in Spin: `6000..6010` ends with 6009.
fn parse_ports(port: &str, scheme: Option<&str>) -> Result<Option<Range<u32>>, String> {
    let number = |text: &str| {
        u16::from_str(text).map(u32::from).map_err(|_| {
            "has a port that is no number from 0 to 65535, no range like 6000..6010 and not '*'".to_owned()
        })
    };
    match (port, port.split_once("..")) {
        ("*", _) => Ok(None),
        ("", _) => match default_port(scheme) {
            Some(port) => Ok(Some(port..port + 1)),
            None => Err("has no port, and its scheme has none of its own; add one, or ':*' for any".to_owned()),
        },
        (_, Some((first, end))) => {
            let ports = number(first)?..number(end)?;
            if ports.is_empty() {
                return Err("has an empty range of ports; its end is not part of it".to_owned());
            }
            Ok(Some(ports))
        }
        (_, None) => number(port).map(|port| Some(port..port + 1)),
    }
}

/// The ports that Spin assumes for a scheme.
fn default_port(scheme: Option<&str>) -> Option<u32> {
    match scheme? {
        "redis" => Some(6379),
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "mqtt" => Some(1883),
        _ => None,
    }
}

/// The host of an entry.
#[derive(Debug, Clone)]
enum Host {
    Any,
    /// Every name that ends so: a dot and a domain, in lower case.
    Under(String),
    /// A name, in lower case.
    Name(String),
    /// An address, or a network of them.
    Network(IpNet),
    /// `self`: requests to the application itself. No address is meant by it.
    Itself,
}

impl Host {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        if let Some(network) = parse_network(&text) {
            return Ok(Self::Network(network));
        }
        let name = text.trim_end_matches('/');
        match name {
            "*" => return Ok(Self::Any),
            "self" | "self.alt" => return Ok(Self::Itself),
            "" => return Err(format!("has no host; it must be {FORM}")),
            _ if name.contains(['/', '?', '#']) => return Err(trailing()),
            _ if name.starts_with('{') => {
                return Err("has a list of hosts; give each its own entry".to_owned());
            }
            _ => {}
        }
        if let Some(address) = parse_address(name) {
            return Ok(Self::Network(address.into()));
        }
        if name.contains([':', '[', ']']) {
            return Err("has a colon in its host; an IPv6 address is written [address]:port".to_owned());
        }
        match name.strip_prefix("*.") {
            Some(domain) if !domain.contains('*') => Ok(Self::Under(format!(".{domain}"))),
            None if !name.contains('*') => Ok(Self::Name(name.to_owned())),
            _ => Err(
                "has a '*' inside its host; it can only stand for all of it, or first, as in *.example.com".to_owned(),
            ),
        }
    }

    fn allows(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Under(end) => host.to_ascii_lowercase().ends_with(end),
            Self::Name(name) => name.eq_ignore_ascii_case(host),
            Self::Network(network) => parse_address(host).is_some_and(|address| network.contains(&address)),
            Self::Itself => false,
        }
    }
}

/// `address/bits`. The bits of the address after those do not count, as in Spin. The address is read by the standard
/// library: `IpNet`'s own parser takes `010.0.0.1`, which others read as `8.0.0.1`.
fn parse_network(text: &str) -> Option<IpNet> {
    let (address, length) = text.split_once('/')?;
    IpNet::new(address.parse().ok()?, length.parse().ok()?).ok()
}

/// An IPv4 address, or an IPv6 address in brackets. Spin keeps it as text; as an address, two ways to write
/// the same one are the same.
fn parse_address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[') {
        Some(host) => host.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => host.parse().ok().map(IpAddr::V4),
    }
}
