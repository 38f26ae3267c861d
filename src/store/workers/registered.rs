//! Legacy workers: they register on queues, and their jobs are counted.
//!
//! What a worker does on a queue is counted in the queue's own keys, by the script that hands out the job. Its record
//! says on which queues it is registered. The commands here span keys and can be repeated; a crash between two of them
//! can at most lose counts.

use crate::queue::QueueName;
use crate::store::queues::{NameList, sum};
use crate::store::redis::{
    QueueKeys, Redis, RedisError, ReplyReader, Script, Store, WORKERS, scripts, worker_record, workers_below,
};

/// How a record's field for a queue begins.
const QUEUE_FIELD: &str = "queue:";

/// What is known of a registered worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Worker {
    /// When it registered, in seconds since 1970 by the Redis server's clock.
    pub started: u64,
    /// How many jobs it has claimed or fetched, on all queues that it was registered on.
    pub processed: u64,
    /// How many failures were counted for it.
    pub failed: u64,
}

/// A queue's counts and the workers that are registered on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueWorkers {
    /// How many jobs were claimed or fetched. `None` before the first.
    pub processed: Option<u64>,
    /// How many failures were reported. `None` before the first.
    pub failed: Option<u64>,
    /// The workers' ids, at most [`NameList::MAX_NAMES`], in no order.
    pub workers: Vec<Vec<u8>>,
}

