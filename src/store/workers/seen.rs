//! Workers that claim by name: when they were last seen, and where. Kept beside the queues, about once a minute.

use crate::queue::{QueueName, Timestamp};
use crate::store::queues::NameList;
use crate::store::redis::{QueueKeys, Redis, RedisError, Store, scripts};

/// A worker that claimed by name within a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenWorker {
    /// Its name.
    pub worker: Vec<u8>,
    /// Where it claimed.
    pub queue: QueueName,
    /// When it was last seen there, to about a minute.
    pub at: Timestamp,
}

impl<R: Redis> Store<R> {
    /// The workers that claimed by name within a day on queues that somebody sees, the last seen first, at most
    /// [`NameList::MAX_NAMES`] pairs of worker and queue. One command for each so many pairs that are looked at.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn seen_workers(
        &self,
        see: impl Fn(QueueName) -> Option<QueueName>,
    ) -> Result<Vec<SeenWorker>, RedisError> {
        let mut workers = Vec::new();
        for page in 0.. {
            let all = self.page_of_seen(page).await?;
            let is_last = all.len() < NameList::MAX_NAMES;
            let visible = all.into_iter().filter_map(|seen| {
                let queue = see(seen.queue)?;
                Some(SeenWorker { queue, ..seen })
            });
            workers.extend(visible);
            if is_last || workers.len() >= NameList::MAX_NAMES {
                break;
            }
        }
        workers.truncate(NameList::MAX_NAMES);
        Ok(workers)
    }

    async fn page_of_seen(&self, page: usize) -> Result<Vec<SeenWorker>, RedisError> {
        let max_workers = NameList::MAX_NAMES.to_string();
        let passed_over = (page * NameList::MAX_NAMES).to_string();
        let args = [passed_over.as_bytes(), max_workers.as_bytes()];
        let no_queue = QueueKeys::default();
        let reply = self.run_with(&scripts::SEEN_WORKERS, &no_queue, Vec::new(), &args);
        let mut reply = reply.await?;
        let mut workers = Vec::new();
        while !reply.is_empty() {
            let member = reply.bytes()?;
            let at = reply.time()?;
            // A queue's name has no line break, a worker's may.
            let split = member.iter().position(|&byte| byte == b'\n');
            let parts = split.and_then(|at| Some((member.get(..at)?, member.get(at + 1..)?)));
            let (Some((queue, worker)), Some(at)) = (parts, at) else {
                return Err(RedisError::Unexpected(
                    "something else where a worker that was seen should be".into(),
                ));
            };
            if let Ok(queue) = QueueName::new(queue) {
                let worker = worker.to_vec();
                workers.push(SeenWorker { worker, queue, at });
            }
        }
        Ok(workers)
    }
}
