//! Subscribers: they stay, and are sent a queue's jobs as they come. `lua/subscriber.lua`, `lua/delivery.lua` and
//! `docs/restmq.md` say how.

use crate::queue::QueueName;
use crate::store::jobs::MAX_BYTES;
use crate::store::redis::{QueueKeys, Redis, RedisError, Store, WAKEUP, scripts};
use std::time::Duration;

/// How long a subscriber waits between two polls. It is forgotten when it has not polled for twelve seconds. A poll, a BLPOP
/// and a PING: three commands in this time.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// A subscriber of a queue, from [`Store::subscribe`] on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscriber {
    queue: QueueName,
    id: String,
    generation: String,
    /// `1` for an event stream, else empty.
    events: &'static str,
}

/// What a subscriber reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriberKind {
    /// Jobs, and nothing that says which ones it got.
    Plain,
    /// An event stream, whose reader may come back when it was cut off. What its queue sends is kept for that from the
    /// first of them on.
    Events {
        /// The number of the job that it got last, where it was cut off.
        last: Option<u64>,
    },
}

impl Subscriber {
    /// How many subscribers one queue can have.
    pub const MAX_PER_QUEUE: usize = 1000;
}

/// A job that is to be sent to a subscriber.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The job's number in its queue.
    pub number: u64,
    /// Its bytes.
    pub payload: Vec<u8>,
    /// As [`NewJob::is_text`](super::NewJob::is_text).
    pub is_text: bool,
    /// What confirms that it was sent. `None` for one that was sent to others while the subscriber was cut off.
    pub id: Option<DeliveryId>,
}

/// Names a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryId(Vec<u8>);

/// What a subscriber gets when it polls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inbox {
    /// Jobs to send, in this order.
    Open {
        /// The first of its deliveries; none when there is nothing.
        deliveries: Vec<Delivery>,
        /// When there may be a job without an insert: zero for at once, `None` for never.
        next_event: Option<Duration>,
        /// Whether there are jobs, and another subscriber must be sent its deliveries first.
        is_blocked: bool,
    },
    /// The queue was deleted since the subscriber came. There is no such subscriber any more.
    Ended,
}

impl<R: Redis> Store<R> {
    /// A subscriber comes to a queue, which need not exist. `None` when there are [`Subscriber::MAX_PER_QUEUE`] already.
    ///
    /// An event stream that was cut off gets what was sent after its `last` job to the subscribers that got that job, as far
    /// as it is still kept: 1000 jobs and 1 MiB of ten minutes. What they were not sent yet comes to it, too.
    ///
    /// One command.
    ///
    /// # Errors
    /// [`RedisError`]. A subscriber that was made all the same is forgotten after twelve seconds.
    pub async fn subscribe(
        &self,
        queue: &QueueName,
        kind: SubscriberKind,
    ) -> Result<Option<(Subscriber, Vec<Delivery>)>, RedisError> {
        let (events, last) = match kind {
            SubscriberKind::Plain => ("", None),
            SubscriberKind::Events { last } => ("1", last),
        };
        let last = last.map(|number| number.to_string()).unwrap_or_default();
        let max_subscribers = Subscriber::MAX_PER_QUEUE.to_string();
        let args = [max_subscribers.as_bytes(), events.as_bytes(), last.as_bytes()];
        let mut reply = self.run(&scripts::SUBSCRIBE, queue, &args).await?;
        let id = reply.text()?.unwrap_or_default();
        let generation = reply.integer()?.to_string();
        if id.is_empty() {
            return Ok(None);
        }
        let mut missed = Vec::new();
        while !reply.is_empty() {
            missed.push(Delivery {
                id: None,
                number: reply.count()?,
                is_text: reply.flag()?,
                payload: reply.bytes()?,
            });
        }
        let queue = queue.clone();
        let subscriber = Subscriber {
            queue,
            id,
            generation,
            events,
        };
        Ok(Some((subscriber, missed)))
    }

    /// A subscriber says that it is present, and what it was sent; and gets its next deliveries. It must do so every few
    /// seconds. Until it says that it was sent a job, it is given the job again. It is given at most `max_jobs` (0: it only
    /// says that it is present), and no more once there are 4 MiB of them.
    ///
    /// One command, and one more where others have deliveries by that.
    ///
    /// # Errors
    /// [`RedisError`]. Repeating does no harm.
    pub async fn poll(
        &self,
        subscriber: &Subscriber,
        sent: &[DeliveryId],
        max_jobs: usize,
    ) -> Result<Inbox, RedisError> {
        let wait = (POLL_INTERVAL + Duration::from_secs(1)).as_millis().to_string();
        let (max_jobs, max_bytes) = (max_jobs.to_string(), MAX_BYTES.to_string());
        let mut args = vec![
            subscriber.id.as_bytes(),
            subscriber.generation.as_bytes(),
            wait.as_bytes(),
            max_jobs.as_bytes(),
            max_bytes.as_bytes(),
            subscriber.events.as_bytes(),
        ];
        args.extend(sent.iter().map(|delivery| &delivery.0[..]));
        let mut reply = self.run(&scripts::POLL, &subscriber.queue, &args).await?;
        if reply.one_of(&[("inbox", false), ("ended", true)])? {
            return Ok(Inbox::Ended);
        }
        let next_event = reply.optional_count()?.map(Duration::from_millis);
        let is_blocked = reply.flag()?;
        let mut others = Vec::new();
        for _ in 0..reply.count()? {
            others.push(reply.bytes()?);
        }
        let mut deliveries = Vec::new();
        while !reply.is_empty() {
            deliveries.push(Delivery {
                id: Some(DeliveryId(reply.bytes()?)),
                number: reply.count()?,
                is_text: reply.flag()?,
                payload: reply.bytes()?,
            });
        }
        self.notify(&subscriber.queue, &others).await;
        Ok(Inbox::Open {
            deliveries,
            next_event,
            is_blocked,
        })
    }

    /// A subscriber goes. What it was not sent goes to the others.
    ///
    /// One command, and one more where others have deliveries by that.
    ///
    /// # Errors
    /// [`RedisError`]. The subscriber is forgotten after twelve seconds in any case.
    pub async fn unsubscribe(&self, subscriber: &Subscriber, sent: &[DeliveryId]) -> Result<(), RedisError> {
        let mut args = vec![subscriber.id.as_bytes()];
        args.extend(sent.iter().map(|delivery| &delivery.0[..]));
        let others = self.run(&scripts::UNSUBSCRIBE, &subscriber.queue, &args).await?;
        self.notify(&subscriber.queue, &others.all_bytes()?).await;
        Ok(())
    }

    /// Waits until a subscriber may have deliveries, at most for this time, and at most for a few seconds. One that
    /// `is_blocked` waits for the subscriber that blocks it, and leaves new jobs to others.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn wait_for_deliveries(
        &self,
        subscriber: &Subscriber,
        max_wait: Duration,
        is_blocked: bool,
    ) -> Result<(), RedisError> {
        let keys = QueueKeys::new(&subscriber.queue);
        let mut lists = vec![keys.wakeup_of(&subscriber.id)];
        if !is_blocked {
            lists.push(keys.key(WAKEUP.name()));
        }
        self.wait_for_token(&lists, max_wait.min(POLL_INTERVAL)).await?;
        Ok(())
    }
}
