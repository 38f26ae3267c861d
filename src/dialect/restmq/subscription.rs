//! How a subscriber is sent a queue's messages. `docs/restmq.md` says how subscribers share them.

use super::poller::{Poller, StreamEnd};
use super::stream::ChunkSink;
use super::value::to_value;
use crate::queue::{JobId, QueueName};
use crate::store::{Delivery, Redis, RedisError, Store, Subscriber};
use crate::web::json::{Style, object};
use std::convert::Infallible;
use std::time::{Duration, Instant};

/// How many messages a subscriber is given at a time.
const MAX_MESSAGES: usize = 100;

/// How long to wait before asking a store again that could not be reached.
const RETRY: Duration = Duration::from_secs(1);

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
    /// When it ends, so that its reader comes back. `None`: it goes on.
    pub(super) end: Option<Instant>,
}

impl Subscription {
    /// Sends messages until nobody reads them any more, their queue is deleted, or the time is over. The stream ends with this.
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
            StreamEnd::Deleted => return drop(sender.send(self.line("null")).await),
            StreamEnd::TimeIsOver => drop(sender.send_position().await),
            StreamEnd::Gone => {}
        }
        // Should the store not be reached: it forgets the subscriber by itself.
        let _ = store.unsubscribe(&self.subscriber, &sender.poller.sent).await;
    }

    /// How long the stream may still go on.
    fn remaining(&self) -> Duration {
        let until = |end: Instant| end.saturating_duration_since(Instant::now());
        self.end.map_or(Duration::MAX, until)
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
            Format::Events => self.id_line(delivery.number, others).into_bytes(),
        };
        chunk.extend(self.line(&text));
        chunk
    }

    fn id_line(&self, number: u64, others: &[u64]) -> String {
        let others: String = others.iter().map(|number| format!(",{number}")).collect();
        format!("id: {}:{number}{others}\n", self.queue)
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
            self.check_time()?;
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
        self.check_time()?;
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
        let max_wait = next_event
            .min(max_silence.saturating_sub(self.last_chunk.elapsed()))
            .min(self.subscription.remaining());
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

    fn check_time(&self) -> Result<(), StreamEnd> {
        match self.subscription.remaining() {
            Duration::ZERO => Err(StreamEnd::TimeIsOver),
            _ => Ok(()),
        }
    }

    /// Sends an event stream's place as an event without data, which a browser notes and shows to nobody. A reader that got no message
    /// has no other id to come back with, and would miss what is sent to all meanwhile.
    async fn send_position(&mut self) -> Result<(), StreamEnd> {
        let Subscription { format, subscriber, .. } = self.subscription;
        match (format, &*subscriber.last_of_all(&self.last)) {
            (Format::Events, [first, others @ ..]) => {
                let id = self.subscription.id_line(*first, others);
                self.send(format!("{id}\n").into_bytes()).await
            }
            _ => Ok(()),
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
