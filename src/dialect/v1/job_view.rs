//! How a job is rendered.

use super::backoff::render_backoff;
use super::seconds::seconds;
use crate::queue::rfc3339;
use crate::queue::{Hold, QueueName, State, Timestamp};
use crate::store::{Job, JobError};
use crate::web::json::{Object, is_strict, push_object, utf8_text};

/// Writes what every job has. What a job does not have is absent.
pub(super) fn render_job(o: &mut Object<'_>, queue: &QueueName, job: &Job) {
    o.text("id", job.id.to_string()).text("queue", queue.as_str());
    o.text("state", job.state.name());
    o.plain("priority", job.id.priority().get());
    render_time(o, "inserted_at", job.id.inserted());
    o.plain("attempt", job.claims).plain("failures", job.failures);
    o.plain("lost_leases", job.lost_leases);
    render_state(o, job);
    render_options(o, job);
    if let Some(progress) = &job.progress {
        render_json(o, ["progress", "progress_text"], progress.as_bytes());
    }
    if let Some(result) = &job.result {
        render_json(o, ["result", "result_text"], result.as_bytes());
    }
    if !job.errors.is_empty() {
        o.array("errors", &job.errors, |out, error| {
            push_object(out, |o| render_error(o, error));
        });
    }
    if let Some((times, last)) = &job.released {
        o.object("released", |o| {
            o.plain("times", times);
            render_error(o, last);
        });
    }
}

/// Writes a job's payload.
pub(super) fn render_payload(o: &mut Object<'_>, job: &Job) {
    render_json(o, ["payload", "payload_text"], &job.payload);
}

/// Writes what a client sent: as it stands when it is JSON that strict readers take, else as a text, under the other name. One
/// value must not make an answer with other jobs unreadable.
fn render_json(o: &mut Object<'_>, [name, text_name]: [&str; 2], bytes: &[u8]) {
    match utf8_text(bytes).filter(|text| is_strict(text)) {
        Some(text) => o.json(name, text),
        None => o.text(text_name, bytes),
    };
}

/// What jobs have in one state only.
fn render_state(o: &mut Object<'_>, job: &Job) {
    match job.state {
        State::Ready => {}
        State::Scheduled => render_time(o, "run_at", job.state_time),
        State::Active => {
            if let Some(worker) = &job.worker {
                o.text("worker", worker);
            }
            render_optional_time(o, "claimed_at", job.claimed);
            render_time(o, "lease_ends_at", job.state_time);
        }
        State::Done | State::Dead | State::Cancelled => {
            render_optional_time(o, "ended_at", job.ended);
            render_time(o, "kept_until", job.state_time);
            if let Some(reason) = job.reason {
                o.text("reason", reason.name());
            }
        }
    }
}

/// What its producer said.
fn render_options(o: &mut Object<'_>, job: &Job) {
    if let Some(number) = job.max_attempts {
        o.plain("max_attempts", number);
    }
    if let Some(backoff) = job.backoff {
        render_backoff(o, backoff);
    }
    if let Some(lease) = job.lease {
        o.plain("timeout", seconds(lease));
    }
    render_optional_time(o, "expires_at", job.expires_in.map(|time| job.id.inserted().plus(time)));
    if let Some((key, hold)) = &job.unique {
        o.object("unique", |o| {
            o.text("key", key);
            match hold {
                Hold::UntilClaimed => o.text("while", "waiting"),
                Hold::UntilEnded => o.text("while", "unfinished"),
                Hold::For(time) => o.plain("for", seconds(*time)),
            };
        });
    }
    if let Some(metadata) = &job.metadata {
        render_json(o, ["metadata", "metadata_text"], metadata.as_bytes());
    }
    for (name, value) in [("traceparent", &job.traceparent), ("tracestate", &job.tracestate)] {
        if let Some(value) = value {
            o.text(name, value);
        }
    }
}

fn render_error(o: &mut Object<'_>, error: &JobError) {
    render_time(o, "at", error.at);
    o.plain("attempt", error.claim);
    if !error.text.is_empty() {
        o.text("error", &error.text);
    }
}

/// Writes a point in time.
pub(super) fn render_time(o: &mut Object<'_>, name: &str, at: Timestamp) {
    o.text(name, rfc3339::format(at));
}

fn render_optional_time(o: &mut Object<'_>, name: &str, at: Option<Timestamp>) {
    if let Some(at) = at {
        render_time(o, name, at);
    }
}
