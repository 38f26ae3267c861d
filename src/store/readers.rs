//! Readers: they stay, and are sent a queue's jobs as they come. `shared/reader_keys.lua` and `docs/restmq.md` tell how.

use super::Store;
use super::fetch::ROOM;
use super::keys::QueueKeys;
use super::redis::{Redis, RedisError};
use super::reply::Reader as Reply;
use super::script::{Script, script};
use crate::queue::QueueName;
use std::time::Duration;

static JOIN: Script = script!(
    "join.lua",
    keys,
    reader_keys,
    clock,
    job,
    run,
    settings,
    places,
    release,
    forget,
    endings,
    counts,
    receipt,
    readers,
    past,
    mail,
    absent,
    await
);

static COLLECT: Script = script!(
    "collect.lua",
    keys,
    reader_keys,
    clock,
    later,
    job,
    run,
    options,
    settings,
    rules,
    places,
    release,
    forget,
    endings,
    counts,
    receipt,
    holds,
    take,
    lease,
    readers,
    past,
    mail,
    absent,
    share_out,
    events,
    await,
    full
);

static PART: Script = script!(
    "part.lua",
    keys,
    reader_keys,
    clock,
    later,
    job,
    run,
    options,
    settings,
    rules,
    places,
    release,
    forget,
    endings,
    counts,
    receipt,
    holds,
    take,
    lease,
    readers,
    past,
    mail,
    share_out,
    wake,
    full
);

static RING: Script = script!("ring.lua");

/// How long a reader waits between two looks into its mail: it is forgotten after twelve seconds. With the wait itself and a
/// PING, that is three commands in so many seconds.
const ROUND: Duration = Duration::from_secs(5);

/// A reader of a queue, from [`Store::join`] on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    queue: QueueName,
    id: String,
    generation: String,
}

/// What a reader reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReaderKind {
    /// Jobs, and nothing that tells which it got.
    Plain,
    /// An event stream, whose reader may come back when it was cut off. What its queue sends is kept for that from the
    /// first of them on.
    Events {
        /// The number of the job that it got last, where it was cut off.
        last: Option<u64>,
    },
}

impl Reader {
    /// The most readers that one queue can have.
    pub const MOST: usize = 1000;
}

/// A job in a reader's mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The job's number in its queue.
    pub number: u64,
    /// Its bytes.
    pub payload: Vec<u8>,
    /// As [`NewJob::is_text`](super::NewJob::is_text).
    pub is_text: bool,
    /// What tells that it was sent. `None` for one that was sent to others while the reader was cut off.
    pub entry: Option<Entry>,
}

/// Names a job in a reader's mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry(Vec<u8>);

/// What a reader finds when it looks into its mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mail {
    /// Jobs to send, in this order.
    Letters {
        /// The first of its mail; none when there is nothing.
        letters: Vec<Letter>,
        /// When there may be a job without an insert: zero for at once, `None` for never.
        look_again: Option<Duration>,
        /// Whether there are jobs, and another reader must be sent its mail before.
        blocked: bool,
    },
    /// The queue was deleted since the reader came. There is no such reader any more.
    Ended,
}

impl<R: Redis> Store<R> {
    /// A reader comes to a queue, which need not be there. `None` when there are [`Reader::MOST`] already.
    ///
    /// An event stream that was cut off is told what was sent after that to those who got its `last` job, as far as that is
    /// still known: 1000 jobs and 1 MiB of ten minutes. What they were not sent yet comes to it, too.
    ///
    /// One command.
    ///
    /// # Errors
    /// [`RedisError`]. A reader that was made by that is forgotten after twelve seconds.
    pub async fn join(&self, queue: &QueueName, kind: ReaderKind) -> Result<Option<(Reader, Vec<Letter>)>, RedisError> {
        let keys = QueueKeys::new(queue).with_readers();
        let (events, last) = match kind {
            ReaderKind::Plain => ("", None),
            ReaderKind::Events { last } => ("1", last),
        };
        let last = last.map(|number| number.to_string()).unwrap_or_default();
        let most = Reader::MOST.to_string();
        let args = [most.as_bytes(), events.as_bytes(), last.as_bytes()];
        let mut reply = Reply::new(JOIN.run(&self.redis, &keys, &args).await?);
        let id = reply.text()?.unwrap_or_default();
        let generation = reply.integer()?.to_string();
        if id.is_empty() {
            return Ok(None);
        }
        let mut missed = Vec::new();
        while !reply.is_empty() {
            missed.push(Letter {
                entry: None,
                number: reply.count()?.unwrap_or(0),
                is_text: reply.integer()? == 1,
                payload: reply.bytes()?,
            });
        }
        let queue = queue.clone();
        Ok(Some((Reader { queue, id, generation }, missed)))
    }

