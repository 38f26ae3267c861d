//! Subscribers: they stay, and are sent a queue's jobs as they come. `lua/subscriber.lua`, `lua/delivery.lua` and
//! `docs/restmq.md` say how.

use crate::queue::{JobId, QueueName};
use crate::store::jobs::MAX_BYTES;
use crate::store::redis::{QueueKeys, Redis, RedisError, Store, WAKEUP, scripts};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a subscriber waits between two polls. It is forgotten when it has not polled for twelve seconds. A poll, a BLPOP
/// and a PING: three commands in this time.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// A subscriber of a queue, from [`Store::subscribe`] on.
#[derive(Clone, Debug)]
pub struct Subscriber {
    queue: QueueName,
    /// `1` for an event stream, else empty.
    events: &'static str,
    /// `1` for an event stream that ends by itself.
    ends: &'static str,
    /// It subscribes to each partition of the queue; to new ones when it learns of them.
    parts: Arc<Mutex<Vec<Part>>>,
}

/// A subscriber of one partition.
#[derive(Clone, Debug)]
struct Part {
    partition: u8,
    id: String,
    generation: String,
    /// The number after which its messages come: what was sent before it came, it has not missed.
    start: u64,
    /// Another subscriber must be sent its deliveries first.
    is_blocked: bool,
    /// What it was sent, and could not say here.
    unconfirmed: Vec<DeliveryId>,
}

