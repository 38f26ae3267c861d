//! Where a server is.

use std::fmt;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// A name, or an address: an IPv6 one without brackets.
    host: String,
    port: u16,
}

impl Address {
    /// The port of Redis where none is given.
    const DEFAULT_PORT: u16 = 6379;

    /// A host and a port.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        Self {
            host: host.to_owned(),
            port,
        }
    }

    /// Takes `host:port`, or `host` alone. An IPv6 address may have its brackets, and must have them where there is no port.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let without_port = || text.ends_with(']') || !text.contains(':');
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !without_port() => (host, port.parse().ok()?),
            _ => (text, Self::DEFAULT_PORT),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        Some(Self::new(bare.unwrap_or(host), port))
    }

    /// The host.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The same, where a server said it that does not know its own host.
    pub(super) fn seen_from(self, server: &Self) -> Self {
        // `?` is what older ones say.
        match self.host.as_str() {
            "" | "?" => Self::new(&server.host, self.port),
            _ => self,
        }
    }
}

/// As it stands in a URL: an IPv6 address in brackets.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        match host.contains(':') {
            true => write!(f, "[{host}]:{port}"),
            false => write!(f, "{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_and_without_brackets_and_port() {
        for (text, shown) in [
            ("127.0.0.1:7000", "127.0.0.1:7000"),
            ("cache.example.com", "cache.example.com:6379"),
            ("[::1]:7000", "[::1]:7000"),
            ("[::1]", "[::1]:6379"),
            // As a node of a cluster says it.
            ("2001:db8::1:7000", "[2001:db8::1]:7000"),
            (":7000", ":7000"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown);
        }
        assert_eq!(Address::parse("host:no"), None);
        assert_eq!(Address::parse("host:70000"), None);
    }
}
