//! A look at Redis before anything is served: what the application would fail with at each request is told at once.
//!
//! What makes serving impossible is an error. What puts data at risk is a warning. A Redis that is not there (yet) is a
//! warning, too: services are started in any order, requests get their 503 until Redis is there, and it is then looked at.

mod cluster;
mod reply;
#[cfg(test)]
mod tests;

use crate::redis_address::RedisAddress;
use crate::variables::Resolved;
use anyhow::{Result, ensure};
use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd, ConnectionAddr, ConnectionInfo, RedisConnectionInfo, cmd};
use reply::{Failure, Info};
use std::time::Duration;

/// How long a look may take. One that takes longer has found a Redis that does not answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time between two looks at a Redis that is not there.
const PAUSE: Duration = Duration::from_secs(1);

/// A look at a Redis.
pub(crate) struct Look {
    redis: RedisAddress,
    found: Found,
}

impl Look {
    /// Looks at the Redis of an application that has a variable `redis_url`, and tries the commands that its manifest names.
    /// Tells nothing yet.
    ///
    /// # Errors
    /// The variables do not say where it is.
    pub(crate) async fn at(variables: &Resolved, commands: &[Vec<String>]) -> Result<Option<Self>> {
        let Some(redis) = RedisAddress::of(variables)? else {
            return Ok(None);
        };
        let found = look(&redis, commands).await;
        Ok(Some(Self { redis, found }))
    }

    /// Tells what was found, and goes on looking at a Redis that is not there.
    ///
    /// # Errors
    /// Says why no request could be answered.
    pub(crate) fn report(self, commands: &[Vec<String>]) -> Result<()> {
        let Self { redis, found } = self;
        ensure!(
            found.errors.is_empty(),
            "Redis at {redis} cannot be used: {}",
            found.errors.join("; ")
        );
        found.warn(&redis);
        if let Some(why) = found.not_now {
            tracing::warn!("Redis at {redis} cannot be used now: {why}. Requests that need it get 503 until it can");
            tokio::spawn(look_later(redis, commands.to_vec()));
        }
        Ok(())
    }
}

async fn look_later(redis: RedisAddress, commands: Vec<Vec<String>>) {
    let found = loop {
        tokio::time::sleep(PAUSE).await;
        let found = look(&redis, &commands).await;
        if found.not_now.is_none() {
            break found;
        }
    };
    for error in &found.errors {
        tracing::error!("Redis at {redis} cannot be used: {error}");
    }
    if found.errors.is_empty() {
        tracing::info!("Redis at {redis} can be used now");
    }
    found.warn(&redis);
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    /// Why serving is impossible.
    errors: Vec<String>,
    /// What puts data at risk.
    risks: Vec<String>,
    /// Why serving is impossible for the time being.
    not_now: Option<String>,
    /// Whether that is because the server does not speak as it should.
    is_broken: bool,
    /// Commands that an ACL forbids, in lower case.
    forbidden: Vec<String>,
}

impl Found {
    fn warn(&self, redis: &RedisAddress) {
        for risk in &self.risks {
            tracing::warn!("Redis at {redis} {risk}");
        }
    }

    /// Notes why a command failed. Returns whether it is of use to go on.
    fn note(&mut self, failure: Failure) -> bool {
        match failure {
            Failure::Forbidden(command) if self.forbidden.contains(&command) => {}
            Failure::Forbidden(command) => self.forbidden.push(command),
            Failure::Error(error) if self.errors.contains(&error) => {}
            Failure::Error(error) => self.errors.push(error),
            Failure::NotNow(why) => {
                self.not_now = Some(why);
                return false;
            }
            Failure::Broken(why) => {
                self.not_now = Some(why);
                self.is_broken = true;
                return false;
            }
            Failure::Harmless => {}
        }
        true
    }
}

async fn look(redis: &RedisAddress, commands: &[Vec<String>]) -> Found {
    let mut found = Found::default();
    let looked = tokio::time::timeout(PATIENCE, ask(redis, commands, &mut found)).await;
    if looked.is_err() {
        found.note(Failure::Broken(format!(
            "it does not answer within {} s",
            PATIENCE.as_secs()
        )));
    }
    if let (Some(why), true) = (&mut found.not_now, found.is_broken) {
        why.push_str(match redis.addresses.first() {
            Some(ConnectionAddr::TcpTls { .. }) => " (one without TLS has a redis_url that begins with redis://)",
            _ => " (one with TLS has a redis_url that begins with rediss://)",
        });
    }
    if !found.forbidden.is_empty() {
        let rule: Vec<String> = found.forbidden.iter().map(|command| format!("+{command}")).collect();
        found.errors.push(format!(
            "an ACL forbids {}; add to the user's rule: {}",
            found.forbidden.join(", ").to_uppercase(),
            rule.join(" ")
        ));
    }
    found
}

