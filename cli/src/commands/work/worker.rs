//! The worker's loop: it claims as many jobs as there are free places.

use super::Work;
use super::attempt::{Attempts, Status};
use super::server::{Pauses, Server};
use super::stop::{Stage, Stop};
use super::target::Target;
use super::tell::{self, note};
use crate::api::{Api, ClaimedJob, Failure, Jobs};
use crate::exit::Exit;
use crate::output::{Output, jobs, printable};
use anyhow::Result;
use futures_util::future::join_all;
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// How long a claim waits for jobs: function platforms end requests after 30 s.
const WAIT: Duration = Duration::from_secs(20);

/// How long the answer of a claim that is under way is waited for when the worker is stopped: it may have jobs already.
const LAST_ANSWER: Duration = Duration::from_secs(1);

/// The longest name of a worker.
const MAX_NAME: usize = 255;

/// A worker.
pub(super) struct Worker {
    attempts: Attempts,
    options: Work,
    name: String,
    out: Output,
}

/// What a claim gave.
enum Claimed {
    Jobs(Vec<ClaimedJob>, Instant),
    Nothing,
    Stopped,
    Refused(Failure),
}

/// How many jobs there were.
#[derive(Default)]
struct Tally {
    claimed: usize,
    not_done: usize,
}

/// What `--json` tells of an attempt that ended.
#[derive(Serialize)]
struct Line<'a> {
    queue: &'a str,
    id: &'a str,
    attempt: u64,
    status: &'a str,
    seconds: f64,
}

impl Worker {
    pub(super) fn new(mut options: Work, api: &Api, out: Output) -> Result<Self> {
        // First of all: from here on a signal ends the worker orderly.
        let stop = Stop::on_signals(options.grace)?;
        let target = Target::of(&mut options)?;
        Ok(Self {
            attempts: Attempts {
                server: Server::new(api.clone()),
                stop,
                target,
                timeout: options.timeout,
            },
            name: options.worker.take().unwrap_or_else(default_name),
            options,
            out,
        })
    }

    /// Tells when it is to stop.
    pub(super) fn stop(&self) -> Stop {
        self.attempts.stop.clone()
    }

    /// Works until it is stopped, or as the options say.
    pub(super) async fn run(self: Arc<Self>) -> Result<Exit> {
        let (mut jobs, mut tally) = (JoinSet::new(), Tally::default());
        let refused = loop {
            while let Some(ended) = jobs.try_join_next() {
                tally.count(ended.ok());
            }
            let is_over = self.options.once && tally.claimed > 0;
            if self.attempts.stop.is_stopping() || is_over || self.attempts.target.gives_up() {
                break None;
            }
            let places = match self.options.once {
                true => 1,
                false => self.options.concurrency.saturating_sub(jobs.len()),
            };
            let claimed = match places {
                0 => Claimed::Nothing,
                _ => self.claim(places).await,
            };
            match claimed {
                Claimed::Jobs(claimed, asked) => {
                    tally.claimed += claimed.len();
                    for job in claimed {
                        jobs.spawn(self.clone().work(job, asked));
                    }
                }
                Claimed::Nothing if places == 0 || self.options.until_empty => tokio::select! {
                    ended = jobs.join_next() => match ended {
                        Some(ended) => tally.count(ended.ok()),
                        None => break None,
                    },
                    () = self.attempts.stop.reached(Stage::Stopping) => {}
                },
                Claimed::Nothing => {}
                Claimed::Stopped => break None,
                Claimed::Refused(failure) => {
                    if !jobs.is_empty() {
                        note(format!("no more jobs are taken: {failure}"));
                    }
                    break Some(failure);
                }
            }
        };
        while let Some(ended) = jobs.join_next().await {
            tally.count(ended.ok());
        }
        if refused.is_none() && self.options.until_empty && !self.attempts.stop.is_stopping() {
            self.tell_of_active().await;
        }
        match refused {
            Some(failure) => Err(failure.into()),
            None if (self.options.once || self.options.until_empty) && tally.not_done > 0 => Ok(Exit::Failed),
            None if self.attempts.stop.is_stopping() => Ok(Exit::Done),
            None if self.options.once && tally.claimed == 0 => Ok(Exit::Nothing),
            None => Ok(Exit::Done),
        }
    }

