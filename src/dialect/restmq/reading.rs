//! How a reader that stays is sent a queue's messages. `docs/restmq.md` tells how readers share them.

use crate::store::{Delivery, DeliveryId, Inbox, Redis, Store, Subscriber};
use crate::web::{Chunks, Context, Gone, Stream};
use futures_util::future::{Either, select};
use std::convert::Infallible;
use std::pin::pin;
use std::time::{Duration, Instant};

/// How many messages a reader is given at a time.
const MOST: usize = 100;

/// How often a reader that is being sent something says to the store that it is there.
const SIGN_OF_LIFE: Duration = Duration::from_secs(4);

/// How often it does so during one step: a reader that takes nothing for longer, half a minute, is sent nothing more.
/// Others may have to wait for it.
const MOST_SIGNS: usize = 8;

/// How long to wait before the store is asked again that could not be reached.
const RETRY: Duration = Duration::from_secs(1);

/// How messages are written.
pub(super) trait Format {
    /// The chunk that is one message.
    fn message(&self, delivery: &Delivery) -> Vec<u8>;

    /// The last chunk, of a queue that was deleted.
    fn end(&self) -> Vec<u8>;

    /// What is sent when nothing was for so long.
    fn idle(&self) -> Option<(Duration, Vec<u8>)>;
}

/// A reader, and what it is sent first.
#[derive(Debug)]
pub(super) struct Reading<F> {
    pub subscriber: Subscriber,
    /// What it missed.
    pub missed: Vec<Delivery>,
    pub format: F,
}

impl<F: Format> Stream for Reading<F> {
    async fn run<R: Redis>(self, context: &Context<R>, chunks: &mut impl Chunks) {
        let mut sending = Sending {
            format: &self.format,
            chunks,
            last: Instant::now(),
            duty: Duty {
                store: &context.store,
                subscriber: &self.subscriber,
                sent: Vec::new(),
                last: Instant::now(),
            },
        };
        match sending.go_on(self.missed).await {
            // That it is not read any more changes nothing now.
            End::Deleted => drop(sending.send(self.format.end()).await),
            // Should the store not be reached: it forgets the reader by itself.
            End::Gone => drop(context.store.unsubscribe(&self.subscriber, &sending.duty.sent).await),
        }
    }
}

/// Why a stream ends.
enum End {
    /// Nobody reads it any more, or nobody takes what is sent.
    Gone,
    /// Its queue was deleted.
    Deleted,
}

impl From<Gone> for End {
    fn from(Gone: Gone) -> Self {
        Self::Gone
    }
}

/// What a reader owes to the store: to say that it is there, and what it was sent.
struct Duty<'a, R> {
    store: &'a Store<R>,
    subscriber: &'a Subscriber,
    /// What was sent, and the store was not told so yet.
    sent: Vec<DeliveryId>,
    /// When the store was told last.
    last: Instant,
}

impl<R: Redis> Duty<'_, R> {
    /// Tells the store, and looks into the mail. `None` when the store cannot be reached.
    async fn poll(&mut self, most: usize) -> Result<Option<(Vec<Delivery>, Duration, bool)>, End> {
        let polled = self.store.poll(self.subscriber, &self.sent, most).await;
        self.last = Instant::now();
        match polled {
            Ok(Inbox::Ended) => Err(End::Deleted),
            Ok(Inbox::Open {
                deliveries,
                next_event,
                is_blocked,
            }) => {
                self.sent.clear();
                Ok(Some((deliveries, next_event.unwrap_or(Duration::MAX), is_blocked)))
            }
            Err(_) => Ok(None),
        }
    }

    /// How long the store need not be told.
    fn rest(&self) -> Duration {
        SIGN_OF_LIFE.saturating_sub(self.last.elapsed())
    }

    /// Does what a slow reader may hold up, and tells the store meanwhile.
    async fn during<C: Chunks>(&mut self, work: impl Future<Output = Result<(), Gone>>) -> Result<(), End> {
        let mut work = pin!(work);
        for _ in 0..MOST_SIGNS {
            match select(work, pin!(C::sleep(self.rest()))).await {
                Either::Left((done, _)) => return Ok(done?),
                Either::Right(((), unfinished)) => work = unfinished,
            }
            self.poll(0).await?;
        }
        Err(End::Gone)
    }
}

struct Sending<'a, R, F, C> {
    format: &'a F,
    chunks: &'a mut C,
    /// When something was sent last.
    last: Instant,
    duty: Duty<'a, R>,
}

impl<R: Redis, F: Format, C: Chunks> Sending<'_, R, F, C> {
    async fn go_on(&mut self, missed: Vec<Delivery>) -> End {
        match self.try_go_on(missed).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn try_go_on(&mut self, missed: Vec<Delivery>) -> Result<Infallible, End> {
        for delivery in missed {
            self.deliver(delivery).await?;
        }
        loop {
            let Some((deliveries, next_event, is_blocked)) = self.duty.poll(MOST).await? else {
                C::sleep(RETRY).await;
                self.show_life().await?;
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
    async fn deliver(&mut self, delivery: Delivery) -> Result<(), End> {
        if self.duty.rest().is_zero() {
            self.duty.poll(0).await?;
        }
        self.probe().await?;
        self.send(self.format.message(&delivery)).await?;
        self.duty.sent.extend(delivery.id);
        Ok(())
    }

    /// Waits until there may be something to send.
    async fn wait(&mut self, next_event: Duration, is_blocked: bool) -> Result<(), End> {
        let silence = self.format.idle().map_or(Duration::MAX, |(most, _)| most);
        let most = next_event.min(silence.saturating_sub(self.last.elapsed()));
        let waited = self
            .duty
            .store
            .wait_for_deliveries(self.duty.subscriber, most, is_blocked)
            .await;
        if waited.is_err() {
            C::sleep(RETRY).await;
        }
        self.show_life().await
    }

    /// Sends what is sent when there is nothing, where it is time for that; and looks whether the reader is there.
    async fn show_life(&mut self) -> Result<(), End> {
        match self.format.idle() {
            Some((most, chunk)) if self.last.elapsed() >= most => self.send(chunk).await,
            _ => self.probe().await,
        }
    }

    async fn send(&mut self, chunk: Vec<u8>) -> Result<(), End> {
        self.duty.during::<C>(self.chunks.send(chunk)).await?;
        self.last = Instant::now();
        Ok(())
    }

    async fn probe(&mut self) -> Result<(), End> {
        self.duty.during::<C>(self.chunks.probe()).await
    }
}
