//! Which queues do not move, and which workers have gone.

use super::Finding;
use super::server::seconds;
use crate::api::{Api, Failure, QueueSummary};
use crate::text::span;
use presque::queue::rfc3339;
use serde::Deserialize;

/// So many queues are told of for each fault.
const MAX_TOLD: usize = 5;

/// So many pages of queues are looked at.
const MAX_PAGES: usize = 20;

/// From this age of its oldest ready job on, a queue waits.
const MAX_AGE_SECONDS: f64 = 300.0;

/// A worker that waits for jobs asks at least once a minute, and is known to a minute.
const MAX_SILENCE_SECONDS: f64 = 300.0;

#[derive(Deserialize)]
struct Workers {
    workers: Vec<Worker>,
    size: u64,
}

#[derive(Deserialize)]
struct Worker {
    worker: String,
    last_seen_at: String,
}

#[derive(Deserialize)]
struct Health {
    clock: String,
}

/// What is found on all queues.
pub(super) async fn look(api: &Api) -> Vec<Finding> {
    let queues = match all(api).await {
        Ok(queues) => queues,
        Err(failure) => return vec![Finding::warning("queues", failure.to_string(), "look again")],
    };
    let mut findings = Vec::new();
    findings.extend(told(&queues, |queue| {
        let name = argument(&queue.queue);
        (queue.counts.dead > 0).then(|| {
            let text = format!("{name}: {} dead jobs", queue.counts.dead);
            Finding::warning(
                "queues",
                text,
                format!("presque dead {name} tells why; presque redrive {name} tries them again"),
            )
        })
    }));
    findings.extend(told(&queues, |queue| {
        let name = argument(&queue.queue);
        (queue.paused && queue.counts.ready > 0).then(|| {
            let text = format!("{name}: stopped, and {} jobs are ready", queue.counts.ready);
            Finding::warning("queues", text, format!("presque start {name}"))
        })
    }));
    findings.extend(told(&queues, waiting));
    if findings.is_empty() {
        findings.push(Finding::ok("queues", format!("queues: {}, and all move", queues.len())));
    }
    findings.extend(workers(api).await);
    findings
}

async fn all(api: &Api) -> Result<Vec<QueueSummary>, Failure> {
    let (mut queues, mut cursor) = (Vec::new(), None::<String>);
    let overview = api.overview("dead", None);
    for _ in 0..MAX_PAGES {
        let page = api.page(&overview, cursor.as_deref()).await?;
        queues.extend(page.queues);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(queues)
}

fn waiting(queue: &QueueSummary) -> Option<Finding> {
    let age = queue
        .oldest_ready_age
        .filter(|age| *age >= MAX_AGE_SECONDS && !queue.paused)?;
    let name = argument(&queue.queue);
    let text = format!(
        "{name}: {} jobs are ready, the oldest for {}",
        queue.counts.ready,
        span(age)
    );
    Some(match queue.workers {
        0 => Finding::warning(
            "queues",
            format!("{text}, and no worker gave its name in the last hour"),
            format!("start one: presque work {name} -- COMMAND"),
        ),
        workers => Finding::warning(
            "queues",
            format!("{text}, with {workers} workers in the last hour"),
            "add workers, or see what holds them up",
        ),
    })
}

/// The first findings of a kind, and how many there are beside.
fn told(queues: &[QueueSummary], fault: impl Fn(&QueueSummary) -> Option<Finding>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = queues.iter().filter_map(fault).collect();
    let more = findings.len().saturating_sub(MAX_TOLD);
    findings.truncate(MAX_TOLD);
    if more > 0
        && let Some(last) = findings.last_mut()
    {
        last.text += &format!(" (and {more} more queues like it)");
    }
    findings
}

async fn workers(api: &Api) -> Vec<Finding> {
    let (workers, health) = (api.get(&["workers"]), api.get(&["health"]));
    let Ok(Workers { workers, size }) = api.send(&workers).await else {
        return Vec::new();
    };
    // By the server's clock, as the times are.
    let Ok(Health { clock }) = api.send(&health).await else {
        return Vec::new();
    };
    let now = rfc3339::parse(&clock).map(seconds).unwrap_or_default();
    let silence = |worker: &Worker| now - rfc3339::parse(&worker.last_seen_at).map_or(now, seconds);
    let silences: Vec<f64> = workers.iter().map(silence).collect();
    let recent = silences
        .iter()
        .filter(|silence| **silence < MAX_SILENCE_SECONDS)
        .count();
    let last = workers.iter().zip(&silences).min_by(|a, b| a.1.total_cmp(b.1));
    vec![match last {
        Some((worker, silence)) if recent == 0 => Finding::warning(
            "workers",
            format!(
                "none asked for jobs in the last 5 minutes; the last was {}, {} ago",
                worker.worker,
                span(*silence)
            ),
            "if jobs are to be worked, start one: presque work QUEUE -- COMMAND",
        ),
        _ => Finding::ok(
            "workers",
            format!("{size} gave their names in the last 24 hours, {recent} of them in the last 5 minutes"),
        ),
    }]
}

/// A queue's name as a shell takes it.
fn argument(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.:/@%+=,".contains(c);
    match name.chars().all(is_plain) && !name.starts_with('-') {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', "'\\''")),
    }
}
