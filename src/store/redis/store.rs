//! The store itself. Its operations stand in the rooms above.

use super::layout::{Hints, Layout};
use super::{JOBS, QueueKeys, Redis, RedisError, Reply, ReplyReader, Script, scripts};
use crate::queue::{JobId, QueueName};
use std::sync::Arc;

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
    pub(in crate::store) hints: Hints,
}

impl<R: Redis> Store<R> {
    /// A store on this Redis. Nothing is sent until the first operation. Stores that are made in one thread share what they
    /// know of the partitions of queues.
    pub fn new(redis: R) -> Self {
        Self {
            redis,
            hints: Hints::of_instance(),
        }
    }

    /// A store that knows of no queue's partitions, and keeps what it learns to itself, as that of another instance does.
    pub fn apart(redis: R) -> Self {
        Self {
            redis,
            hints: Hints::default(),
        }
    }

    /// Takes a line for the operator's log. What Redis answers with an error is there already; a reply that could not be read is not.
    pub(crate) fn log(&self, line: &str) {
        self.redis.log(line);
    }

    /// What is known of the partitions of a queue: a hint.
    pub(in crate::store) fn layout(&self, queue: &QueueName) -> Arc<Layout> {
        // Nearly always, and then no key need be made.
        if self.hints.is_empty() {
            return Layout::of_one_partition();
        }
        self.hints.layout(QueueKeys::new(queue).owner().1)
    }

    /// Runs a script on a queue; on its partition 0 where it has several.
    pub(in crate::store) async fn run(
        &self,
        script: &Script,
        queue: &QueueName,
        args: &[&[u8]],
    ) -> Result<ReplyReader, RedisError> {
        self.run_with(script, &QueueKeys::new(queue), Vec::new(), args).await
    }

    /// Runs a script that is about one job, in the partition that the job is in.
    pub(in crate::store) async fn run_where(
        &self,
        script: &Script,
        queue: &QueueName,
        job: &JobId,
        args: &[&[u8]],
    ) -> Result<ReplyReader, RedisError> {
        let keys = QueueKeys::partition(queue, job.partition());
        self.run_with(script, &keys, Vec::new(), args).await
    }

    /// Runs a script that says where the queue has partitions, each time, on one of them. Where partition 0 says nothing there are
    /// none, and what is known of others is forgotten: so a script that does not end each reply with `tell_layout` must be run by
    /// `run_with`.
    pub(in crate::store) async fn run_in(
        &self,
        script: &Script,
        queue: &QueueName,
        partition: u8,
        args: &[&[u8]],
    ) -> Result<ReplyReader, RedisError> {
        let keys = QueueKeys::partition(queue, partition);
        self.run_in_with(script, &keys, Vec::new(), args).await
    }

    /// The same, on keys of this call, too.
    pub(in crate::store) async fn run_in_with(
        &self,
        script: &Script,
        queue: &QueueKeys,
        call_keys: Vec<String>,
        args: &[&[u8]],
    ) -> Result<ReplyReader, RedisError> {
        let (reply, has_layout) = self.run_noting(script, queue, call_keys, args).await?;
        match queue.owner() {
            (0, name) if !has_layout => self.hints.forget(name),
            (partition, name) if !has_layout => self.hints.note_behind(name, partition),
            _ => {}
        }
        Ok(reply)
    }

    /// Runs a script on a queue and on keys of this call alone.
    pub(in crate::store) async fn run_with(
        &self,
        script: &Script,
        queue: &QueueKeys,
        call_keys: Vec<String>,
        args: &[&[u8]],
    ) -> Result<ReplyReader, RedisError> {
        Ok(self.run_noting(script, queue, call_keys, args).await?.0)
    }

    /// Runs a script and sees to its notes. Whether one of them said where the queue has partitions.
    async fn run_noting(
        &self,
        script: &Script,
        queue: &QueueKeys,
        call_keys: Vec<String>,
        args: &[&[u8]],
    ) -> Result<(ReplyReader, bool), RedisError> {
        let mut reply = script.run(&self.redis, queue, call_keys, args).await?;
        let mut has_layout = false;
        // Scripts put notes in front of their replies, which never begin with a status otherwise.
        while let Some(Reply::Status(note)) = reply.first() {
            // `tell_orphans` of `lua/orphan.lua`.
            if let Some(count) = note.strip_prefix("orphans ") {
                let jobs = queue.key(JOBS.name());
                self.redis.log(&format!(
                    "dropped jobs whose records were gone from {jobs} (Redis evicted them, or somebody removed them): {count}"
                ));
            }
            // `tell_layout` of `lua/partition.lua`.
            if let Some(layout) = note.strip_prefix("partitions ") {
                let (partition, name) = queue.owner();
                self.hints.learn_note(name, partition, layout);
                has_layout = true;
            }
            // `tell_sweep` of `lua/sweep.lua`. When it fails, the next insert asks again.
            if note == "sweep" {
                let _ = scripts::SWEEP.run(&self.redis, queue, Vec::new(), &[]).await;
            }
            reply.remove(0);
        }
        Ok((ReplyReader::new(reply), has_layout))
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{read_dir, read_to_string};
    use std::path::Path;

    /// The files of the store, by their paths.
    fn read_all(folder: &Path, all: &mut Vec<(String, String)>) {
        for entry in read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read_all(&path, all);
            } else {
                all.push((path.display().to_string(), read_to_string(&path).unwrap()));
            }
        }
    }

    fn files(ending: &str) -> Vec<(String, String)> {
        let mut all = Vec::new();
        read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store"), &mut all);
        all.retain(|(path, _)| path.ends_with(ending));
        all
    }

    /// The scripts that `run_in` and `run_in_with` run. One that is chosen before is named here.
    fn run_in() -> Vec<String> {
        let mut names: Vec<String> = ["insert", "insert_unique", "insert_failed"].map(str::to_owned).into();
        for (_, text) in files(".rs") {
            for call in ["run_in(", "run_in_with("] {
                for (at, _) in text.match_indices(call) {
                    let Some(after) = text[at + call.len()..].trim_start().strip_prefix("&scripts::") else {
                        continue;
                    };
                    let end = after.find(|c: char| !(c.is_ascii_uppercase() || c == '_')).unwrap();
                    names.push(after[..end].to_lowercase());
                }
            }
        }
        names
    }

    #[test]
    fn a_script_that_run_in_runs_says_in_each_reply_where_the_queue_has_partitions() {
        let (names, scripts) = (run_in(), files(".lua"));
        assert!(names.len() > 25, "{names:?}");
        for name in names {
            let is_it = |(path, _): &&(String, String)| path.ends_with(&format!("/{name}.lua"));
            let (_, text) = scripts.iter().find(is_it).unwrap();
            // A queue that does not exist has none.
            let says = [
                "return tell_layout(",
                "return {}",
                "return {-1, had_jobs}",
                "return insert(",
            ];
            for line in text.lines().map(str::trim_start) {
                let is_reply = line.starts_with("return {") || line.starts_with("return tell_");
                let is_insert = line.starts_with("return tell_orphans(insert(");
                let is_said = is_insert || says.iter().any(|says| line.starts_with(says));
                assert!(!is_reply || is_said, "{name}: {line}");
            }
        }
    }

    #[test]
    fn what_is_set_for_a_queue_and_what_answers_an_insert_is_waited_for() {
        for (path, text) in files(".lua") {
            let is_promise =
                text.contains("redis.call('HSET', META, 'settings'") || text.contains("replay(fingerprint");
            assert!(!is_promise || !text.contains("\n-- @promises nothing\n"), "{path}");
        }
    }
}
