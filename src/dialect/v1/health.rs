//! `GET /v1/health`: whether Redis takes jobs, what can be lost, and what is unwise about it.

use super::job_view::render_time;
use super::problem::Problem;
use super::respond;
use crate::queue::rfc3339;
use crate::store::{Fsync, Health, Persistence, Redis};
use crate::web::json::{Object, push_object};
use crate::web::{Context, Response};
use http::StatusCode;

pub(super) async fn show<R: Redis>(context: &Context<R>) -> Result<Response, Problem> {
    let health = context.store.health().await?;
    if !health.missing_permissions.is_empty() {
        return Err(Problem::forbidden(Some(&health.missing_permissions.join(", "))));
    }
    // What it tells of Redis is of all tenants together.
    let shows_redis = context.caller.sees_all();
    let warnings = if shows_redis { warnings(&health) } else { Vec::new() };
    Ok(respond(StatusCode::OK, |o| {
        o.text("status", "ok");
        o.text("version", env!("CARGO_PKG_VERSION"));
        render_time(o, "clock", health.clock);
        o.object("redis", |o| {
            // Where INFO is not permitted nothing of this is known.
            if !health.version.is_empty() && shows_redis {
                render_redis(o, &health);
            }
        });
        o.array("warnings", warnings, |out, (kind, detail)| {
            push_object(out, |o| {
                o.text("type", kind).text("detail", detail);
            });
        });
    }))
}

fn render_redis(o: &mut Object<'_>, health: &Health) {
    o.text("version", &health.version);
    o.text("maxmemory_policy", &health.maxmemory_policy);
    o.plain("used_memory", health.used_memory);
    o.plain("maxmemory", health.max_memory);
    o.plain("nodes", health.nodes);
    o.plain("replicas", health.replicas);
    o.text("persistence", persistence_name(health.persistence));
    o.text("can_be_lost", can_be_lost(health));
}

fn persistence_name(persistence: Persistence) -> &'static str {
    match persistence {
        Persistence::Unknown => "unknown",
        Persistence::None => "none",
        Persistence::Snapshots(_) => "snapshots",
        Persistence::Log(Fsync::Always) => "log, always",
        Persistence::Log(Fsync::EverySecond) => "log, every second",
        Persistence::Log(Fsync::System) => "log, when the system writes",
        Persistence::Log(Fsync::Unknown) => "log",
    }
}

/// What is lost at worst, in words.
fn can_be_lost(health: &Health) -> String {
    let mut text = match health.persistence {
        Persistence::Unknown => "It is not known what Redis keeps: its user may not ask.".to_owned(),
        Persistence::None => "Redis keeps jobs in memory only: all are lost when it ends.".to_owned(),
        Persistence::Snapshots(Some(at)) => format!(
            "When Redis or its machine crashes, all that came after the last snapshot is lost. That was at {}.",
            rfc3339::format(at)
        ),
        Persistence::Snapshots(None) => {
            "When Redis or its machine crashes, all that came after the last snapshot is lost.".to_owned()
        }
        Persistence::Log(Fsync::Always) => "As long as Redis' disk is good, nothing that was answered.".to_owned(),
        Persistence::Log(Fsync::EverySecond) => "When the machine crashes, the last second.".to_owned(),
        Persistence::Log(Fsync::System) => {
            "When the machine crashes, what the system had not written yet: usually up to 30 seconds.".to_owned()
        }
        Persistence::Log(Fsync::Unknown) => {
            "When the machine crashes, the last second, unless `appendfsync` is always: Redis' user may not ask."
                .to_owned()
        }
    };
    if health.replicas > 0 {
        text.push_str(" When a replica takes over, what it had not received yet, unless redis_wait_replicas is set.");
    }
    text
}

/// What is unwise or wrong: a type and what to do.
fn warnings(health: &Health) -> Vec<(&'static str, String)> {
    let mut warnings = Vec::new();
    if health.can_evict() {
        let detail = format!(
            "The maxmemory-policy of Redis is {}: when its memory is full it drops jobs. It should be noeviction.",
            health.maxmemory_policy
        );
        warnings.push(("eviction", detail));
    }
    if matches!(health.persistence, Persistence::None | Persistence::Snapshots(_)) {
        let detail = "Redis has no append-only file, so a crash loses jobs. It should have `appendonly yes`.";
        warnings.push(("persistence", detail.to_owned()));
    }
    if health.has_write_error {
        let detail = "Redis could not write to its disk the last time that it tried. Its log says why.";
        warnings.push(("write-error", detail.to_owned()));
    }
    warnings
}
