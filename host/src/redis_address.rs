//! Where Redis is: one URL on the command line, several variables for the application.
//!
//! `redis_url` has the scheme, the host and the port; of several servers, with commas between. The rest are the variables `redis_user`,
//! `redis_password` and `redis_database`. `redis_nodes` is a pattern for all that components may connect to: one variable can
//! stand for one entry of `allowed_outbound_hosts` alone.

use crate::manifest::Variable;
use crate::outbound::{Entry, shown};
use crate::variables::{Resolved, Sources};
use anyhow::{Context, Result, bail, ensure};
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};
use std::collections::{BTreeMap, HashSet};
use std::fmt;

/// The form of the flag.
const URL: &str = "--redis-url must be redis://[[user]:password@]host[:port][/database], or rediss://... for TLS; several have \
                   commas between, and the first one the user, the password and the database of all";
/// How the characters of a password that have a meaning in a URL are written there.
const ESCAPES: &str = "in a user name or password, write / as %2F, ? as %3F, # as %23, @ as %40, : as %3A and % as %25";
/// The form of the variable.
const VARIABLE: &str = "redis_url must be redis://host[:port], or rediss://host:port for TLS, or several of one kind with commas \
                        between: the variables redis_user, redis_password and redis_database have the rest";

/// The application's variables for Redis servers that were given as URLs. The password is never shown.
pub(crate) fn variables(urls: &str, declared: &BTreeMap<String, Variable>) -> Result<Vec<(String, String)>> {
    let mut addresses = Vec::new();
    let mut login = RedisConnectionInfo::default();
    for url in split(urls) {
        // A password could be cut here, and its beginning taken for a host and a port.
        ensure!(!url.contains(['?', '#']), "{URL}, with nothing behind it; {ESCAPES}");
        let Ok(info) = url.into_connection_info() else {
            bail!("{URL}; {ESCAPES}");
        };
        let ConnectionInfo { addr, redis } = info;
        let says_login = redis.username.is_some() || redis.password.is_some() || redis.db != 0;
        if addresses.is_empty() {
            login = redis;
        } else if says_login {
            bail!("{URL}");
        }
        addresses.push(address(&addr).context(URL)?);
    }
    let user = login.username.unwrap_or_default();
    let password = login.password.unwrap_or_default();
    ensure!(
        user.is_empty() || !password.is_empty(),
        "{URL}: a user needs a password"
    );
    let mut given = vec![
        ("redis_url".into(), addresses.join(",")),
        ("redis_user".into(), user),
        ("redis_password".into(), password),
        ("redis_database".into(), login.db.to_string()),
    ];
    // What the URL does not say needs no variable.
    given.retain(|(name, value): &(String, String)| declared.contains_key(name) || !["", "0"].contains(&&**value));
    if let Some((name, _)) = given.iter().find(|(name, _)| !declared.contains_key(name)) {
        bail!("--redis-url is given (or REDIS_URL is set), and the manifest has no variable '{name}' for it");
    }
    Ok(given)
}

/// The value of `redis_nodes` where the manifest has such a variable, and something says where Redis is, but not that: the servers that
/// are named, and no others.
pub(crate) fn nodes(declared: &BTreeMap<String, Variable>, sources: &Sources) -> Result<Option<(String, String)>> {
    let name = "redis_nodes";
    if !declared.contains_key(name) || sources.value(name)?.is_some() {
        return Ok(None);
    }
    let Some(urls) = sources.value("redis_url")? else {
        return Ok(None);
    };
    // What is wrong with them is told where they are read.
    let infos = split(&urls).map(IntoConnectionInfo::into_connection_info);
    let addresses: Vec<_> = infos.filter_map(|info| Some(info.ok()?.addr)).collect();
    Ok(pattern(&addresses).map(|pattern| (name.to_owned(), pattern)))
}

/// The narrowest pattern for some servers, as `allowed_outbound_hosts` can have it.
pub(crate) fn pattern(addresses: &[ConnectionAddr]) -> Option<String> {
    let parts = addresses.iter().map(|address| match address {
        ConnectionAddr::Tcp(host, port) => Some(("redis", bracketed(host), port.to_string())),
        ConnectionAddr::TcpTls { host, port, .. } => Some(("rediss", bracketed(host), port.to_string())),
        ConnectionAddr::Unix(_) => None,
    });
    let parts = parts.collect::<Option<Vec<_>>>()?;
    let (scheme, host, port) = parts.first()?;
    let any = "*".to_owned();
    let host = if parts.iter().all(|(_, other, _)| other == host) {
        host
    } else {
        &any
    };
    let port = if parts.iter().all(|(_, _, other)| other == port) {
        port
    } else {
        &any
    };
    Some(format!("{scheme}://{host}:{port}"))
}

/// URLs that have commas between. A password may have commas, too.
fn split(urls: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(urls);
    std::iter::from_fn(move || {
        let all = rest.take()?;
        let ends = all.match_indices(',').map(|(at, _)| at);
        let mut ends = ends.filter(|at| {
            all.get(at + 1..)
                .is_some_and(|next| next.trim_start().starts_with("redis"))
        });
        Some(match ends.next().and_then(|at| all.split_at_checked(at)) {
            Some((url, others)) => {
                rest = others.get(1..);
                url.trim()
            }
            None => all.trim(),
        })
    })
}

