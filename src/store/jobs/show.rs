//! Show: one job, or those of one state, without changing them. And cancel one.

use super::MAX_BYTES;
use super::job::Job;
use crate::queue::{JobId, QueueName, State};
use crate::store::redis::{Redis, RedisError, Store, scripts};

/// A page without payloads ends when Redis has read so many bytes of them: it does nothing else meanwhile.
const MAX_BYTES_READ: usize = 32 * 1024 * 1024;

/// A request for a page of jobs.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Whose jobs. Need not exist.
    pub queue: &'a QueueName,
    /// In which state.
    pub state: State,
    /// How many at most, from 1 to [`Page::MAX_JOBS`].
    pub max_jobs: usize,
    /// The last job of the page before, `None` for the first page.
    pub after: Option<&'a Cursor>,
    /// Whether their payloads are wanted. Then there are fewer when they are large: no more than 4 MiB, or one.
    pub payload: bool,
}

impl Page<'_> {
    /// How many jobs a page may have.
    pub const MAX_JOBS: usize = 200;
}

/// A page of jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct Jobs {
    /// The jobs, in their order in their state.
    pub jobs: Vec<Job>,
    /// Whether there are more after these.
    pub more: bool,
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last job's position: [`Job::position`].
    pub position: i64,
    /// The last job.
    pub id: JobId,
}

/// What became of a job that was to be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// It was not finished, and will not be handed out any more; or that was so before.
    Cancelled,
    /// It was done or dead, and is forgotten.
    Forgotten,
    /// There is no such job.
    Unknown,
}

impl<R: Redis> Store<R> {
    /// All that is known of a job, `None` when there is none. One command.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn job(&self, queue: &QueueName, id: &JobId) -> Result<Option<Job>, RedisError> {
        let mut reply = self.run(&scripts::SHOW, queue, &[id.as_str().as_bytes()]).await?;
        if reply.is_empty() {
            return Ok(None);
        }
        Job::read(&mut reply).map(Some)
    }

    /// The next page of jobs in one state, in their order there: ready ones as they would be claimed, the others by
    /// their time. One command.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn jobs(&self, page: Page<'_>) -> Result<Jobs, RedisError> {
        let max_jobs = page.max_jobs.clamp(1, Page::MAX_JOBS).to_string();
        let position = page.after.map(|cursor| cursor.position.to_string()).unwrap_or_default();
        let max_bytes = if page.payload { MAX_BYTES } else { MAX_BYTES_READ }.to_string();
        let args = [
            page.state.name().as_bytes(),
            max_jobs.as_bytes(),
            position.as_bytes(),
            page.after
                .map(|cursor| cursor.id.as_str())
                .unwrap_or_default()
                .as_bytes(),
            if page.payload { b"1" } else { b"" },
            max_bytes.as_bytes(),
        ];
        let mut reply = self.run(&scripts::PAGE, page.queue, &args).await?;
        let more = reply.flag()?;
        let jobs = Job::read_all(&mut reply)?;
        Ok(Jobs { jobs, more })
    }

    /// Cancels a job, or forgets one that is done or dead. One command.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn remove(&self, queue: &QueueName, id: &JobId) -> Result<Removed, RedisError> {
        let mut reply = self.run(&scripts::REMOVE, queue, &[id.as_str().as_bytes()]).await?;
        reply.one_of(&[
            ("cancelled", Removed::Cancelled),
            ("removed", Removed::Forgotten),
            ("unknown", Removed::Unknown),
        ])
    }
}
