//! What a stream owes to the store while it goes on, and why it ends.

use super::stream::{ChunkSink, Gone};
use crate::store::{Delivery, DeliveryId, Effect, Inbox, Redis, Store, Subscriber};
use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::{Duration, Instant};

/// How often a subscriber polls while a chunk is on its way.
const POLL_EVERY: Duration = Duration::from_secs(4);

/// How often it does so for one chunk: a reader that takes nothing for longer, half a minute, is sent nothing more. Others
/// may have to wait for it.
const MAX_POLLS: usize = 8;

/// How often in a row a stream may be refused by the store, once a second. Then it ends: its reader can come back by another
/// way, and would not notice otherwise that nothing comes any more.
const MAX_REFUSALS: usize = 10;

/// Why a stream ends.
pub(super) enum StreamEnd {
    /// Nobody reads it any more, or nobody takes what is sent, or the store refuses, or the platform is about to stop.
    Gone,
    /// Its queue was deleted.
    Deleted,
    /// It may go on for no longer: its reader is to come back.
    TimeIsOver,
}

impl From<Gone> for StreamEnd {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

/// What a subscriber owes to the store: to poll in time, and to say what it was sent.
pub(super) struct Poller<'a, R> {
    pub(super) store: &'a Store<R>,
    pub(super) subscriber: &'a Subscriber,
    /// What was sent, and not confirmed to the store yet.
    pub(super) sent: Vec<DeliveryId>,
    pub(super) last_poll: Instant,
    /// How often in a row the store has refused.
    pub(super) refusals: usize,
}

impl<R: Redis> Poller<'_, R> {
    /// Polls. Gives the next deliveries, when to poll again, and whether another subscriber must be sent its deliveries
    /// first. `None` when the store cannot be reached, or refuses.
    pub(super) async fn poll(
        &mut self,
        max_messages: usize,
    ) -> Result<Option<(Vec<Delivery>, Duration, bool)>, StreamEnd> {
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
    pub(super) fn until_next_poll(&self) -> Duration {
        POLL_EVERY.saturating_sub(self.last_poll.elapsed())
    }

    /// Does work that a slow reader may hold up, and polls meanwhile.
    pub(super) async fn poll_while<C: ChunkSink>(
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