/// What a subscriber reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriberKind<'a> {
    /// Jobs, and nothing that says which ones it got.
    Plain,
    /// An event stream, whose reader may come back when it was cut off. What its queue sends is kept for that from the
    /// first of them on.
    Events {
        /// The numbers of the jobs that it got last, one for each partition of the queue, where it was cut off.
        last: &'a [u64],
        /// The stream ends by itself after a time, also when it was sent nothing: then its reader must know what to come back with.
        ends: bool,
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
    /// One command for each partition of the queue.
    ///
    /// # Errors
    /// [`RedisError`]. A subscriber that was made all the same is forgotten after twelve seconds.
    pub async fn subscribe(
        &self,
        queue: &QueueName,
        kind: SubscriberKind<'_>,
    ) -> Result<Option<(Subscriber, Vec<Delivery>)>, RedisError> {
        let (events, last, ends) = match kind {
            SubscriberKind::Plain => ("", &[][..], ""),
            SubscriberKind::Events { last, ends } => ("1", last, if ends { "1" } else { "" }),
        };
        let (mut parts, mut missed) = (Vec::new(), Vec::new());
        let mut partition = 0;
        while partition == 0 || partition < self.layout(queue).span {
            let last = last.iter().find(|number| JobId::partition_of(**number) == partition);
            let Some(part) = self
                .subscribe_to(queue, partition, [events, ends], last, &mut missed)
                .await?
            else {
                return Ok(None);
            };
            parts.push(part);
            partition += 1;
        }
        let subscriber = Subscriber {
            queue: queue.clone(),
            events,
            ends,
            parts: Arc::new(Mutex::new(parts)),
        };
        Ok(Some((subscriber, missed)))
    }

    /// Subscribes to one partition, and adds what was missed there. `None` when there are too many already.
    async fn subscribe_to(
        &self,
        queue: &QueueName,
        partition: u8,
        [events, ends]: [&str; 2],
        last: Option<&u64>,
        missed: &mut Vec<Delivery>,
    ) -> Result<Option<Part>, RedisError> {
        let last = last.map(|number| number.to_string()).unwrap_or_default();
        let max_subscribers = Subscriber::MAX_PER_QUEUE.to_string();
        let args = [&max_subscribers, events, &last, ends].map(str::as_bytes);
        let mut reply = self.run_in(&scripts::SUBSCRIBE, queue, partition, &args).await?;
        let id = reply.text()?.unwrap_or_default();
        let generation = reply.integer()?.to_string();
        let start = reply.count()?.max(JobId::first_number(partition));
        if id.is_empty() {
            return Ok(None);
        }
        while !reply.is_empty() {
            missed.push(Delivery {
                id: None,
                number: reply.count()?,
                is_text: reply.flag()?,
                payload: reply.bytes()?,
            });
        }
        Ok(Some(Part {
            partition,
            id,
            generation,
            start,
            is_blocked: false,
            unconfirmed: Vec::new(),
        }))
    }

    /// A subscriber says that it is present, and what it was sent; and gets its next deliveries. It must do so every few
    /// seconds. Until it says that it was sent a job, it is given the job again. It is given at most `max_jobs` (0: it only
    /// says that it is present), and no more once there are 4 MiB of them.
    ///
    /// One command, and one more where others have deliveries by that; both for each partition of the queue.
    ///
    /// # Errors
    /// [`RedisError`], when there are no deliveries from any partition. Repeating does no harm.
    pub async fn poll(
        &self,
        subscriber: &Subscriber,
        sent: &[DeliveryId],
        max_jobs: usize,
    ) -> Result<Inbox, RedisError> {
        let (mut all, mut next_event, mut is_blocked) = (Vec::new(), None, false);
        let mut bytes = 0;
        let mut failure = self.join_new_partitions(subscriber).await.err();
        let parts = subscriber.parts();
        // Where there is more than it is given, each partition comes first in its turn.
        let start = sent.last().map_or(0, |delivery| usize::from(delivery.partition()) + 1) % parts.len().max(1);
        for at in (start..parts.len()).chain(0..start) {
            let Some(part) = parts.get(at) else { continue };
            let max_bytes = MAX_BYTES.saturating_sub(bytes);
            let max_jobs = if max_bytes == 0 {
                0
            } else {
                max_jobs - all.len().min(max_jobs)
            };
            // Where one partition is away the others are still asked.
            let inbox = match self.poll_in(subscriber, part, sent, max_jobs, max_bytes).await {
                Ok(Some(inbox)) => inbox,
                Ok(None) => return Ok(Inbox::Ended),
                Err(error) => {
                    subscriber.note_unconfirmed(at, sent);
                    failure = failure.or(Some(error));
                    continue;
                }
            };
            subscriber.note_polled(at, inbox.is_blocked);
            bytes += inbox
                .deliveries
                .iter()
                .map(|delivery| delivery.payload.len())
                .sum::<usize>();
            all.extend(inbox.deliveries);
            next_event = next_event.into_iter().chain(inbox.next_event).min();
            is_blocked |= inbox.is_blocked;
        }
        match failure {
            Some(error) if all.is_empty() => return Err(error),
            None if all.is_empty() => self.follow_if_seen(&subscriber.queue).await,
            _ => {}
        }
        Ok(Inbox::Open {
            deliveries: all,
            next_event,
            is_blocked,
        })
    }

    /// Subscribes to the partitions that the queue has got since the subscriber came. It has missed nothing there.
    async fn join_new_partitions(&self, subscriber: &Subscriber) -> Result<(), RedisError> {
        let queue = &subscriber.queue;
        let flags = [subscriber.events, subscriber.ends];
        let (known, span) = (subscriber.parts().len(), usize::from(self.layout(queue).span));
        for partition in (known..span).filter_map(|partition| u8::try_from(partition).ok()) {
            let part = self
                .subscribe_to(queue, partition, flags, None, &mut Vec::new())
                .await?;
            let Some(part) = part else { break };
            subscriber.lock().push(part);
        }
        Ok(())
    }

    /// Polls one partition. `None` when the queue was deleted.
    async fn poll_in(
        &self,
        subscriber: &Subscriber,
        part: &Part,
        sent: &[DeliveryId],
        max_jobs: usize,
        max_bytes: usize,
    ) -> Result<Option<PartInbox>, RedisError> {
        let wait = (POLL_INTERVAL + Duration::from_secs(1)).as_millis().to_string();
        let (max_jobs, max_bytes) = (max_jobs.to_string(), max_bytes.to_string());
        let mut args = vec![
            part.id.as_bytes(),
            part.generation.as_bytes(),
            wait.as_bytes(),
            max_jobs.as_bytes(),
            max_bytes.as_bytes(),
            subscriber.events.as_bytes(),
        ];
        args.extend(part.own(sent));
        let queue = &subscriber.queue;
        let mut reply = self.run_in(&scripts::POLL, queue, part.partition, &args).await?;
        if reply.one_of(&[("inbox", false), ("ended", true)])? {
            return Ok(None);
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
        self.notify(queue, part.partition, &others).await;
        Ok(Some(PartInbox {
            deliveries,
            next_event,
            is_blocked,
        }))
    }

    /// A subscriber goes. What it was not sent goes to the others.
    ///
    /// One command, and one more where others have deliveries by that; both for each partition of the queue.
    ///
    /// # Errors
    /// [`RedisError`]. The subscriber is forgotten after twelve seconds in any case.
    pub async fn unsubscribe(&self, subscriber: &Subscriber, sent: &[DeliveryId]) -> Result<(), RedisError> {
        let queue = &subscriber.queue;
        for part in subscriber.parts() {
            let mut args = vec![part.id.as_bytes()];
            args.extend(part.own(sent));
            let keys = QueueKeys::partition(queue, part.partition);
            let others = self.run_with(&scripts::UNSUBSCRIBE, &keys, Vec::new(), &args).await?;
            self.notify(queue, part.partition, &others.all_bytes()?).await;
        }
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
        let mut lists = Vec::new();
        for part in subscriber.parts() {
            let keys = QueueKeys::partition(&subscriber.queue, part.partition);
            lists.push(keys.wakeup_of(&part.id));
            if !(is_blocked && part.is_blocked) {
                lists.push(keys.key(WAKEUP.name()));
            }
        }
        self.wait_for_token(&lists, max_wait.min(POLL_INTERVAL)).await?;
        Ok(())
    }
}

/// What a subscriber gets in one partition.
struct PartInbox {
    deliveries: Vec<Delivery>,
    next_event: Option<Duration>,
    is_blocked: bool,
}

impl Subscriber {
    fn lock(&self) -> MutexGuard<'_, Vec<Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn parts(&self) -> Vec<Part> {
        self.lock().clone()
    }

    /// What an event stream that ends now has as `last` when it comes back: these numbers of the jobs that it got last, and for a
    /// partition of which it got none, where it began.
    #[must_use]
    pub fn last_of_all(&self, last: &[u64]) -> Vec<u64> {
        let parts = self.parts().into_iter();
        let last_in = |part: &Part| {
            last.iter()
                .find(|number| JobId::partition_of(**number) == part.partition)
        };
        parts.map(|part| *last_in(&part).unwrap_or(&part.start)).collect()
    }

    fn note_polled(&self, part: usize, is_blocked: bool) {
        if let Some(part) = self.lock().get_mut(part) {
            part.is_blocked = is_blocked;
            part.unconfirmed.clear();
        }
    }

    fn note_unconfirmed(&self, part: usize, sent: &[DeliveryId]) {
        if let Some(part) = self.lock().get_mut(part) {
            let partition = part.partition;
            let own = sent.iter().filter(|delivery| delivery.partition() == partition);
            for delivery in own {
                if !part.unconfirmed.contains(delivery) {
                    part.unconfirmed.push(delivery.clone());
                }
            }
        }
    }
}

impl Part {
    /// Those of the deliveries that are of this partition, and those that could not be confirmed before.
    fn own<'a>(&'a self, sent: &'a [DeliveryId]) -> impl Iterator<Item = &'a [u8]> {
        let own = sent.iter().filter(|delivery| delivery.partition() == self.partition);
        let before = self.unconfirmed.iter().filter(|delivery| !sent.contains(delivery));
        own.chain(before).map(|delivery| &delivery.0[..])
    }
}

impl DeliveryId {
    /// The partition of its job: see `lua/delivery.lua`.
    fn partition(&self) -> u8 {
        const SUBSCRIBER_AND_POSITION: usize = 16 + 13;
        let id = self.0.get(SUBSCRIBER_AND_POSITION..SUBSCRIBER_AND_POSITION + 12);
        id.and_then(JobId::from_bytes).map_or(0, |id| id.partition())
    }
}
