//! Where Redis is: one URL on the command line, several variables for the application.
//!
//! `redis_url` has the scheme, the host and the port, since it is also what a component may connect to. The rest are the
//! variables `redis_user`, `redis_password` and `redis_database`.

use crate::manifest::Variable;
use crate::outbound::shown;
use crate::variables::Resolved;
use anyhow::{Context, Result, bail, ensure};
use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};
use std::collections::BTreeMap;
use std::fmt;

/// The form of the flag.
const URL: &str = "--redis-url must be redis://[[user]:password@]host[:port][/database], or rediss://... for TLS";
/// How the characters of a password that have a meaning in a URL are written there.
const ESCAPES: &str = "in a user name or password, write / as %2F, ? as %3F, # as %23, @ as %40, : as %3A and % as %25";
/// The form of the variable.
const VARIABLE: &str = "redis_url must be redis://host[:port], or rediss://host:port for TLS: the variables redis_user, \
                        redis_password and redis_database have the rest";

/// The application's variables for a Redis server that was given as one URL. The password is never shown.
pub(crate) fn variables(url: &str, declared: &BTreeMap<String, Variable>) -> Result<Vec<(String, String)>> {
    // A password could be cut here, and its beginning taken for a host and a port.
    ensure!(!url.contains(['?', '#']), "{URL}, with nothing behind it; {ESCAPES}");
    let Ok(info) = url.into_connection_info() else {
        bail!("{URL}; {ESCAPES}");
    };
    let address = address(&info.addr).context(URL)?;
    let user = info.redis.username.unwrap_or_default();
    let password = info.redis.password.unwrap_or_default();
    ensure!(
        user.is_empty() || !password.is_empty(),
        "{URL}: a user needs a password"
    );
    let mut given = vec![
        ("redis_url".into(), address),
        ("redis_user".into(), user),
        ("redis_password".into(), password),
        ("redis_database".into(), info.redis.db.to_string()),
    ];
    // What the URL does not say needs no variable.
    given.retain(|(name, value): &(String, String)| declared.contains_key(name) || !["", "0"].contains(&&**value));
    if let Some((name, _)) = given.iter().find(|(name, _)| !declared.contains_key(name)) {
        bail!("--redis-url is given (or REDIS_URL is set), and the manifest has no variable '{name}' for it");
    }
    Ok(given)
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
    pub(crate) address: ConnectionAddr,
    /// Empty for the default user.
    pub(crate) user: String,
    /// Empty for none.
    pub(crate) password: String,
    pub(crate) database: u32,
}

impl RedisAddress {
    /// Reads the variables of an application that has a variable `redis_url`.
    ///
    /// # Errors
    /// Names the variable that nobody could connect with, and says what it should be.
    pub(crate) fn of(variables: &Resolved) -> Result<Option<Self>> {
        let value = |name: &str| variables.render(&format!("{{{{ {name} }}}}")).ok();
        let Some(url) = value("redis_url") else {
            return Ok(None);
        };
        let wrong = || format!("{VARIABLE}; it is '{}'", shown(&url));
        let info: ConnectionInfo = url.as_str().into_connection_info().ok().with_context(wrong)?;
        let end = url.split_once("://").map_or("", |(_, end)| end).trim_end_matches('/');
        let scheme_is_known = url.starts_with("redis://") || url.starts_with("rediss://");
        ensure!(scheme_is_known && !end.contains(['@', '/', '?', '#']), wrong());
        let [user, password, database] =
            ["redis_user", "redis_password", "redis_database"].map(|name| value(name).unwrap_or_default());
        ensure!(
            user.is_empty() || !password.is_empty(),
            "redis_user is set and redis_password is not: a user needs a password"
        );
        let database = match database.as_str() {
            "" => 0,
            number => number.parse().ok().context("redis_database must be a number")?,
        };
        Ok(Some(Self {
            address: info.addr,
            user,
            password,
            database,
        }))
    }
}

/// Without user and password.
impl fmt::Display for RedisAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&address(&self.address).unwrap_or_default())
    }
}
