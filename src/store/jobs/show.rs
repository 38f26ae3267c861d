//! Show: one job, or those of one state, without changing them.

use super::MAX_BYTES;
use super::job::Job;
use crate::queue::{JobId, QueueName, State};
use crate::store::redis::{Redis, RedisError, Store, scripts};

/// A page without payloads ends when Redis has read so many bytes of them: it does nothing else meanwhile.
const MAX_BYTES_READ: usize = 32 * 1024 * 1024;

/// A request for a page of jobs.
#[derive(Clone, Copy, Debug)]
pub struct ListJobs<'a> {
    /// Whose jobs. Need not exist.
    pub queue: &'a QueueName,
    /// In which state.
    pub state: State,
    /// How many at most, from 1 to [`ListJobs::MAX_JOBS`].
    pub max_jobs: usize,
    /// The last job of the page before, `None` for the first page.
    pub after: Option<&'a Cursor>,
    /// Whether their payloads are wanted. Then there are fewer when they are large: no more than 4 MiB, or one.
    pub has_payloads: bool,
}

impl ListJobs<'_> {
    /// How many jobs a page may have.
    pub const MAX_JOBS: usize = 200;
}

/// A page of jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct JobPage {
    /// The jobs, in their order in their state.
    pub jobs: Vec<Job>,
    /// Whether there are more after these.
    pub has_more: bool,
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last job's position: [`Job::position`].
    pub position: i64,
    /// The last job.
    pub id: JobId,
}

impl<R: Redis> Store<R> {
    /// All that is known of a job, `None` when there is none. One command.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn job(&self, queue: &QueueName, id: &JobId) -> Result<Option<Job>, RedisError> {
        let mut reply = self.run(&scripts::SHOW, queue, &[id.as_bytes()]).await?;
        if reply.is_empty() {
            return Ok(None);
        }
        Job::read(&mut reply).map(Some)
    }

    /// The next page of jobs in one state, in their order there: ready ones as they would be claimed, the others by
    /// their time. One command; one more for each 1,000 jobs in a row whose records are gone.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn jobs(&self, page: ListJobs<'_>) -> Result<JobPage, RedisError> {
        let max_jobs = page.max_jobs.clamp(1, ListJobs::MAX_JOBS).to_string();
        let position = page.after.map(|cursor| cursor.position.to_string()).unwrap_or_default();
        let max_bytes = if page.has_payloads { MAX_BYTES } else { MAX_BYTES_READ }.to_string();
        let args = [
            page.state.name().as_bytes(),
            max_jobs.as_bytes(),
            position.as_bytes(),
            page.after.map(|cursor| cursor.id.as_bytes()).unwrap_or_default(),
            if page.has_payloads { b"1" } else { b"" },
            max_bytes.as_bytes(),
        ];
        loop {
            let mut reply = self.run(&scripts::PAGE, page.queue, &args).await?;
            let has_more = reply.flag()?;
            let jobs = Job::read_all(&mut reply)?;
            if !jobs.is_empty() || !has_more {
                return Ok(JobPage { jobs, has_more });
            }
        }
    }
}
