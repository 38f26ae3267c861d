//! How a reader that stays is sent a queue's messages. `docs/restmq.md` tells how readers share them.

use crate::http::{Chunks, Context, Gone, Stream};
use crate::store::{Entry, Letter, Mail, Reader, Redis, Store};
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
    fn message(&self, letter: &Letter) -> Vec<u8>;

    /// The last chunk, of a queue that was deleted.
    fn end(&self) -> Vec<u8>;

    /// What is sent when nothing was for so long.
    fn idle(&self) -> Option<(Duration, Vec<u8>)>;
}

/// A reader, and what it is sent first.
#[derive(Debug)]
pub(super) struct Reading<F> {
    pub reader: Reader,
    /// What it missed.
    pub missed: Vec<Letter>,
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
                reader: &self.reader,
                sent: Vec::new(),
                last: Instant::now(),
            },
        };
        match sending.go_on(self.missed).await {
            // That it is not read any more changes nothing now.
            End::Deleted => drop(sending.send(self.format.end()).await),
            // Should the store not be reached: it forgets the reader by itself.
            End::Gone => drop(context.store.part(&self.reader, &sending.duty.sent).await),
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
    reader: &'a Reader,
    /// What was sent, and the store was not told so yet.
    sent: Vec<Entry>,
    /// When the store was told last.
    last: Instant,
}

impl<R: Redis> Duty<'_, R> {
    /// Tells the store, and looks into the mail. `None` when the store cannot be reached.
    async fn collect(&mut self, most: usize) -> Result<Option<(Vec<Letter>, Duration, bool)>, End> {
        let collected = self.store.collect(self.reader, &self.sent, most).await;
        self.last = Instant::now();
        match collected {
            Ok(Mail::Ended) => Err(End::Deleted),
            Ok(Mail::Letters {
                letters,
                look_again,
                blocked,
            }) => {
                self.sent.clear();
                Ok(Some((letters, look_again.unwrap_or(Duration::MAX), blocked)))
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
            self.collect(0).await?;
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
    async fn go_on(&mut self, missed: Vec<Letter>) -> End {
        match self.try_go_on(missed).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn try_go_on(&mut self, missed: Vec<Letter>) -> Result<Infallible, End> {
        for letter in missed {
            self.deliver(letter).await?;
        }
        loop {
            let Some((letters, look_again, blocked)) = self.duty.collect(MOST).await? else {
                C::sleep(RETRY).await;
                self.show_life().await?;
                continue;
            };
            if letters.is_empty() && !look_again.is_zero() {
                self.wait(look_again, blocked).await?;
            }
            for letter in letters {
                self.deliver(letter).await?;
            }
        }
    }

    /// Sends a message. The reader is looked for first: what is written to one that has gone is lost.
    async fn deliver(&mut self, letter: Letter) -> Result<(), End> {
        if self.duty.rest().is_zero() {
            self.duty.collect(0).await?;
        }
        self.probe().await?;
        self.send(self.format.message(&letter)).await?;
        self.duty.sent.extend(letter.entry);
        Ok(())
    }

    /// Waits until there may be something to send.
    async fn wait(&mut self, look_again: Duration, blocked: bool) -> Result<(), End> {
        let silence = self.format.idle().map_or(Duration::MAX, |(most, _)| most);
        let most = look_again.min(silence.saturating_sub(self.last.elapsed()));
        let waited = self.duty.store.wait_for_mail(self.duty.reader, most, blocked).await;
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
