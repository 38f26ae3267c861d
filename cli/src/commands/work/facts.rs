//! What is told of a job to whoever does it.

use super::lease::Lease;
use crate::api::ClaimedJob;

/// The facts of a job, by the names of the variables that have them. One that the job lacks has no value.
pub(super) fn facts(job: &ClaimedJob, lease: &Lease<'_>) -> [(&'static str, Option<String>); 9] {
    let metadata = job.metadata.as_ref().map(|json| json.get().to_owned());
    [
        ("PRESQUE_QUEUE", Some(job.queue.clone())),
        ("PRESQUE_JOB_ID", Some(job.id.clone())),
        ("PRESQUE_ATTEMPT", Some(job.attempt.to_string())),
        ("PRESQUE_FAILURES", Some(job.failures.to_string())),
        ("PRESQUE_PRIORITY", Some(job.priority.to_string())),
        ("PRESQUE_INSERTED_AT", Some(job.inserted_at.clone())),
        ("PRESQUE_LEASE_ENDS_AT", Some(lease.ends_at().to_owned())),
        ("PRESQUE_METADATA", metadata.or_else(|| job.metadata_text.clone())),
        ("TRACEPARENT", job.traceparent.clone()),
    ]
}
