//! How a subscriber is sent a queue's messages. `docs/restmq.md` says how subscribers share them.

use super::stream::{ChunkSink, Gone};
use super::value::to_value;
use crate::queue::{JobId, QueueName};
use crate::store::{Delivery, DeliveryId, Effect, Inbox, Redis, RedisError, Store, Subscriber};
use crate::web::json::{Style, object};
use futures_util::future::{Either, select};
use std::convert::Infallible;
use std::pin::pin;
use std::time::{Duration, Instant};

/// How many messages a subscriber is given at a time.
const MAX_MESSAGES: usize = 100;

/// How often a subscriber polls while a chunk is on its way.
const POLL_EVERY: Duration = Duration::from_secs(4);

/// How often it does so for one chunk: a reader that takes nothing for longer, half a minute, is sent nothing more. Others
/// may have to wait for it.
const MAX_POLLS: usize = 8;

/// How long to wait before asking a store again that could not be reached.
const RETRY: Duration = Duration::from_secs(1);

/// How often in a row a stream may be refused by the store, once a second. Then it ends: its reader can come back by another
/// way, and would not notice otherwise that nothing comes any more.
const MAX_REFUSALS: usize = 10;

/// How long an event stream is silent at most.
const MAX_SILENCE: Duration = Duration::from_secs(15);

/// How messages are written, each in a chunk of its own.
#[derive(Debug)]
pub(super) enum Format {
    /// As RestMQ has them: JSON and a line's end, or a call of this function with that.
    Lines { callback: Option<String> },
    /// As server-sent events.
    Events,
}

/// A stream of a queue's messages, from when its reader has subscribed.
#[derive(Debug)]
pub struct Subscription {
    pub(super) queue: QueueName,
    pub(super) format: Format,
    pub(super) subscriber: Subscriber,
    /// What its reader missed while it was cut off: sent first.
    pub(super) missed: Vec<Delivery>,
    /// The numbers of the messages that its reader got last, one for each partition of the queue.
    pub(super) last: Vec<u64>,
}

impl Subscription {
    /// Sends messages until nobody reads them any more, or their queue is deleted. The stream ends with this.
    pub async fn run<R: Redis>(mut self, store: &Store<R>, chunks: &mut impl ChunkSink) {
        let (missed, last) = (std::mem::take(&mut self.missed), std::mem::take(&mut self.last));
        let mut sender = Sender {
            subscription: &self,
            chunks,
            last,
            last_chunk: Instant::now(),
            poller: Poller {
                store,
                subscriber: &self.subscriber,
                sent: Vec::new(),
                last_poll: Instant::now(),
                refusals: 0,
            },
        };
        let Err(end) = sender.send_all(missed).await;
        match end {
            // Whether it is still read changes nothing now.
            StreamEnd::Deleted => drop(sender.send(self.line("null")).await),
            // Should the store not be reached: it forgets the subscriber by itself.
            StreamEnd::Gone => drop(store.unsubscribe(&self.subscriber, &sender.poller.sent).await),
        }
    }

    /// The chunk of one message. `others` are the last numbers of the other partitions: its event's id has them, so that a reader that
    /// comes back says what it got of each.
    fn message(&self, delivery: &Delivery, others: &[u64]) -> Vec<u8> {
        let key = format!("{}:{}", self.queue, delivery.number);
        let value = to_value(&delivery.payload, delivery.is_text);
        let text = object(Style::Python, |o| {
            o.text("key", &key).text("value", &value);
        });
        let mut chunk = match self.format {
            Format::Lines { .. } => Vec::new(),
            Format::Events => {
                let others: String = others.iter().map(|number| format!(",{number}")).collect();
                format!("id: {key}{others}\n").into_bytes()
            }
        };
        chunk.extend(self.line(&text));
        chunk
    }

    fn line(&self, text: &str) -> Vec<u8> {
        let line = match &self.format {
            Format::Lines { callback: None } => format!("{text}\r\n"),
            Format::Lines { callback: Some(name) } => format!("{name}({text});\r\n"),
            Format::Events => format!("data: {text}\n\n"),
        };
        line.into_bytes()
    }

    /// After how long a silence a heartbeat is sent, and its bytes. `None`: there is no heartbeat.
    fn heartbeat(&self) -> Option<(Duration, Vec<u8>)> {
        match self.format {
            Format::Lines { .. } => None,
            Format::Events => Some((MAX_SILENCE, b":\n\n".to_vec())),
        }
    }
}

/// Why a stream ends.
enum StreamEnd {
    /// Nobody reads it any more, or nobody takes what is sent, or the store refuses, or the platform is about to stop.
    Gone,
    /// Its queue was deleted.
    Deleted,
}

impl From<Gone> for StreamEnd {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

/// What a subscriber owes to the store: to poll in time, and to say what it was sent.
struct Poller<'a, R> {
    store: &'a Store<R>,
    subscriber: &'a Subscriber,
    /// What was sent, and not confirmed to the store yet.
    sent: Vec<DeliveryId>,
    last_poll: Instant,
    /// How often in a row the store has refused.
    refusals: usize,
}

