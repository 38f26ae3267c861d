//! What the worker tells. Nothing that it does waits for those who read that: a thread for each stream writes, and may wait as long as it
//! likes.

use crate::api::ClaimedJob;
use crate::output::printable;
use serde::Serialize;
use std::io::{self, Write};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

/// How many texts wait to be written, at most. Of what commands write a text has 8 KiB at most.
const MAX_WAITING: usize = 1024;

/// How long the end of a worker waits for readers.
const LAST_WORDS: Duration = Duration::from_secs(1);

static NOTES: LazyLock<Voice> = LazyLock::new(|| {
    Voice::new(|bytes, missed| {
        let mut to = io::stderr().lock();
        if missed > 0 {
            // Nobody is left to tell.
            let _ = writeln!(to, "\n{missed} messages are missing here: nobody read them in time");
        }
        let _ = to.write_all(bytes);
    })
});

static LINES: LazyLock<Voice> = LazyLock::new(|| {
    let is_broken = AtomicBool::new(false);
    Voice::new(move |bytes, missed| {
        if missed > 0 {
            note(format!(
                "{missed} lines of standard output are missing: nobody read them in time"
            ));
        }
        let mut to = io::stdout().lock();
        let written = to.write_all(bytes).and_then(|()| to.flush());
        if is_broken.swap(written.is_err(), Ordering::Relaxed) {
            return;
        }
        if let Err(error) = written {
            note(format!("cannot write to standard output: {error}. The work goes on"));
        }
    })
});

/// One stream, and what waits to be written to it.
struct Voice {
    texts: mpsc::Sender<Text>,
    missed: AtomicU64,
}

enum Text {
    /// To be written, after so many that are missing.
    Bytes(Vec<u8>, u64),
    /// All before this was written.
    End(oneshot::Sender<()>),
}

impl Voice {
    fn new(write: impl Fn(&[u8], u64) + Send + 'static) -> Self {
        let (texts, mut waiting) = mpsc::channel(MAX_WAITING);
        thread::spawn(move || {
            while let Some(text) = waiting.blocking_recv() {
                match text {
                    Text::Bytes(bytes, missed) => write(&bytes, missed),
                    // The worker need not wait any more.
                    Text::End(written) => _ = written.send(()),
                }
            }
        });
        Self {
            texts,
            missed: AtomicU64::new(0),
        }
    }

    /// Says something, unless too much waits already.
    fn say(&self, bytes: Vec<u8>) {
        match self.texts.try_reserve() {
            Ok(place) => place.send(Text::Bytes(bytes, self.missed.swap(0, Ordering::Relaxed))),
            Err(_) => _ = self.missed.fetch_add(1, Ordering::Relaxed),
        }
    }

    async fn flush(&self) {
        let missed = self.missed.swap(0, Ordering::Relaxed);
        if missed > 0 {
            let _ = self.texts.send(Text::Bytes(Vec::new(), missed)).await;
        }
        let (written, end) = oneshot::channel();
        if self.texts.send(Text::End(written)).await.is_ok() {
            let _ = end.await;
        }
    }
}

/// Tells something on standard error.
pub(super) fn note(text: impl AsRef<str>) {
    pass_on(format!("{}\n", text.as_ref()).as_bytes());
}

/// Tells something about a job on standard error.
pub(super) fn note_of(job: &ClaimedJob, text: impl AsRef<str>) {
    note(format!("{} {}: {}", printable(&job.queue), job.id, text.as_ref()));
}

/// Writes bytes to standard error as they are.
pub(super) fn pass_on(bytes: &[u8]) {
    NOTES.say(bytes.to_vec());
}

/// Writes a value as a line of JSON to standard output. If too much waits already it waits, too, until `stopping` ends.
pub(super) async fn line(value: &impl Serialize, stopping: impl Future<Output = ()>) {
    let mut line = match serde_json::to_vec(value) {
        Ok(line) => line,
        Err(error) => return note(format!("{error}")),
    };
    line.push(b'\n');
    tokio::select! {
        biased;
        place = LINES.texts.reserve() => {
            if let Ok(place) = place {
                place.send(Text::Bytes(line, LINES.missed.swap(0, Ordering::Relaxed)));
            }
        }
        () = stopping => LINES.say(line),
    }
}

/// Waits until all is written: notes for a moment, lines of JSON until a moment after `stopping` ends.
pub(super) async fn flush(stopping: impl Future<Output = ()>) {
    let stopped = async {
        stopping.await;
        sleep(LAST_WORDS).await;
    };
    tokio::select! {
        () = LINES.flush() => {}
        () = stopped => {}
    }
    let _ = timeout(LAST_WORDS, NOTES.flush()).await;
}
