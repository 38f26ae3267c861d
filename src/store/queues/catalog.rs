//! The catalog of queues, kept beside the queues themselves: other keys, so other commands.
//!
//! All is told apart by time, that of the queue's server. The catalog holds each queue with the time of the script for which it
//! was entered, and the queue's field `cataloged` holds the same: for an hour after that, inserts need not look at the catalog. Then one
//! enters the queue anew, since a failover of the catalog's server may have lost it there. A
//! deletion removes the field, and takes out of the catalog what is from before it. The time of the last deletion is the
//! queue's generation, and what is entered later has a later time.
//! So whatever order an insert and a deletion come in, however late either writes, and wherever either breaks off, a queue
//! with jobs is in the catalog or its next insert enters it; all that can be left over is an empty queue in the catalog.

use crate::queue::QueueName;
use crate::store::redis::{CATALOG, Effect, OVERVIEW, QueueKeys, Redis, RedisError, Store, scripts};

/// The first names of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameList {
    /// How many names the list has.
    pub size: u64,
    /// The first of them, at most [`NameList::MAX_NAMES`], sorted.
    pub names: Vec<Vec<u8>>,
}

impl NameList {
    /// How many names are listed at most.
    pub const MAX_NAMES: usize = 10_000;
}

/// What scripts reply in place of a time when the queue is in the catalog.
const IS_CATALOGED: i64 = -1;

impl<R: Redis> Store<R> {
    /// The queues in the catalog. One command, in a time that does not grow with their number.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn queues(&self) -> Result<NameList, RedisError> {
        self.list_names(CATALOG.name()).await
    }

    /// Those queues of the catalog that somebody sees, by the names that they see. One command for each
    /// [`NameList::MAX_NAMES`] queues that there are.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn queues_seen(&self, see: impl Fn(QueueName) -> Option<QueueName>) -> Result<NameList, RedisError> {
        let seen = |stored| see(QueueName::new(stored).ok()?).map(|name| name.as_str().as_bytes().to_vec());
        let mut listed = NameList::default();
        for page in 0.. {
            let all = self.page_of_names(CATALOG.name(), page).await?;
            let is_last = all.names.len() < NameList::MAX_NAMES;
            listed.names.extend(all.names.into_iter().filter_map(seen));
            if is_last {
                break;
            }
        }
        // A queue that was entered meanwhile can be on two pages.
        listed.names.sort_unstable();
        listed.names.dedup();
        listed.size = listed.names.len() as u64;
        listed.names.truncate(NameList::MAX_NAMES);
        Ok(listed)
    }

    /// The first names of a list.
    pub(in crate::store) async fn list_names(&self, list: &str) -> Result<NameList, RedisError> {
        let mut listed = self.page_of_names(list, 0).await?;
        // The catalog has them in the order in which they were entered.
        listed.names.sort_unstable();
        Ok(listed)
    }

    /// Names of a list, in its order: [`NameList::MAX_NAMES`] on each page but the last.
    async fn page_of_names(&self, list: &str, page: usize) -> Result<NameList, RedisError> {
        let max_names = NameList::MAX_NAMES.to_string();
        let passed_over = (page * NameList::MAX_NAMES).to_string();
        let list = vec![list.to_owned()];
        let args = [passed_over.as_bytes(), max_names.as_bytes()];
        let no_queue = QueueKeys::default();
        let reply = self.run_with(&scripts::LIST_NAMES, &no_queue, list, &args);
        let mut reply = reply.await?;
        Ok(NameList {
            size: reply.count()?,
            names: reply.all_bytes()?,
        })
    }

    /// Enters a queue in the catalog when a script says that it is not there: `time` is that script's word.
    ///
    /// The job is in already, and a client that got an error here would send it again: an entry that fails is made up for
    /// by the queue's next insert.
    pub(in crate::store) async fn enter_in_catalog(&self, queue: &QueueName, partition: u8, time: i64) {
        if time == IS_CATALOGED {
            return;
        }
        // A connection that broke is opened anew: the second try mends most of what can go wrong with the first. A server that is away
        // has been asked often enough.
        if let Err(error) = self.try_to_enter(queue, partition, time).await
            && error.effect() == Effect::Unknown
        {
            let _ = self.try_to_enter(queue, partition, time).await;
        }
    }

    async fn try_to_enter(&self, queue: &QueueName, partition: u8, time: i64) -> Result<(), RedisError> {
        if partition == 0 {
            return self.enter_at(queue, time).await;
        }
        // All entries have times of partition 0, which is deleted first: this queue is in the catalog, or is entered anew, unless
        // the further partition is about to be deleted too.
        let time_of_queue = self.run(&scripts::ENTER_PARTITION, queue, &[]).await?.integer()?;
        if time_of_queue != IS_CATALOGED {
            self.enter_at(queue, time_of_queue).await?;
        }
        let keys = QueueKeys::partition(queue, partition);
        let time = time.to_string();
        self.run_with(&scripts::MARK_CATALOGED, &keys, Vec::new(), &[time.as_bytes()])
            .await?;
        Ok(())
    }

    async fn enter_at(&self, queue: &QueueName, time: i64) -> Result<(), RedisError> {
        let (name, number) = (queue.stored().as_bytes(), time.to_string());
        let entry = [CATALOG.name().as_bytes(), b"GT", number.as_bytes(), name];
        self.redis.command("ZADD", &entry).await?;
        let mut marked = self.run(&scripts::MARK_CATALOGED, queue, &[number.as_bytes()]).await?;
        if !marked.flag()? {
            // Deleted in between, with the job. It may have left the catalog before it was entered.
            self.remove_from_catalog(queue, time).await?;
        }
        Ok(())
    }

    /// Takes a queue out of the catalog, unless it was entered later than this.
    pub(in crate::store) async fn remove_from_catalog(&self, queue: &QueueName, time: i64) -> Result<(), RedisError> {
        let time = time.to_string();
        let args = [queue.stored().as_bytes(), time.as_bytes()];
        self.run(&scripts::REMOVE_FROM_CATALOG, queue, &args).await?;
        // What overviews remember goes by itself where nobody looks, so it does not matter when this fails.
        let entry = [OVERVIEW.name().as_bytes(), queue.stored().as_bytes()];
        let _ = self.redis.command("HDEL", &entry).await;
        Ok(())
    }
}