    /// A reader says that it is there, and which jobs it was sent; and looks into its mail. It must do so every few seconds.
    /// Until it says that it was sent a job, it is given the job again. It is given at most so many jobs (0: it only says
    /// that it is there), and no more once there are 4 MiB of them.
    ///
    /// One command, and one more where others have mail by that.
    ///
    /// # Errors
    /// [`RedisError`]. To repeat it does no harm.
    pub async fn collect(&self, reader: &Reader, sent: &[Entry], most: usize) -> Result<Mail, RedisError> {
        let keys = QueueKeys::new(&reader.queue).with_readers();
        let wait = (ROUND + Duration::from_secs(1)).as_millis().to_string();
        let (most, room) = (most.to_string(), ROOM.to_string());
        let mut args = vec![
            reader.id.as_bytes(),
            reader.generation.as_bytes(),
            wait.as_bytes(),
            most.as_bytes(),
            room.as_bytes(),
        ];
        args.extend(sent.iter().map(|entry| &entry.0[..]));
        let mut reply = Reply::new(COLLECT.run(&self.redis, &keys, &args).await?);
        if reply.one_of(&[("mail", false), ("ended", true)])? {
            return Ok(Mail::Ended);
        }
        let look_again = reply.count()?.map(Duration::from_millis);
        let blocked = reply.integer()? == 1;
        let mut others = Vec::new();
        for _ in 0..reply.count()?.unwrap_or(0) {
            others.push(reply.bytes()?);
        }
        let mut letters = Vec::new();
        while !reply.is_empty() {
            letters.push(Letter {
                entry: Some(Entry(reply.bytes()?)),
                number: reply.count()?.unwrap_or(0),
                is_text: reply.integer()? == 1,
                payload: reply.bytes()?,
            });
        }
        self.ring(&reader.queue, &others).await;
        Ok(Mail::Letters {
            letters,
            look_again,
            blocked,
        })
    }

    /// A reader goes. What it was not sent goes to the others.
    ///
    /// One command, and one more where others have mail by that.
    ///
    /// # Errors
    /// [`RedisError`]. The reader is forgotten after twelve seconds in any case.
    pub async fn part(&self, reader: &Reader, sent: &[Entry]) -> Result<(), RedisError> {
        let keys = QueueKeys::new(&reader.queue).with_readers();
        let mut args = vec![reader.id.as_bytes()];
        args.extend(sent.iter().map(|entry| &entry.0[..]));
        let others = Reply::new(PART.run(&self.redis, &keys, &args).await?).all_bytes()?;
        self.ring(&reader.queue, &others).await;
        Ok(())
    }

    /// Waits until a reader may have mail, at most for this time, and at most for a few seconds. One that is `blocked` waits
    /// for the reader that blocks it, and leaves new jobs to others.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn wait_for_mail(&self, reader: &Reader, most: Duration, blocked: bool) -> Result<(), RedisError> {
        let keys = QueueKeys::new(&reader.queue);
        // A millisecond more: told 0, Redis would wait for ever.
        let most = most.min(ROUND) + Duration::from_millis(1);
        let seconds = format!("{:.3}", most.as_secs_f64());
        let (bell, wake) = (keys.bell(&reader.id), keys.wake());
        let mut args = vec![bell.as_bytes()];
        if !blocked {
            args.push(wake.as_bytes());
        }
        args.push(seconds.as_bytes());
        self.redis.blocking("BLPOP", &args, most).await?;
        Ok(())
    }

    /// Wakes readers. One that is not woken looks by itself within seconds.
    pub(super) async fn ring(&self, queue: &QueueName, readers: &[Vec<u8>]) {
        let keys = QueueKeys::new(queue);
        let bells: Vec<String> = readers
            .iter()
            .map(|reader| keys.bell(&String::from_utf8_lossy(reader)))
            .collect();
        if !bells.is_empty() {
            let _ = RING.run(&self.redis, &bells, &[]).await;
        }
    }
}
