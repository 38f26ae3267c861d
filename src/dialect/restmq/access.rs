//! Who may use the dialect: by address, and by a login as HTTP Basic has it (RFC 7617).

use crate::gate::{Caller, basic_login, client_address};
use http::HeaderMap;
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use subtle::{Choice, ConstantTimeEq};

/// Who may do what, in the three groups of the RestMQ dialect. Everybody everything, unless set.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Who may put messages in, and change or delete queues.
    pub producer: Group,
    /// Who may take messages and look at queues.
    pub consumer: Group,
    /// Who may read a stream of messages.
    pub comet: Group,
}

/// Who belongs to a group: all, unless set.
#[derive(Clone, Default)]
pub struct Group {
    /// `user:password`.
    login: Option<Vec<u8>>,
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
}

/// Why a request is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Its client's address is not allowed, or is not known.
    Host,
    /// It has no login, or a wrong one.
    Login,
}

impl Group {
    /// A group that is asked for this login, `user:password`, and whose clients have these addresses. An empty login is
    /// not asked for. Hosts are separated by commas or white space, each an address, a network as in `10.0.0.0/8`, or
    /// `all`. Empty `hosts_allow` are all; `hosts_deny` go before them, and are none when empty.
    ///
    /// # Errors
    /// What cannot be used, in words. They do not contain the login.
    pub fn new(login: &str, hosts_allow: &str, hosts_deny: &str) -> Result<Self, String> {
        let login = match login.split_once(':') {
            _ if login.is_empty() => None,
            Some((user, password)) if !user.is_empty() && !password.is_empty() => Some(login.as_bytes().to_vec()),
            _ => return Err("a login must be user:password".into()),
        };
        Ok(Self {
            login,
            allow: parse_hosts(hosts_allow)?,
            deny: parse_hosts(hosts_deny)?,
        })
    }

    /// Whether the client that sent these headers belongs to the group. Its login opens the group's routes to who has no key
    /// ([`Caller::vouch`]), and a key needs no login; what the key is for is still to be asked.
    ///
    /// # Errors
    /// [`Denied`]. The address is looked at first.
    pub fn check(&self, headers: &HeaderMap, caller: &Caller) -> Result<(), Denied> {
        if !self.may_come_from(headers) {
            return Err(Denied::Host);
        }
        if self.recognizes(headers) {
            caller.vouch();
        } else if self.login.is_some() && !caller.has_key() {
            return Err(Denied::Login);
        }
        Ok(())
    }

    /// Whether these headers have the group's login, where it has one.
    pub(in crate::dialect) fn recognizes(&self, headers: &HeaderMap) -> bool {
        let is_right = |login: &Vec<u8>| basic_login(headers).is_some_and(|given| is_same(login, &given));
        self.login.as_ref().is_some_and(is_right)
    }

    fn may_come_from(&self, headers: &HeaderMap) -> bool {
        if self.allow.is_empty() && self.deny.is_empty() {
            return true;
        }
        client_address(headers)
            .is_some_and(|address| !has(&self.deny, address) && (self.allow.is_empty() || has(&self.allow, address)))
    }
}

/// Tells no password.
impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group")
            .field("login", &self.login.as_ref().map(|_| "..."))
            .field("allow", &self.allow)
            .field("deny", &self.deny)
            .finish()
    }
}

/// Reads addresses, networks and `all`, separated by commas or white space.
fn parse_hosts(text: &str) -> Result<Vec<IpNet>, String> {
    let words = text.split(|c: char| c == ',' || c.is_whitespace());
    let networks = words.filter(|word| !word.is_empty()).map(|word| {
        parse_network(word)
            .ok_or_else(|| format!("{word:?} is not an address, nor a network such as 10.0.0.0/8, nor `all`"))
    });
    networks.collect()
}

fn parse_network(word: &str) -> Option<IpNet> {
    let word = if word.eq_ignore_ascii_case("all") { "::/0" } else { word };
    // The address is read by the standard library, which refuses what may be octal, such as `010.0.0.0/8`.
    match word.split_once('/') {
        Some((address, length)) => IpNet::new(address.parse().ok()?, length.parse().ok()?).ok(),
        None => Some(word.parse::<IpAddr>().ok()?.into()),
    }
}

/// Whether one of the networks has the address. One of IPv4 is in networks of IPv6 as `::ffff:10.0.0.1`.
fn has(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| match (network, address.to_canonical()) {
        (IpNet::V4(network), IpAddr::V4(address)) => network.contains(&address),
        (IpNet::V4(_), IpAddr::V6(_)) => false,
        (IpNet::V6(network), IpAddr::V4(address)) => network.contains(&address.to_ipv6_mapped()),
        (IpNet::V6(network), IpAddr::V6(address)) => network.contains(&address),
    })
}