impl<R: Redis> Store<R> {
    /// Registers a worker on a queue, with its counts there at 0. Where the queue gets more partitions later, it is not counted what the
    /// worker does in these, until it registers again.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn register(&self, queue: &QueueName, worker: &[u8]) -> Result<(), RedisError> {
        let (keys, record) = (QueueKeys::new(queue), vec![worker_record(queue.root(), worker)]);
        // The record first: see `unregister`.
        let field = field(queue);
        self.run_with(&scripts::REGISTER_IN_RECORD, &keys, record, &[field.as_bytes()])
            .await?;
        let registered = self.enter_with_counts(queue, worker).await;
        registered.map_err(RedisError::after_a_change)?;
        if self
            .is_registered(queue, worker)
            .await
            .map_err(RedisError::after_a_change)?
        {
            return Ok(());
        }
        // It was unregistered meanwhile, perhaps before its counts were entered: then nobody would take them out.
        self.unregister(queue, worker).await.map_err(RedisError::after_a_change)
    }

    /// Whether the worker's record has this queue.
    async fn is_registered(&self, queue: &QueueName, worker: &[u8]) -> Result<bool, RedisError> {
        let record = worker_record(queue.root(), worker);
        let there = self
            .redis
            .command("HEXISTS", &[record.as_bytes(), field(queue).as_bytes()])
            .await?;
        ReplyReader::new(there).flag()
    }

    /// Enters a worker in the list of workers, and its counts in the queue: in each of its partitions.
    async fn enter_with_counts(&self, queue: &QueueName, worker: &[u8]) -> Result<(), RedisError> {
        self.enter(queue.root(), worker).await?;
        self.run_in(&scripts::REGISTER, queue, 0, &[worker]).await?;
        for partition in 1..self.layout(queue).extent {
            self.run_in(&scripts::REGISTER, queue, partition, &[worker]).await?;
        }
        Ok(())
    }

    /// Enters a worker in the list of workers.
    async fn enter(&self, root: &str, worker: &[u8]) -> Result<(), RedisError> {
        let list = workers_below(root);
        let entry = [list.as_bytes(), b"NX", b"0", worker];
        self.redis.command("ZADD", &entry).await?;
        Ok(())
    }

    /// Unregisters a worker from a queue; from the list of workers with its last queue. One that is not registered is
    /// no error.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn unregister(&self, queue: &QueueName, worker: &[u8]) -> Result<(), RedisError> {
        let (processed, failed) = self.counts_of(&scripts::UNREGISTER, queue, worker).await?;
        let (processed, failed) = (processed.to_string(), failed.to_string());
        let field = field(queue);
        let args = [field.as_bytes(), processed.as_bytes(), failed.as_bytes()];
        let all_left = async {
            self.unregister_in_record(queue.root(), worker, &args).await?;
            if !self.is_registered(queue, worker).await? {
                // A registration that is under way may have entered its counts after the first look. If it enters them
                // later still, it will look itself.
                self.counts_of(&scripts::UNREGISTER, queue, worker).await?;
            }
            Ok(())
        };
        all_left.await.map_err(RedisError::after_a_change)
    }

    /// Notes in a worker's record what it did on a queue that it left, and takes it off the list after its last one.
    async fn unregister_in_record(&self, root: &str, worker: &[u8], args: &[&[u8]]) -> Result<(), RedisError> {
        let record = vec![worker_record(root, worker)];
        let no_queue = QueueKeys::default();
        let left = self.run_with(&scripts::UNREGISTER_IN_RECORD, &no_queue, record, args);
        if left.await?.flag()? {
            let list = workers_below(root);
            self.redis.command("ZREM", &[list.as_bytes(), worker]).await?;
            // It may have registered elsewhere in between. Registering writes the record before the list, so whatever
            // comes in between now finds the worker in the list or enters it there.
            let record = worker_record(root, worker);
            let back = self.redis.command("EXISTS", &[record.as_bytes()]).await?;
            if ReplyReader::new(back).flag()? {
                self.enter(root, worker).await?;
            }
        }
        Ok(())
    }

    /// The workers that are registered on some queue below no root. One command, in a time that does not grow with their number.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn workers(&self) -> Result<NameList, RedisError> {
        self.list_names(WORKERS.name()).await
    }

    /// Runs a script that gives a worker's counts on a queue, in all of its partitions. Gives how many jobs the worker has processed
    /// and failed.
    async fn counts_of(&self, script: &Script, queue: &QueueName, worker: &[u8]) -> Result<(u64, u64), RedisError> {
        let (mut processed, mut failed, mut partition) = (0, 0, 0);
        while partition == 0 || partition < self.layout(queue).extent {
            let mut reply = self.run_in(script, queue, partition, &[worker]).await?;
            processed += reply.optional_count()?.unwrap_or(0);
            failed += reply.optional_count()?.unwrap_or(0);
            partition += 1;
        }
        Ok((processed, failed))
    }

    /// A queue's counts and its workers. One command for each partition.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn queue_workers(&self, queue: &QueueName) -> Result<QueueWorkers, RedisError> {
        let max_workers = NameList::MAX_NAMES.to_string();
        let args = [max_workers.as_bytes()];
        let mut reply = self.run_in(&scripts::QUEUE_WORKERS, queue, 0, &args).await?;
        let mut all = QueueWorkers {
            processed: reply.optional_count()?,
            failed: reply.optional_count()?,
            workers: reply.all_bytes()?,
        };
        for partition in 1..self.layout(queue).extent {
            let mut reply = self.run_in(&scripts::QUEUE_WORKERS, queue, partition, &[b"0"]).await?;
            all.processed = sum(all.processed, reply.optional_count()?);
            all.failed = sum(all.failed, reply.optional_count()?);
        }
        Ok(all)
    }

    /// What is known of a worker on the queues below a root that somebody sees, `None` when it is registered on none of them. What it did on
    /// queues that it has left counts only where it is registered on none that is not seen. One command, and one for each
    /// partition of its queues.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn worker(
        &self,
        root: &str,
        id: &[u8],
        sees: impl Fn(QueueName) -> bool,
    ) -> Result<Option<Worker>, RedisError> {
        let record = worker_record(root, id);
        let record = self.redis.command("HGETALL", &[record.as_bytes()]).await?;
        let (mut worker, mut left) = (Worker::default(), Worker::default());
        let (mut is_seen, mut is_elsewhere) = (false, false);
        let mut reply = ReplyReader::new(record);
        while !reply.is_empty() {
            let field = reply.bytes()?;
            let value = reply.count()?;
            match &field[..] {
                b"started" => worker.started = value,
                b"processed" => left.processed = value,
                b"failed" => left.failed = value,
                queue => {
                    let name = queue.strip_prefix(QUEUE_FIELD.as_bytes());
                    let Some(Ok(queue)) = name.map(QueueName::new) else {
                        return Err(RedisError::Unexpected("an unknown field of a worker's record".into()));
                    };
                    if !sees(queue.clone()) {
                        is_elsewhere = true;
                        continue;
                    }
                    is_seen = true;
                    let (processed, failed) = self.counts_of(&scripts::WORKER_COUNTS, &queue, id).await?;
                    worker.processed += processed;
                    worker.failed += failed;
                }
            }
        }
        if !is_elsewhere {
            worker.processed += left.processed;
            worker.failed += left.failed;
        }
        Ok(Some(worker).filter(|worker| worker.started > 0 && (is_seen || !is_elsewhere)))
    }
}

fn field(queue: &QueueName) -> String {
    format!("{QUEUE_FIELD}{}", queue.stored())
}
