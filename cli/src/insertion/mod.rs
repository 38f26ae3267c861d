//! Many jobs go in. Each batch has an `Idempotency-Key`, so that it can be sent again until it is answered.

mod batch;
mod keys;

pub(crate) use batch::{Batch, Cutter, Job};
pub(crate) use keys::{Keys, random};

use crate::api::{Api, Failure, Request};
use crate::exit::Exit;
use crate::progress::Progress;
use anyhow::{Context, Result, anyhow, bail};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Receiver;

/// What is said behind a number of jobs whose keys an earlier run may have had: a repeated insert is answered as the first one was.
pub(crate) const EARLIER: &str = " by this run or an earlier one";

/// How patient an insert is.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Patience {
    /// For how many seconds to try again while the server does not answer, or cannot store jobs.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    retry_for: u64,
}

/// How jobs get into a queue.
pub(crate) struct Insertion<'a> {
    pub(crate) api: &'a Api,
    pub(crate) queue: &'a str,
    pub(crate) keys: &'a Keys,
    pub(crate) patience: Patience,
    pub(crate) progress: &'a Progress,
    /// What errors call the input.
    pub(crate) input: &'a str,
    /// How many batches are on their way at a time. With more than one, jobs may be stored in another order than they have.
    pub(crate) at_once: usize,
}

/// How far an insertion came.
#[derive(Debug, Default)]
pub(crate) struct Inserted {
    /// How many jobs were stored, by this run or under the same keys by one before.
    pub(crate) jobs: u64,
    /// How many were not, since other jobs hold their unique keys.
    pub(crate) duplicates: u64,
    /// All up to this line were.
    pub(crate) line: u64,
    /// Later ones may be, too: their answers are not there.
    pub(crate) is_open: bool,
}

/// Part of the answer.
#[derive(Deserialize)]
struct Answer {
    jobs: Vec<AnsweredJob>,
}

#[derive(Deserialize)]
struct AnsweredJob {
    #[serde(default)]
    duplicate: bool,
}

/// What was answered of a batch.
#[derive(Default)]
struct Sent {
    jobs: u64,
    duplicates: u64,
    /// All jobs of the batch up to this line are stored; 0 if none is.
    line: u64,
    read: u64,
}

impl Insertion<'_> {
    /// Sends all batches. It ends early by an error among them, by one of the server that does not pass, and by Ctrl-C; how
    /// far it came is told in each case.
    pub(crate) async fn run(&self, batches: Receiver<Result<Batch>>) -> (Inserted, Result<()>) {
        let batches = stream::unfold(batches, async |mut batches| Some((batches.recv().await?, batches)));
        // In their order, so that all before the one that fails are known to be stored.
        let sent = batches
            .map(async |batch| match batch {
                Ok(batch) => self.send(batch).await,
                Err(error) => (Sent::default(), Err(error)),
            })
            .buffered(self.at_once);
        let (mut sent, mut interrupt) = (pin!(sent), pin!(tokio::signal::ctrl_c()));
        let (mut inserted, mut is_interrupted) = (Inserted::default(), false);
        loop {
            let next = tokio::select! {
                // It listens from its first look on, which is before anything is sent.
                biased;
                _ = &mut interrupt => {
                    is_interrupted = true;
                    Some((Sent::default(), Err(anyhow!("interrupted"))))
                }
                next = sent.next() => next,
            };
            let Some((sent, ended)) = next else {
                return (inserted, Ok(()));
            };
            inserted.jobs += sent.jobs;
            inserted.duplicates += sent.duplicates;
            inserted.line = inserted.line.max(sent.line);
            if let Err(error) = ended {
                inserted.is_open = is_interrupted || self.at_once > 1 || Exit::of(&error) == Exit::Unknown;
                return (inserted, Err(error));
            }
            self.progress.at(sent.read, inserted.jobs);
        }
    }

    /// Sends a batch, in parts where it must be. What was stored is told also where the rest was not.
    async fn send(&self, batch: Batch) -> (Sent, Result<()>) {
        let mut sent = Sent {
            read: batch.read,
            ..Sent::default()
        };
        let ended = self.send_parts(batch.cut(self.keys.are_lasting()), &mut sent).await;
        (sent, ended)
    }

    async fn send_parts(&self, mut parts: Vec<Batch>, sent: &mut Sent) -> Result<()> {
        while let Some(part) = parts.pop() {
            let note = |text: String| self.progress.note(text);
            let request = self.request(&part).with_context(|| self.place(&part, None))?;
            match self.api.send_until::<Answer>(&request, self.patience.go_on(note)).await {
                Ok(answer) if answer.jobs.len() != part.len() => {
                    bail!(
                        "{}: the server answered for other jobs than were sent",
                        self.place(&part, None)
                    );
                }
                Ok(answer) => {
                    let duplicates = answer.jobs.iter().filter(|job| job.duplicate).count();
                    sent.duplicates += duplicates as u64;
                    sent.jobs += (part.len() - duplicates) as u64;
                    sent.line = part.last_line();
                }
                // From a proxy that takes no such bodies. The server's own says that one job is too large.
                Err(Failure::Problem(problem))
                    if problem.status == 413 && !problem.is("payload-too-large") && part.len() > 1 =>
                {
                    let [first, second] = part.parts();
                    parts.extend([second, first]);
                }
                // An earlier run sent fewer or more jobs from this place on, since its input ended or was divided there. One of the parts
                // may be what it sent.
                Err(failure) if failure.is("idempotency-key-reused") && self.keys.are_lasting() => {
                    if part.len() == 1 {
                        let place = self.place(&part, None);
                        return Err(failure).context(format!(
                            "{place}: other jobs were inserted from this line on within the last 24 hours, so the input was changed, or is \
                             another one that begins as that did (give each input an --idempotency-key of its own)"
                        ));
                    }
                    let [first, second] = part.parts();
                    parts.extend([second, first]);
                }
                Err(failure) => {
                    let place = self.place(&part, Some(&failure));
                    return Err(failure).context(place);
                }
            }
        }
        Ok(())
    }

    fn request(&self, part: &Batch) -> Result<Request> {
        let key = self.keys.of(self.queue, part);
        let request = self.api.post(&["queues", self.queue, "jobs"]).body(part.body());
        let request = request.header("idempotency-key", &format!("\"{key}\""))?;
        let mut headers = part.headers.iter();
        headers.try_fold(request, |request, (name, value)| request.header(name, value))
    }

    /// The line that the server finds wrong, or the lines of the batch.
    fn place(&self, part: &Batch, failure: Option<&Failure>) -> String {
        let pointer = match failure {
            Some(Failure::Problem(problem)) => problem.pointer.as_deref(),
            _ => None,
        };
        let index = pointer.and_then(|pointer| pointer.strip_prefix("/jobs/")?.split('/').next()?.parse().ok());
        match index.and_then(|index: usize| part.line(index)) {
            Some(line) => format!("{}, line {line}", self.input),
            None if part.len() == 1 => format!("{}, line {}", self.input, part.first_line()),
            None => format!("{}, lines {} to {}", self.input, part.first_line(), part.last_line()),
        }
    }
}

impl Patience {
    /// Whether to try again after a failure. The first one is told.
    pub(crate) fn go_on(self, note: impl Fn(String)) -> impl FnMut(&Failure) -> bool {
        let mut first = None;
        let patience = Duration::from_secs(self.retry_for);
        move |failure| {
            if first.is_none() && !patience.is_zero() {
                note(format!("{failure}. Trying again for up to {} s", self.retry_for));
            }
            first.get_or_insert_with(Instant::now).elapsed() < patience
        }
    }
}
