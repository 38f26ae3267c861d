//! What the replies of a Redis server mean for those who want to serve with it.

use redis::RedisError;
use std::error::Error;
use std::io;

/// The oldest Redis that will do.
const OLDEST: (u32, u32) = (6, 2);

/// What it means that a command failed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// An ACL forbids this command. In lower case.
    Forbidden(String),
    /// Nothing can be served with this server as it is.
    Error(String),
    /// It will pass, or may.
    NotNow(String),
    /// The server breaks the connection, says nothing, or nothing that a Redis says.
    Broken(String),
    /// The server does what it should, or what is wrong does not concern those who serve.
    Harmless,
}

/// Why there is no connection.
pub(super) fn not_connected(error: &RedisError) -> Failure {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    match source.map(io::Error::kind) {
        // It comes from the TLS library alone.
        Some(io::ErrorKind::InvalidData) => Failure::Error(format!(
            "TLS fails ({error}); SSL_CERT_FILE in the environment names the file of an authority that this system does \
             not know"
        )),
        Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => {
            Failure::Broken(error.to_string())
        }
        _ => Failure::NotNow(error.to_string()),
    }
}

/// Why AUTH failed.
pub(super) fn not_logged_in(user: &str, error: &RedisError) -> Failure {
    let text = text(error);
    if error.code() == Some("WRONGPASS") {
        return Failure::Error(if user.is_empty() {
            "redis_password is wrong".to_owned()
        } else {
            format!("redis_password is wrong, or there is no user '{user}' (redis_user)")
        });
    }
    if text.contains("without any password configured") {
        return Failure::Error("it has no password, and redis_password is set".to_owned());
    }
    failure("AUTH", error)
}

/// Why SELECT failed.
pub(super) fn no_database(number: u32, error: &RedisError) -> Failure {
    match failure("SELECT", error) {
        Failure::Harmless => Failure::Error(format!("redis_database is {number}: {}", text(error))),
        other => other,
    }
}

/// Why a command failed that does no harm, on a key of its own.
pub(super) fn failure(command: &str, error: &RedisError) -> Failure {
    let text = text(error);
    let Some(code) = error.code() else {
        return Failure::Broken(error.to_string());
    };
    match code {
        "NOPERM" if text.contains("key") && !text.contains("to run") => {
            Failure::Error("an ACL forbids its keys; add to the user's rule: ~presque:*".to_owned())
        }
        "NOPERM" => Failure::Forbidden(forbidden(&text).unwrap_or(command).to_ascii_lowercase()),
        // Of scripts, where it does not say which one. Each is tried by itself, too.
        _ if text.contains("can't run this command") => Failure::Harmless,
        // It closes the connection next.
        _ if text.contains("max number of clients") => Failure::NotNow(text),
        "NOAUTH" => {
            Failure::Error("it wants a password: set redis_password, and redis_user if it has users".to_owned())
        }
        "CROSSSLOT" => Failure::Error(format!(
            "it is a cluster, and {command} is tried on keys of several slots"
        )),
        "LOADING" | "READONLY" | "MASTERDOWN" | "OOM" | "MISCONF" | "NOREPLICAS" | "CLUSTERDOWN" | "BUSY"
        | "TRYAGAIN" | "MOVED" | "ASK" => Failure::NotNow(format!("{code} {text}")),
        _ if text.contains("non deterministic commands") => Failure::Error(
            "its scripts may not write after they have asked for the time: set lua-replicate-commands to yes"
                .to_owned(),
        ),
        _ if text.starts_with("unknown command") => Failure::Error(format!("it has no command {command}")),
        _ => Failure::Harmless,
    }
}

/// The command that a text about permissions names: `... to run the 'hset' command`.
fn forbidden(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("to run the '")?;
    rest.split('\'').next()
}

/// What the server said.
fn text(error: &RedisError) -> String {
    error.detail().unwrap_or_default().to_owned()
}

/// What may be lost when Redis ends, where it has no append-only file. `snapshots` says whether it saves any, if that is
/// known.
pub(super) fn persistence(snapshots: Option<bool>) -> String {
    match snapshots {
        Some(false) => "keeps nothing on disk: when it ends, all is lost. Set its appendonly to yes".to_owned(),
        _ => "has no append-only file: when it crashes, what came after its last snapshot is lost. Set its appendonly to yes"
            .to_owned(),
    }
}

/// What the command INFO says.
pub(super) struct Info<'a>(&'a str);

impl<'a> Info<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self(text)
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        let mut fields = self.0.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(field, _)| *field == name).map(|(_, value)| value.trim())
    }

    /// What is wrong when the server is older than Redis 6.2. Others, such as Valkey, name their own version beside that of
    /// the Redis that they are like.
    pub(super) fn too_old(&self) -> Option<String> {
        let version = self.value("redis_version")?;
        let mut parts = version.split('.').map(|part| part.parse().ok());
        let (Some(Some(major)), Some(Some(minor))) = (parts.next(), parts.next()) else {
            return None;
        };
        ((major, minor) < OLDEST).then(|| format!("it is Redis {version}: it must be 6.2 or later, or Valkey"))
    }

    /// What is wrong when it throws data away once it is full.
    pub(super) fn may_evict(&self) -> Option<String> {
        let policy = self.value("maxmemory_policy")?;
        (policy != "noeviction")
            .then(|| format!("may throw data away when it is full ({policy}): set its maxmemory-policy to noeviction"))
    }

    /// Whether it is a node of a cluster.
    pub(super) fn is_of_cluster(&self) -> bool {
        self.value("cluster_enabled") == Some("1")
    }

    /// Whether it is a replica. Nodes of a cluster send on what they do not serve.
    pub(super) fn is_of_replica(&self) -> bool {
        self.value("role") == Some("slave") && !self.is_of_cluster()
    }

    /// Whether each write goes to disk. Assumed where it is not said.
    pub(super) fn has_append_only_file(&self) -> bool {
        self.value("aof_enabled") != Some("0")
    }
}