/// `scheme://host:port`.
fn address(address: &ConnectionAddr) -> Result<String> {
    match address {
        ConnectionAddr::Tcp(host, port) => Ok(format!("redis://{}:{port}", bracketed(host))),
        ConnectionAddr::TcpTls { host, port, .. } => Ok(format!("rediss://{}:{port}", bracketed(host))),
        ConnectionAddr::Unix(_) => bail!("a component reaches Redis over TCP only"),
    }
}

/// A host as it stands in a URL: an IPv6 address is in brackets there.
pub(crate) fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// What an application's variables say of its Redis.
#[derive(Clone)]
pub(crate) struct RedisAddress {
    /// At least one.
    pub(crate) addresses: Vec<ConnectionAddr>,
    /// Empty for the default user.
    pub(crate) user: String,
    /// Empty for none.
    pub(crate) password: String,
    pub(crate) database: u32,
    /// How many replicas must have a change before it is told of.
    pub(crate) replicas: u32,
    /// What components may connect to, where the application has a variable for it.
    pub(crate) nodes: Option<Entry>,
}

impl RedisAddress {
    /// Reads the variables of an application that has a variable `redis_url`.
    ///
    /// # Errors
    /// Names the variable that nobody could connect with, and says what it should be.
    pub(crate) fn of(variables: &Resolved) -> Result<Option<Self>> {
        let value = |name: &str| variables.render(&format!("{{{{ {name} }}}}")).ok();
        let Some(urls) = value("redis_url") else {
            return Ok(None);
        };
        let addresses = split(&urls).map(read_variable);
        let addresses = addresses.collect::<Result<Vec<_>>>()?;
        let kinds = addresses.iter().map(std::mem::discriminant);
        ensure!(
            kinds.collect::<HashSet<_>>().len() == 1,
            "{VARIABLE}; it is '{}'",
            shown(&urls)
        );
        let [user, password, database] =
            ["redis_user", "redis_password", "redis_database"].map(|name| value(name).unwrap_or_default());
        ensure!(
            user.is_empty() || !password.is_empty(),
            "redis_user is set and redis_password is not: a user needs a password"
        );
        let number = |name: &str, text: &str| match text {
            "" => Ok(0),
            number => number.parse().ok().with_context(|| format!("{name} must be a number")),
        };
        let database = number("redis_database", &database)?;
        let replicas = number("redis_wait_replicas", &value("redis_wait_replicas").unwrap_or_default())?;
        number(
            "redis_wait_timeout_ms",
            &value("redis_wait_timeout_ms").unwrap_or_default(),
        )?;
        Ok(Some(Self {
            addresses,
            user,
            password,
            database,
            replicas,
            // What is wrong with it is told where components are made.
            nodes: value("redis_nodes").and_then(|nodes| Entry::parse(&nodes).ok()),
        }))
    }

    /// Whether components may connect to a server.
    pub(crate) fn allows(&self, address: &ConnectionAddr) -> bool {
        let (scheme, host, port) = match address {
            ConnectionAddr::Tcp(host, port) => ("redis", host, port),
            ConnectionAddr::TcpTls { host, port, .. } => ("rediss", host, port),
            ConnectionAddr::Unix(_) => return false,
        };
        let nodes = self.nodes.as_ref();
        nodes.is_none_or(|nodes| nodes.allows(scheme, &bracketed(host), *port))
    }
}

/// Where one URL of the variable leads.
fn read_variable(url: &str) -> Result<ConnectionAddr> {
    let wrong = || format!("{VARIABLE}; it is '{}'", shown(url));
    let info: ConnectionInfo = url.into_connection_info().ok().with_context(wrong)?;
    let end = url.split_once("://").map_or("", |(_, end)| end).trim_end_matches('/');
    let scheme_is_known = url.starts_with("redis://") || url.starts_with("rediss://");
    ensure!(scheme_is_known && !end.contains(['@', '/', '?', '#']), wrong());
    Ok(info.addr)
}

/// Without user and password.
impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.addresses.iter().map(|one| address(one).unwrap_or_default());
        f.write_str(&shown.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_with_commas_between_are_told_from_a_password_with_commas() {
        let all = |urls| split(urls).collect::<Vec<_>>();
        assert_eq!(
            all("redis://a:1,redis://b:2 , rediss://c:3"),
            ["redis://a:1", "redis://b:2", "rediss://c:3"]
        );
        assert_eq!(all("redis://:x,y@a:1,redis://b"), ["redis://:x,y@a:1", "redis://b"]);
    }

    #[test]
    fn the_pattern_of_servers_is_as_narrow_as_one_entry_can_be() {
        let of = |urls: &[&str]| {
            let infos = urls.iter().map(|url| url.into_connection_info().map(|info| info.addr));
            pattern(&infos.collect::<Result<Vec<_>, _>>().ok()?)
        };
        for (urls, wanted) in [
            (&["redis://a"][..], "redis://a:6379"),
            (&["redis://[::1]:7000"], "redis://[::1]:7000"),
            (&["redis://a:1", "redis://a:2"], "redis://a:*"),
            (&["rediss://a:1", "rediss://b:1"], "rediss://*:1"),
            (&["redis://a:1", "redis://b:2"], "redis://*:*"),
        ] {
            assert_eq!(of(urls).as_deref(), Some(wanted));
        }
    }
}