/// Asks until something makes further questions useless.
async fn ask(redis: &RedisAddress, commands: &[Vec<String>], found: &mut Found) {
    let (mut address, mut connection) = match connect_to_any(redis).await {
        Ok(connected) => connected,
        Err(failure) => {
            found.note(failure);
            return;
        }
    };
    // Who may not ask for it may use Redis all the same.
    if let Ok(text) = cmd("INFO").query_async::<String>(&mut connection).await {
        let info = Info::new(&text);
        found.errors.extend(info.too_old());
        found.risks.extend(info.may_evict());
        if !info.has_append_only_file() {
            found.risks.push(reply::persistence(snapshots(&mut connection).await));
        }
        if info.is_of_cluster() && !cluster::look(redis, &address, &mut connection, found).await {
            return;
        }
    }
    if redis.replicas > 0 {
        let waited = cmd("WAIT").arg(0).arg(1).exec_async(&mut connection).await;
        if let Err(error) = waited
            && !found.note(reply::failure("WAIT", &error))
        {
            return;
        }
    }
    for words in commands {
        let Some((name, arguments)) = words.split_first() else {
            continue;
        };
        let command = Cmd::new().arg(name).arg(arguments).to_owned();
        let mut tried = command.exec_async(&mut connection).await;
        // What follows belongs to the same node of a cluster: its keys are of one slot.
        if let Some(node) = tried.as_ref().err().and_then(|error| cluster::moved(&address, error)) {
            connection = match connect(redis, &node).await {
                Ok(connection) => connection,
                Err(failure) => {
                    found.note(failure);
                    return;
                }
            };
            address = node;
            tried = command.exec_async(&mut connection).await;
        }
        if let Err(error) = tried
            && !found.note(reply::failure(name, &error))
        {
            return;
        }
    }
}

/// A connection to the first server that there is one to and that is no replica, logged in; else to the last replica.
async fn connect_to_any(redis: &RedisAddress) -> Result<(ConnectionAddr, MultiplexedConnection), Failure> {
    let mut last = Err(Failure::Harmless);
    for address in &redis.addresses {
        match connect(redis, address).await {
            Ok(mut connection) => {
                let info = cmd("INFO").query_async::<String>(&mut connection).await;
                let connected = Ok((address.clone(), connection));
                if !info.is_ok_and(|text| Info::new(&text).is_of_replica()) {
                    return connected;
                }
                last = connected;
            }
            Err(failure @ Failure::NotNow(_)) if last.is_err() => last = Err(failure),
            Err(Failure::NotNow(_)) => {}
            Err(failure) => return Err(failure),
        }
    }
    last
}

/// Connects without a user, a password or a database at first: the client's errors of those do not say what Redis said.
async fn connect(redis: &RedisAddress, address: &ConnectionAddr) -> Result<MultiplexedConnection, Failure> {
    let info = ConnectionInfo {
        addr: address.clone(),
        redis: RedisConnectionInfo::default(),
    };
    let opened = async { Client::open(info)?.get_multiplexed_async_connection().await };
    let mut connection = opened.await.map_err(|error| reply::not_connected(&error))?;
    log_in(redis, &mut connection).await?;
    Ok(connection)
}

async fn log_in(redis: &RedisAddress, connection: &mut MultiplexedConnection) -> Result<(), Failure> {
    if !redis.password.is_empty() {
        let mut auth = cmd("AUTH");
        if !redis.user.is_empty() {
            auth.arg(&redis.user);
        }
        let done = auth.arg(&redis.password).exec_async(connection).await;
        done.map_err(|error| reply::not_logged_in(&redis.user, &error))?;
    }
    if redis.database != 0 {
        let done = cmd("SELECT").arg(redis.database).exec_async(connection).await;
        done.map_err(|error| reply::no_database(redis.database, &error))?;
    }
    // Allowed to all who are logged in, or forbidden by an ACL, which does not matter here.
    match cmd("PING")
        .exec_async(connection)
        .await
        .map_err(|error| reply::failure("PING", &error))
    {
        Err(failure @ (Failure::Error(_) | Failure::NotNow(_) | Failure::Broken(_))) => Err(failure),
        _ => Ok(()),
    }
}

/// Whether Redis saves snapshots, if it says so.
async fn snapshots(connection: &mut MultiplexedConnection) -> Option<bool> {
    let setting: Vec<String> = cmd("CONFIG")
        .arg("GET")
        .arg("save")
        .query_async(connection)
        .await
        .ok()?;
    setting.get(1).map(|save| !save.is_empty())
}
