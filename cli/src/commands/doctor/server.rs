//! The server, its store, and who may do what.

use super::Finding;
use crate::api::{Api, Failure};
use crate::text::span;
use presque::queue::{Timestamp, rfc3339};
use serde::Deserialize;
use std::time::{SystemTime, UNIX_EPOCH};

/// From this difference between two clocks on, times that one of them tells mislead readers of the other.
const MAX_CLOCK_SECONDS: f64 = 2.0;

/// From this part of the memory limit on, inserts will soon be refused.
const MAX_MEMORY: f64 = 0.9;

#[derive(Deserialize)]
struct Health {
    version: String,
    clock: String,
    redis: Redis,
    warnings: Vec<Warning>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Redis {
    version: String,
    used_memory: u64,
    maxmemory: u64,
    nodes: u64,
    replicas: u64,
    persistence: String,
    can_be_lost: String,
}

#[derive(Deserialize)]
struct Warning {
    r#type: String,
    detail: String,
}

#[derive(Deserialize)]
struct Key {
    scopes: Vec<String>,
    queues: Vec<String>,
}

/// Whether the server serves, and how it is set.
pub(super) async fn look(api: &Api) -> Vec<Finding> {
    let before = now();
    let health: Health = match api.send(&api.get(&["health"])).await {
        Ok(health) => health,
        Err(failure) => return vec![failed(api, &failure)],
    };
    let middle = f64::midpoint(before, now());
    let mut findings = vec![version(api, &health), clock(&health, middle)];
    findings.extend(store(&health));
    findings.extend(access(api).await);
    findings
}

fn failed(api: &Api, failure: &Failure) -> Finding {
    let url = api.base();
    match failure {
        Failure::Unreachable { why, .. } => Finding::error(
            "server",
            format!("{url} cannot be reached: {why}"),
            "start it (presque up), or say where it is by --url or PRESQUE_URL",
        ),
        Failure::Lost { .. } | Failure::NotUnderstood { .. } => Finding::error(
            "server",
            failure.to_string(),
            "is this address one of presque, and of no other server? See the log of the server",
        ),
        Failure::Problem(problem) => {
            let mend = match problem.status {
                401 => "give a key that the server knows by PRESQUE_KEY or --key-file; presque key new makes one",
                403 => "give a key with the scope read (and the header Host: see allowed_hosts in docs/security.md)",
                404 => "is this address one of presque, up to the path before /v1?",
                421 => "add the host of this address to the server's variable allowed_hosts, or use one that is in it",
                507 => "give Redis more memory (maxmemory), or remove jobs: presque drain, presque dead",
                _ => {
                    "see that Redis runs, and is where the server's variable redis_url says; the log of the server tells more"
                }
            };
            let detail = if problem.detail.is_empty() {
                &problem.title
            } else {
                &problem.detail
            };
            let check = match problem.status {
                401 | 403 => "key",
                503 | 507 => "store",
                _ => "server",
            };
            Finding::error(check, format!("{detail} ({})", problem.status), mend)
        }
    }
}

fn version(api: &Api, health: &Health) -> Finding {
    const OURS: &str = env!("CARGO_PKG_VERSION");
    let text = format!("{} answers, version {}", api.base(), health.version);
    match health.version == OURS {
        true => Finding::ok("server", text),
        false => Finding::warning(
            "server",
            format!("{text}; this command has version {OURS}"),
            "use the command of the server's version",
        ),
    }
}

fn clock(health: &Health, here: f64) -> Finding {
    let Some(there) = rfc3339::parse(&health.clock) else {
        return Finding::warning(
            "clock",
            "the server does not tell the time",
            "use the command of the server's version",
        );
    };
    let difference = seconds(there) - here;
    let text = format!(
        "the clocks of Redis and of this machine differ by {}",
        span(difference.abs())
    );
    match difference.abs() <= MAX_CLOCK_SECONDS {
        true => Finding::ok("clock", text),
        false => Finding::warning(
            "clock",
            text,
            "let both machines keep the time (NTP): delays and leases count by the clock of Redis, a time given with --at by yours",
        ),
    }
}

fn store(health: &Health) -> Vec<Finding> {
    let redis = &health.redis;
    let mut findings = Vec::new();
    if !redis.version.is_empty() {
        findings.push(Finding::ok(
            "store",
            format!(
                "Redis or Valkey {}, nodes: {}, replicas: {}, on disk: {}. What can be lost at worst: {}",
                redis.version, redis.nodes, redis.replicas, redis.persistence, redis.can_be_lost
            ),
        ));
    }
    #[expect(clippy::cast_precision_loss, reason = "a part is told")]
    let used = redis.used_memory as f64 / redis.maxmemory as f64;
    if redis.maxmemory > 0 && used > MAX_MEMORY {
        findings.push(Finding::warning(
            "store",
            format!(
                "{:.0} % of the memory limit is used; beyond it inserts are refused",
                used * 100.0
            ),
            "raise maxmemory, keep fewer done and dead jobs (presque queue set), or add workers",
        ));
    }
    findings.extend(health.warnings.iter().map(|Warning { r#type, detail }| match r#type.as_str() {
        "eviction" => Finding::warning("store", detail, "set maxmemory-policy to noeviction in Redis"),
        "persistence" => Finding::warning(
            "store",
            detail,
            "set appendonly yes and appendfsync always in Redis: docs/operations.md says what each setting can lose",
        ),
        "write-error" => Finding::error("store", detail, "see Redis' log, and whether its disk is full"),
        _ => Finding::warning("store", detail, "see docs/operations.md"),
    }));
    findings
}

async fn access(api: &Api) -> Vec<Finding> {
    let mut findings = Vec::new();
    let key = api.get(&["key"]);
    let is_open = match api.without_key() {
        Ok(stranger) => stranger.send::<Key>(&key).await.is_ok(),
        Err(_) => false,
    };
    match (is_open, api.is_local()) {
        (true, false) => findings.push(Finding::error(
            "access",
            "the server is not on this machine and asks for no key: whoever reaches it may take and delete all jobs",
            "give it keys (presque key new), or let it listen on 127.0.0.1 alone",
        )),
        (true, true) => findings.push(Finding::ok(
            "access",
            "no key is asked for, and the address is one that this machine alone reaches",
        )),
        (false, _) => match api.send::<Key>(&key).await {
            Ok(Key { scopes, queues }) => findings.push(Finding::ok(
                "access",
                format!("the key is for {} on {}", scopes.join(", "), queues.join(", ")),
            )),
            Err(failure) => findings.push(Finding::warning("access", failure.to_string(), "look again")),
        },
    }
    if !is_open && !api.is_local() && api.base().scheme() == "http" {
        findings.push(Finding::warning(
            "access",
            "the key and the jobs go over the network as they are",
            "put a server that ends TLS in front, and use https: docs/security.md",
        ));
    }
    findings
}

/// Seconds since 1970 by this machine's clock.
fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |time| time.as_secs_f64())
}

/// Seconds since 1970.
pub(super) fn seconds(time: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "exact for 285,000 years")]
    let millis = time.as_millis() as f64;
    millis / 1000.0
}