impl<R: Redis> Poller<'_, R> {
    /// Polls. Gives the next deliveries, when to poll again, and whether another subscriber must be sent its deliveries
    /// first. `None` when the store cannot be reached, or refuses.
    async fn poll(&mut self, max_messages: usize) -> Result<Option<(Vec<Delivery>, Duration, bool)>, StreamEnd> {
        let polled = self.store.poll(self.subscriber, &self.sent, max_messages).await;
        self.last_poll = Instant::now();
        match polled {
            Ok(Inbox::Ended) => Err(StreamEnd::Deleted),
            Ok(Inbox::Open {
                deliveries,
                next_event,
                is_blocked,
            }) => {
                self.sent.clear();
                self.refusals = 0;
                Ok(Some((deliveries, next_event.unwrap_or(Duration::MAX), is_blocked)))
            }
            Err(error) => {
                // One that is full, or away, goes on by itself.
                self.refusals = match error.effect() {
                    Effect::Unavailable | Effect::Refused => self.refusals + 1,
                    _ => 0,
                };
                if self.refusals < MAX_REFUSALS {
                    Ok(None)
                } else {
                    Err(StreamEnd::Gone)
                }
            }
        }
    }

    /// How long it is until the next poll.
    fn until_next_poll(&self) -> Duration {
        POLL_EVERY.saturating_sub(self.last_poll.elapsed())
    }

    /// Does work that a slow reader may hold up, and polls meanwhile.
    async fn poll_while<C: ChunkSink>(
        &mut self,
        work: impl Future<Output = Result<(), Gone>>,
    ) -> Result<(), StreamEnd> {
        let mut work = pin!(work);
        for _ in 0..MAX_POLLS {
            match select(work, pin!(C::sleep(self.until_next_poll()))).await {
                Either::Left((done, _)) => return Ok(done?),
                Either::Right(((), unfinished)) => work = unfinished,
            }
            self.poll(0).await?;
        }
        Err(StreamEnd::Gone)
    }
}

struct Sender<'a, R, C> {
    subscription: &'a Subscription,
    chunks: &'a mut C,
    /// The numbers of the last messages, one for each partition.
    last: Vec<u64>,
    last_chunk: Instant,
    poller: Poller<'a, R>,
}

impl<R: Redis, C: ChunkSink> Sender<'_, R, C> {
    async fn send_all(&mut self, missed: Vec<Delivery>) -> Result<Infallible, StreamEnd> {
        for delivery in missed {
            self.deliver(delivery).await?;
        }
        loop {
            let Some((deliveries, next_event, is_blocked)) = self.poller.poll(MAX_MESSAGES).await? else {
                C::sleep(RETRY).await;
                self.keep_alive().await?;
                continue;
            };
            if deliveries.is_empty() && !next_event.is_zero() {
                self.wait(next_event, is_blocked).await?;
            }
            for delivery in deliveries {
                self.deliver(delivery).await?;
            }
        }
    }

    /// Sends a message. The reader is looked for first: what is written to one that has gone is lost.
    async fn deliver(&mut self, delivery: Delivery) -> Result<(), StreamEnd> {
        if self.poller.until_next_poll().is_zero() {
            self.poller.poll(0).await?;
        }
        self.probe().await?;
        let partition = JobId::partition_of(delivery.number);
        self.last.retain(|number| JobId::partition_of(*number) != partition);
        let message = self.subscription.message(&delivery, &self.last);
        self.last.push(delivery.number);
        self.send(message).await?;
        self.poller.sent.extend(delivery.id);
        Ok(())
    }

    /// Waits until there may be something to send.
    async fn wait(&mut self, next_event: Duration, is_blocked: bool) -> Result<(), StreamEnd> {
        let heartbeat = self.subscription.heartbeat();
        let max_silence = heartbeat.map_or(Duration::MAX, |(max_silence, _)| max_silence);
        let max_wait = next_event.min(max_silence.saturating_sub(self.last_chunk.elapsed()));
        let Poller { store, subscriber, .. } = self.poller;
        match store.wait_for_deliveries(subscriber, max_wait, is_blocked).await {
            Ok(()) => {}
            Err(RedisError::Interrupted) => return Err(StreamEnd::Gone),
            Err(_) => C::sleep(RETRY).await,
        }
        self.keep_alive().await
    }

    /// Sends the heartbeat where it is time for that, and finds out whether somebody reads.
    async fn keep_alive(&mut self) -> Result<(), StreamEnd> {
        match self.subscription.heartbeat() {
            Some((max_silence, chunk)) if self.last_chunk.elapsed() >= max_silence => self.send(chunk).await,
            _ => self.probe().await,
        }
    }

    async fn send(&mut self, chunk: Vec<u8>) -> Result<(), StreamEnd> {
        self.poller.poll_while::<C>(self.chunks.send(chunk)).await?;
        self.last_chunk = Instant::now();
        Ok(())
    }

    async fn probe(&mut self) -> Result<(), StreamEnd> {
        self.poller.poll_while::<C>(self.chunks.probe()).await
    }
}
