//! `GET /v1/workers`: who has claimed jobs by name.

use super::job_view::render_time;
use super::problem::Problem;
use super::respond;
use crate::store::{Redis, SeenWorker};
use crate::web::json::push_object;
use crate::web::{Context, Response};
use http::StatusCode;
use std::collections::HashMap;

pub(super) async fn list<R: Redis>(context: &Context<R>) -> Result<Response, Problem> {
    let seen = context.store.seen_workers(|queue| context.caller.see(queue)).await?;
    let workers = by_name(&seen);
    Ok(respond(StatusCode::OK, |o| {
        o.array("workers", &workers, |out, queues| {
            push_object(out, |o| {
                let last = queues.first();
                if let Some(last) = last {
                    o.text("worker", &last.worker);
                }
                o.array("queues", queues, |out, seen| {
                    push_object(out, |o| {
                        o.text("queue", seen.queue.as_str());
                        render_time(o, "last_seen_at", seen.at);
                    });
                });
                if let Some(last) = last {
                    render_time(o, "last_seen_at", last.at);
                }
            });
        });
        o.plain("size", workers.len());
    }))
}

/// Each worker's queues, in the order in which they were given: the last seen first.
fn by_name(seen: &[SeenWorker]) -> Vec<Vec<&SeenWorker>> {
    let mut indexes: HashMap<&[u8], usize> = HashMap::new();
    let mut workers: Vec<Vec<&SeenWorker>> = Vec::new();
    for one in seen {
        let index = *indexes.entry(&one.worker).or_insert(workers.len());
        match workers.get_mut(index) {
            Some(queues) => queues.push(one),
            None => workers.push(vec![one]),
        }
    }
    workers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{QueueName, Timestamp};

    #[test]
    fn queues_are_gathered_by_worker_the_last_seen_first() {
        let seen = [("b", "x", 9), ("a", "y", 8), ("b", "z", 7)].map(|(worker, queue, at)| SeenWorker {
            worker: worker.into(),
            queue: QueueName::new(queue).unwrap(),
            at: Timestamp::from_millis(at),
        });
        let times = |queues: Vec<&SeenWorker>| queues.iter().map(|seen| seen.at.as_millis()).collect::<Vec<_>>();
        let workers: Vec<_> = by_name(&seen).into_iter().map(times).collect();
        assert_eq!(workers, [vec![9, 7], vec![8]]);
    }
}