/// Whether two logins are the same. How long it takes depends on the given one alone.
fn is_same(login: &[u8], given: &[u8]) -> bool {
    let same_length = login.len().ct_eq(&given.len());
    let bytes = login.iter().cycle().zip(given);
    let same = bytes.fold(same_length, |same: Choice, (a, b)| same & a.ct_eq(b));
    same.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn headers(all: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    fn check(group: &Group, headers: &HeaderMap) -> Result<(), Denied> {
        group.check(headers, &Caller::unrestricted())
    }

    fn from(address: &str) -> HeaderMap {
        headers(&[("spin-client-addr", address)])
    }

    #[test]
    fn unless_set_all_belong_to_a_group() {
        assert_eq!(check(&Group::default(), &HeaderMap::new()), Ok(()));
        assert_eq!(check(&Group::new("", "", " ,\n").unwrap(), &from("nonsense")), Ok(()));
    }

    #[test]
    fn a_login_is_asked_for_exactly() {
        let group = Group::new("me:se:cret", "", "").unwrap();
        let with = |value: &str| check(&group, &headers(&[("authorization", value)]));
        // me:se:cret
        for value in [
            "Basic bWU6c2U6Y3JldA==",
            "basic bWU6c2U6Y3JldA",
            "BASIC   bWU6c2U6Y3JldA== ",
        ] {
            assert_eq!(with(value), Ok(()), "{value}");
        }
        for value in [
            "",
            "Basic",
            "Basic ",
            "Basic !",
            "bWU6c2U6Y3JldA==",
            "Bearer bWU6c2U6Y3JldA==",
            "Basic bWU6c2U6Y3JldB==",             // another spelling of the same bytes
            "Basic bWU6c2U6Y3Jld",                // me:se:cre
            "Basic bWU6c2U6Y3JldHQ=",             // me:se:crett
            "Basic bWU6c2U6Y3JldG1lOnNlOmNyZXQ=", // twice
            "Basic TUU6c2U6Y3JldA==",             // ME:se:cret
            "Basic \u{e9}",
        ] {
            assert_eq!(with(value), Err(Denied::Login), "{value}");
        }
        assert_eq!(check(&group, &HeaderMap::new()), Err(Denied::Login));
    }

    #[test]
    fn a_login_needs_a_user_and_a_password_and_nobody_is_told_it() {
        for login in ["me", ":", "me:", ":secret", " "] {
            let error = Group::new(login, "", "").unwrap_err();
            assert_eq!(error, "a login must be user:password");
        }
        let access = Access {
            producer: Group::new("me:secret", "", "").unwrap(),
            ..Access::default()
        };
        let shown = format!("{access:?}");
        assert!(
            shown.contains("producer") && !shown.contains("secret") && !shown.contains("me:"),
            "{shown}"
        );
    }

    #[test]
    fn hosts_are_addresses_and_networks_and_denied_ones_go_first() {
        let group = Group::new("", "10.0.0.0/8, 192.168.1.7\t2001:db8::/32,::1", "10.1.0.0/16 10.2.3.4").unwrap();
        for address in [
            "10.0.0.1:80",
            "10.255.255.255:1",
            "192.168.1.7:65535",
            "[2001:db8:1::2]:80",
            "[::1]:80",
            "[::ffff:10.0.0.1]:80",
        ] {
            assert_eq!(check(&group, &from(address)), Ok(()), "{address}");
        }
        for address in [
            "11.0.0.1:80",
            "10.1.9.9:80",
            "10.2.3.4:80",
            "192.168.1.8:80",
            "[2001:db9::1]:80",
            "[::2]:80",
            "",
            "10.0.0.1",
            "localhost:80",
        ] {
            assert_eq!(check(&group, &from(address)), Err(Denied::Host), "{address}");
        }
        assert_eq!(check(&group, &HeaderMap::new()), Err(Denied::Host));
    }

    #[test]
    fn all_hosts_can_be_named_and_an_unknown_one_is_denied_where_some_are() {
        for (allow, deny, v4, unknown) in [
            ("all", "", true, false),
            ("", "ALL", false, false),
            ("", "10.0.0.0/8", true, false),
            ("0.0.0.0/0", "", true, false),
            ("::/0", "", true, false),
            ("::/1", "8000::/1", true, false),
        ] {
            let group = Group::new("", allow, deny).unwrap();
            assert_eq!(check(&group, &from("11.0.0.1:80")).is_ok(), v4, "{allow} {deny}");
            assert_eq!(check(&group, &HeaderMap::new()).is_ok(), unknown, "{allow} {deny}");
        }
        assert!(check(&Group::new("", "0.0.0.0/0", "").unwrap(), &from("[2001::]:1")).is_err());
    }

    #[test]
    fn what_a_client_says_of_its_address_does_not_count() {
        let group = Group::new("", "10.0.0.1", "").unwrap();
        let both = |first, last| headers(&[("spin-client-addr", first), ("spin-client-addr", last)]);
        assert_eq!(check(&group, &both("10.0.0.1:80", "10.0.0.2:80")), Err(Denied::Host));
        assert_eq!(check(&group, &both("10.0.0.2:80", "10.0.0.1:80")), Ok(()));
    }

    #[test]
    fn hosts_that_are_none_are_refused() {
        for hosts in [
            "localhost",
            "10.0.0",
            "10.0.0.0/33",
            "010.0.0.1",
            "010.0.0.0/8",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "/8",
            "10.0.0.1:80",
            "10.0.0.1;10.0.0.2",
        ] {
            assert!(Group::new("", hosts, "").unwrap_err().contains(hosts), "{hosts}");
            assert!(Group::new("", "", hosts).is_err(), "{hosts}");
        }
    }
}
