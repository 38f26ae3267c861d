//! The store itself. Its operations stand in the rooms above.

use super::{JOBS, QueueKeys, Redis, RedisError, Reply, ReplyReader, Script, scripts};
use crate::queue::QueueName;

/// The store: the operations of a job queue on one Redis.
///
/// ```
/// use presque::queue::QueueName;
/// use presque::store::{Claim, Insert, Inserted, NewJob, Store};
/// # use presque::store::{Redis, RedisError, Reply};
/// # use std::time::Duration;
/// # struct Connection(redis::aio::MultiplexedConnection);
/// # fn flatten(value: redis::Value, flat: &mut Vec<Reply>) {
/// #     match value {
/// #         redis::Value::Array(values) => values.into_iter().for_each(|value| flatten(value, flat)),
/// #         redis::Value::Int(number) => flat.push(Reply::Int(number)),
/// #         redis::Value::BulkString(bytes) => flat.push(Reply::Bytes(bytes)),
/// #         _ => flat.push(Reply::Nil),
/// #     }
/// # }
/// # impl Redis for Connection {
/// #     async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
/// #         let reply = redis::cmd(name).arg(args).query_async(&mut self.0.clone()).await;
/// #         let mut flat = Vec::new();
/// #         flatten(reply.map_err(|_| RedisError::NoScript)?, &mut flat);
/// #         Ok(flat)
/// #     }
/// #     async fn blocking(&self, name: &str, args: &[&[u8]], _: Duration) -> Result<Vec<Reply>, RedisError> {
/// #         self.command(name, args).await
/// #     }
/// # }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let server = presque_redis_server::RedisServer::start(folder.path())?;
/// # let client = redis::Client::open(server.url())?;
/// # let connection = Connection(client.get_multiplexed_async_connection().await?);
/// // `connection` is a way to Redis: anything that implements the trait.
/// let store = Store::new(connection);
/// let queue = QueueName::new("mail").expect("a name of a queue");
/// let job = NewJob {
///     payload: br#"{"to":"ann"}"#,
///     ..NewJob::default()
/// };
/// let insert = Insert {
///     queue: &queue,
///     jobs: &[job],
///     failed: None,
///     idempotency: None,
/// };
/// assert!(matches!(store.insert(insert).await?, Inserted::Jobs(_)));
///
/// let claim = Claim {
///     queues: &[queue],
///     max_jobs: 1,
///     lease: None,
///     worker: Some(b"w1"),
///     wait: std::time::Duration::ZERO,
///     acks: &[],
/// };
/// let claimed = store.claim(claim).await?;
/// assert_eq!(claimed.jobs[0].1.payload, br#"{"to":"ann"}"#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Store<R> {
    pub(in crate::store) redis: R,
}

impl<R: Redis> Store<R> {
    /// A store on this Redis. Nothing is sent until the first operation.
    pub fn new(redis: R) -> Self {
        Self { redis }
    }

    /// Takes a line for the operator's log. What Redis answers with an error is there already; a reply that could not be read is not.
    pub(crate) fn log(&self, line: &str) {
        self.redis.log(line);
    }

    /// Runs a script on a queue.
    pub(in crate::store) async fn run(
        &self,
        script: &Script,
        queue: &QueueName,
        args: &[&[u8]],
    ) -> Result<ReplyReader, RedisError> {
        self.run_with(script, &QueueKeys::new(queue), Vec::new(), args).await
    }

    /// Runs a script on a queue and on keys of this call alone.
    pub(in crate::store) async fn run_with(
        &self,
        script: &Script,
        queue: &QueueKeys,
        call_keys: Vec<String>,
        args: &[&[u8]],
    ) -> Result<ReplyReader, RedisError> {
        let mut reply = script.run(&self.redis, queue, call_keys, args).await?;
        // Scripts put notes in front of their replies, which never begin with a status otherwise.
        while let Some(Reply::Status(note)) = reply.first() {
            // `tell_orphans` of `lua/orphan.lua`.
            if let Some(count) = note.strip_prefix("orphans ") {
                let jobs = queue.key(JOBS.name());
                self.redis.log(&format!(
                    "dropped jobs whose records were gone from {jobs} (Redis evicted them, or somebody removed them): {count}"
                ));
            }
            // `tell_sweep` of `lua/sweep.lua`. When it fails, the next insert asks again.
            if note == "sweep" {
                let _ = scripts::SWEEP.run(&self.redis, queue, Vec::new(), &[]).await;
            }
            reply.remove(0);
        }
        Ok(ReplyReader::new(reply))
    }
}
