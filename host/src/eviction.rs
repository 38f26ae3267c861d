//! A look at the Redis server at the start: one that may throw data away when it is full gets a warning.

use crate::variables::Resolved;
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};
use std::time::Duration;

/// How long the look may take. It keeps nothing else waiting.
const PATIENCE: Duration = Duration::from_secs(5);

/// Looks in the background, where the application has a variable `redis_url`. A server that cannot be asked is no reason
/// to complain: whoever needs it will.
pub(crate) fn warn(variables: &Resolved) {
    if let Some(info) = address(variables) {
        tokio::spawn(async move {
            let policy = tokio::time::timeout(PATIENCE, policy(info)).await;
            if let Ok(Some(policy)) = policy
                && policy != "noeviction"
            {
                tracing::warn!(
                    policy,
                    "Redis may throw data away when it is full: set its maxmemory-policy to noeviction"
                );
            }
        });
    }
}

fn address(variables: &Resolved) -> Option<ConnectionInfo> {
    let render = |name: &str| variables.render(&format!("{{{{ {name} }}}}")).ok();
    let mut info = render("redis_url")?.into_connection_info().ok()?;
    if let ConnectionAddr::Unix(_) = info.addr {
        return None;
    }
    info.redis = RedisConnectionInfo {
        password: render("redis_password").filter(|password| !password.is_empty()),
        db: render("redis_database")
            .and_then(|number| number.parse().ok())
            .unwrap_or(0),
        ..info.redis
    };
    Some(info)
}

/// What the server does when it is full. Managed servers forbid CONFIG, so INFO is asked.
async fn policy(info: ConnectionInfo) -> Option<String> {
    let mut connection = Client::open(info).ok()?.get_multiplexed_async_connection().await.ok()?;
    let text: String = redis::cmd("INFO")
        .arg("memory")
        .query_async(&mut connection)
        .await
        .ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("maxmemory_policy:"));
    line.map(|policy| policy.trim().to_owned())
}
