//! Look: at one job, or at those of one state, without changing them. And call one off.

use super::Store;
use super::fetch::ROOM;
use super::job::Job;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};
use crate::queue::{JobId, QueueName, State};

static LOOK: Script = script!("look.lua", keys, clock, job, states, view);
static JOBS: Script = script!("jobs.lua", keys, clock, job, places, states, view);
static REMOVE: Script = script!(
    "remove.lua",
    keys,
    clock,
    job,
    run,
    options,
    settings,
    release,
    forget,
    endings,
    states,
    receipt,
    holds
);

/// A page without payloads ends when Redis has read so many bytes of them: it does nothing else meanwhile.
const READ: usize = 32 * 1024 * 1024;

/// A request for a page of jobs.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Whose jobs. Need not exist.
    pub queue: &'a QueueName,
    /// In which state.
    pub state: State,
    /// How many at most, from 1 to [`Page::MOST`].
    pub most: usize,
    /// The last job of the page before, `None` for the first page.
    pub after: Option<&'a Cursor>,
    /// Whether to tell their payloads. Then there are fewer when they are large: no more than 4 MiB, or one.
    pub payload: bool,
}

impl Page<'_> {
    /// The most jobs of one page.
    pub const MOST: usize = 200;
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
    /// The last job's place: [`Job::place`].
    pub place: i64,
    /// The last job.
    pub id: JobId,
}

/// What became of a job that was to be called off.
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
        let keys = QueueKeys::new(queue).all();
        let mut reply = Reader::new(LOOK.run(&self.redis, &keys, &[id.as_str().as_bytes()]).await?);
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
        let keys = QueueKeys::new(page.queue).all();
        let most = page.most.clamp(1, Page::MOST).to_string();
        let place = page.after.map(|cursor| cursor.place.to_string()).unwrap_or_default();
        let room = if page.payload { ROOM } else { READ }.to_string();
        let args = [
            page.state.name().as_bytes(),
            most.as_bytes(),
            place.as_bytes(),
            page.after
                .map(|cursor| cursor.id.as_str())
                .unwrap_or_default()
                .as_bytes(),
            if page.payload { b"1" } else { b"" },
            room.as_bytes(),
        ];
        let mut reply = Reader::new(JOBS.run(&self.redis, &keys, &args).await?);
        let more = reply.integer()? == 1;
        let jobs = Job::read_all(&mut reply)?;
        Ok(Jobs { jobs, more })
    }

    /// Calls a job off, or forgets one that is done or dead. One command.
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn remove(&self, queue: &QueueName, id: &JobId) -> Result<Removed, RedisError> {
        let keys = QueueKeys::new(queue).all();
        let mut reply = Reader::new(REMOVE.run(&self.redis, &keys, &[id.as_str().as_bytes()]).await?);
        reply.one_of(&[
            ("cancelled", Removed::Cancelled),
            ("removed", Removed::Forgotten),
            ("unknown", Removed::Unknown),
        ])
    }
}
