//! `GET /v1/health`: whether Redis takes jobs, and what is unwise about it.

use super::problem::Problem;
use super::respond;
use crate::store::Redis;
use crate::web::json::push_object;
use crate::web::{Context, Response};
use http::StatusCode;

pub(super) async fn show<R: Redis>(context: &Context<R>) -> Result<Response, Problem> {
    let health = context.store.health().await?;
    if !health.missing_permissions.is_empty() {
        return Err(Problem::forbidden(Some(&health.missing_permissions.join(", "))));
    }
    let eviction = format!(
        "The maxmemory-policy of Redis is {}: when its memory is full it drops jobs. It should be noeviction.",
        health.maxmemory_policy
    );
    // What it tells of Redis is of all tenants together.
    let shows_redis = context.caller.sees_all();
    let warnings = (shows_redis && health.can_evict()).then_some(("eviction", eviction));
    Ok(respond(StatusCode::OK, |o| {
        o.text("status", "ok");
        o.object("redis", |o| {
            // Where INFO is not permitted nothing of this is known.
            if !health.version.is_empty() && shows_redis {
                o.text("version", &health.version);
                o.text("maxmemory_policy", &health.maxmemory_policy);
                o.plain("used_memory", health.used_memory);
                o.plain("maxmemory", health.max_memory);
            }
        });
        o.array("warnings", warnings, |out, (kind, detail)| {
            push_object(out, |o| {
                o.text("type", kind).text("detail", detail);
            });
        });
    }))
}
