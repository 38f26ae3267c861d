//! How a reader that stays is sent a queue's messages. `docs/restmq.md` tells how readers share them.

use crate::http::{Chunks, Context, Gone, Stream};
use crate::store::{Entry, Letter, Mail, Reader, Redis, Store};
use futures_util::future::{Either, select};
use std::pin::pin;
use std::time::{Duration, Instant};

/// How many messages a reader is given at a time.
const MOST: usize = 100;

/// How often a reader that takes nothing says that it is there all the same.
const SIGN_OF_LIFE: Duration = Duration::from_secs(4);

/// How often at most: a reader that takes nothing for longer, half a minute, is sent nothing more. Others may have to
/// wait for it.
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
        let mut loop_ = Loop {
            store: &context.store,
            reader: &self.reader,
            format: &self.format,
            chunks,
            sent: Vec::new(),
            last: Instant::now(),
        };
        match loop_.go_on(self.missed).await {
            // That it is not read any more changes nothing now.
            Ok(()) => drop(loop_.send(self.format.end()).await),
            // Should the store not be reached: it forgets the reader by itself.
            Err(Gone) => drop(context.store.part(&self.reader, &loop_.sent).await),
        }
    }
}

struct Loop<'a, R, F, C> {
    store: &'a Store<R>,
    reader: &'a Reader,
    format: &'a F,
    chunks: &'a mut C,
    /// What was sent, and the store was not told so yet.
    sent: Vec<Entry>,
    /// When something was sent last.
    last: Instant,
}

impl<R: Redis, F: Format, C: Chunks> Loop<'_, R, F, C> {
    /// Until the queue is deleted.
    async fn go_on(&mut self, missed: Vec<Letter>) -> Result<(), Gone> {
        for letter in missed {
            self.deliver(letter).await?;
        }
        loop {
            match self.store.collect(self.reader, &self.sent, MOST).await {
                Ok(Mail::Ended) => return Ok(()),
                Ok(Mail::Letters { letters, look_again }) => {
                    self.sent.clear();
                    if letters.is_empty() && look_again != Some(Duration::ZERO) {
                        self.wait(look_again).await?;
                    }
                    for letter in letters {
                        self.deliver(letter).await?;
                    }
                }
                Err(_) => {
                    C::sleep(RETRY).await;
                    self.probe().await?;
                }
            }
        }
    }

    /// Sends a message. The reader is looked for first: what is written to one that has gone is lost.
    async fn deliver(&mut self, letter: Letter) -> Result<(), Gone> {
        self.probe().await?;
        self.send(self.format.message(&letter)).await?;
        self.sent.extend(letter.entry);
        Ok(())
    }

    /// Waits until there may be something to send.
    async fn wait(&mut self, look_again: Option<Duration>) -> Result<(), Gone> {
        let mut most = look_again.unwrap_or(Duration::MAX);
        if let Some((idle, chunk)) = self.format.idle() {
            let silent = self.last.elapsed();
            if silent >= idle {
                self.send(chunk).await?;
            }
            most = most.min(idle.saturating_sub(self.last.elapsed()));
        }
        if self.store.wait_for_mail(self.reader, most).await.is_err() {
            C::sleep(RETRY).await;
        }
        self.probe().await
    }

    async fn send(&mut self, chunk: Vec<u8>) -> Result<(), Gone> {
        let (store, reader, sent) = (self.store, self.reader, &self.sent);
        patiently::<C, _>(self.chunks.send(chunk), store, reader, sent).await?;
        self.last = Instant::now();
        Ok(())
    }

    async fn probe(&mut self) -> Result<(), Gone> {
        let (store, reader, sent) = (self.store, self.reader, &self.sent);
        patiently::<C, _>(self.chunks.probe(), store, reader, sent).await
    }
}

/// Does what a slow reader may hold up, and says meanwhile that it is there.
async fn patiently<C: Chunks, R: Redis>(
    work: impl Future<Output = Result<(), Gone>>,
    store: &Store<R>,
    reader: &Reader,
    sent: &[Entry],
) -> Result<(), Gone> {
    let mut work = pin!(work);
    for _ in 0..MOST_SIGNS {
        match select(work, pin!(C::sleep(SIGN_OF_LIFE))).await {
            Either::Left((done, _)) => return done,
            Either::Right(((), unfinished)) => work = unfinished,
        }
        // One that fails is followed by others.
        let _ = store.collect(reader, sent, 0).await;
    }
    Err(Gone)
}
