//! Workers that claim by name: when they were last seen, and where. Kept beside the queues, about once a minute.

use super::Store;
use super::keys::SEEN;
use super::list::Listed;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::{QueueName, Timestamp};

static NOTE_SEEN: Script = script!("note_seen.lua");
static SEEN_WORKERS: Script = script!("seen.lua");

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
    /// Notes that a worker was seen on a queue. The claim is done already: a note that fails is made up for by the next
    /// one, a minute later.
    pub(super) async fn note_seen(&self, queue: &QueueName, worker: &[u8], at: Timestamp) {
        let member = [queue.as_str().as_bytes(), b"\n", worker].concat();
        let at = at.as_millis().to_string();
        let _ = NOTE_SEEN
            .run(&self.redis, &[SEEN.to_owned()], &[&member, at.as_bytes()])
            .await;
    }

    /// The workers that claimed by name within a day, the last seen first, at most [`Listed::MOST`] pairs of worker and
    /// queue. One command.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn seen_workers(&self) -> Result<Vec<SeenWorker>, RedisError> {
        let most = Listed::MOST.to_string();
        let keys = [SEEN.to_owned()];
        let mut reply = Reader::new(SEEN_WORKERS.run(&self.redis, &keys, &[most.as_bytes()]).await?);
        let mut workers = Vec::new();
        while !reply.is_empty() {
            let member = reply.bytes()?;
            let at = reply.time()?;
            // A queue's name has no line break, a worker's may.
            let split = member.iter().position(|&byte| byte == b'\n');
            let parts = split.and_then(|at| Some((member.get(..at)?, member.get(at + 1..)?)));
            let (Some((queue, worker)), Some(at)) = (parts, at) else {
                return Err(RedisError::Unexpected("no worker that was seen".into()));
            };
            if let Ok(queue) = QueueName::new(queue) {
                let worker = worker.to_vec();
                workers.push(SeenWorker { worker, queue, at });
            }
        }
        Ok(workers)
    }
}