    /// Claims up to so many jobs, and waits for the server if it is away.
    async fn claim(&self, places: usize) -> Claimed {
        let wait = match self.options.until_empty {
            true => Duration::ZERO,
            false => WAIT,
        };
        let mut body = json!({
            "queues": self.options.queues,
            "count": places,
            "worker": self.name,
            "wait": wait.as_secs(),
        });
        if let (Some(lease), Some(body)) = (self.options.lease, body.as_object_mut()) {
            body.insert("lease".to_owned(), lease.into());
        }
        let request = match self.attempts.server.claims().waiting(wait).json(&body) {
            Ok(request) => request,
            Err(error) => {
                note(format!("{error:#}"));
                return Claimed::Stopped;
            }
        };
        let mut pauses = Pauses::default();
        loop {
            let asked = Instant::now();
            let mut answer = Box::pin(self.attempts.server.send::<Option<Jobs>>(&request));
            let answer = tokio::select! {
                answer = &mut answer => answer,
                () = self.attempts.stop.reached(Stage::Stopping) => {
                    if let Ok(Ok(Some(answer))) = timeout(LAST_ANSWER, answer).await {
                        join_all(answer.jobs.iter().map(|job| self.attempts.give_back(job))).await;
                    }
                    return Claimed::Stopped;
                }
            };
            match answer {
                Ok(Some(answer)) if !answer.jobs.is_empty() => return Claimed::Jobs(answer.jobs, asked),
                Ok(_) => return Claimed::Nothing,
                Err(failure) if failure.may_pass() => tokio::select! {
                    () = sleep(pauses.after(&failure)) => {}
                    () = self.attempts.stop.reached(Stage::Stopping) => return Claimed::Stopped,
                },
                Err(failure) => return Claimed::Refused(failure),
            }
        }
    }

    /// Does a job, and tells users how it ended.
    async fn work(self: Arc<Self>, job: ClaimedJob, asked: Instant) -> Status {
        let begun = Instant::now();
        let status = self.attempts.run(&job, asked).await;
        let millis = begun.elapsed().as_millis();
        let line = Line {
            queue: &job.queue,
            id: &job.id,
            attempt: job.attempt,
            status: status.name(),
            // Far inside what is exact.
            seconds: u32::try_from(millis).map_or(f64::INFINITY, f64::from) / 1000.0,
        };
        if self.options.verbose {
            let text = format!("attempt {}: {} after {} s", line.attempt, line.status, line.seconds);
            tell::note_of(&job, text);
        }
        if self.out.json {
            tell::line(&line, self.attempts.stop.reached(Stage::Stopping)).await;
        }
        status
    }

    /// Tells of jobs that others have when there are no more for this worker: they may be those of a worker that was killed.
    async fn tell_of_active(&self) {
        for queue in &self.options.queues {
            // One whose key is not for looking at queues has done its work all the same.
            let active = self
                .attempts
                .server
                .counts(queue)
                .await
                .map_or(0, |counts| counts.active);
            if active > 0 {
                let (queue, active) = (printable(queue), jobs(active));
                note(format!(
                    "{queue}: other workers have {active}. What they do not finish comes back when its lease ends"
                ));
            }
        }
    }
}

impl Tally {
    /// Counts an attempt that ended. One without a status broke off, which is a fault of this program.
    fn count(&mut self, status: Option<Status>) {
        if status != Some(Status::Done) {
            self.not_done += 1;
        }
    }
}

/// The host's name and the process id.
fn default_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    let host = match host.trim() {
        "" => "presque",
        host => host,
    };
    let id = format!("-{}", std::process::id());
    let host = host
        .get(..host.floor_char_boundary(MAX_NAME - id.len()))
        .unwrap_or_default();
    format!("{host}{id}")
}
