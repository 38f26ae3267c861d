//! The lists that span queues: of the queues themselves, and of the workers.

use super::Store;
use super::keys::{QUEUES, WORKERS};
use super::redis::{Redis, RedisError};
use super::reply::Reader;
use super::script::{Script, script};

static SCRIPT: Script = script!("list.lua");

/// The first names of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// How many names the list has.
    pub size: u64,
    /// The first of them, at most [`Listed::MOST`].
    pub names: Vec<Vec<u8>>,
}

impl Listed {
    /// The most names that are listed.
    pub const MOST: usize = 10_000;
}

impl<R: Redis> Store<R> {
    /// The queues that have had a job. One command, in a time that does not grow with their number.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn queues(&self) -> Result<Listed, RedisError> {
        self.list(QUEUES).await
    }

    /// The workers that are registered on some queue. One command, in a time that does not grow with their number.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn workers(&self) -> Result<Listed, RedisError> {
        self.list(WORKERS).await
    }

    async fn list(&self, key: &str) -> Result<Listed, RedisError> {
        let most = Listed::MOST.to_string();
        let mut reply = Reader::new(SCRIPT.run(&self.redis, &[key.to_owned()], &[most.as_bytes()]).await?);
        Ok(Listed {
            size: reply.count()?.unwrap_or(0),
            names: reply.all_bytes()?,
        })
    }
}
