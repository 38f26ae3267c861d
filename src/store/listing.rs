//! The list of queues, kept beside the queues themselves: other keys, so other commands.
//!
//! A queue has a generation, which each deletion ends. The list holds each queue with the generation that entered it,
//! and the queue a mark with that generation: while the mark is of this generation, inserts need not look at the list.
//! So whatever order an insert and a deletion come in, and wherever either breaks off, a queue with jobs is in the
//! list or its next insert enters it; all that can be left over is an empty queue in the list.

use super::Store;
use super::keys::{QUEUES, QueueKeys};
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::QueueName;

static MARK: Script = script!("mark_listed.lua");
static UNLIST: Script = script!("unlist.lua");

/// What the inserting scripts say of a queue that is in the list.
const LISTED: i64 = -1;

impl<R: Redis> Store<R> {
    /// Enters a queue in the list when an insert says that it is not there: `generation` is that script's word.
    ///
    /// The job is in already, and a client that were told of an error here would send it again: a listing that fails
    /// is made up for by the queue's next insert.
    pub(super) async fn list_queue(&self, queue: &QueueName, generation: i64) {
        // A connection that broke is opened anew: the second try mends most of what can go wrong with the first.
        if generation != LISTED && self.try_list_queue(queue, generation).await.is_err() {
            let _ = self.try_list_queue(queue, generation).await;
        }
    }

    async fn try_list_queue(&self, queue: &QueueName, generation: i64) -> Result<(), RedisError> {
        let (name, number) = (queue.as_str().as_bytes(), generation.to_string());
        let entry = [QUEUES.as_bytes(), b"GT", number.as_bytes(), name];
        self.redis.command("ZADD", &entry).await?;
        let meta = QueueKeys::new(queue).meta();
        let marked = MARK.run(&self.redis, &[meta], &[number.as_bytes()]).await?;
        if Reader::new(marked).integer()? == 0 {
            // Deleted in between, with the job. It may have left the list before it was entered.
            self.unlist(queue, generation).await?;
        }
        Ok(())
    }

    /// Takes a queue off the list, up to this generation of it.
    pub(super) async fn unlist(&self, queue: &QueueName, generation: i64) -> Result<(), RedisError> {
        let generation = generation.to_string();
        let args = [queue.as_str().as_bytes(), generation.as_bytes()];
        UNLIST.run(&self.redis, &[QUEUES.to_owned()], &args).await?;
        Ok(())
    }
}
