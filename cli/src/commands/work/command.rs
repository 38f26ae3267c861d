//! Doing a job with a command.

use super::causes::Causes;
use super::group::Group;
use super::guard::Guard;
use super::outcome::{Cause, MAX_ERROR, Outcome, Output, error_with_end};
use super::server::Pauses;
use super::tell;
use crate::api::ClaimedJob;
use crate::output::printable;
use anyhow::Result;
use rustix::process::Signal;
use std::ffi::OsString;
use std::io::{self, Seek, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::time::{Instant, sleep_until, timeout};

/// The exit status that asks for another attempt later: EX_TEMPFAIL of sysexits.
const TRY_LATER: i32 = 75;

/// How long a command may take to end after SIGTERM.
const TERMINATION: Duration = Duration::from_secs(5);

/// How long its last output is waited for once it has ended: a process that left its group may hold the pipes for ever.
const LAST_OUTPUT: Duration = Duration::from_secs(2);

/// The command that does the jobs.
#[derive(Debug)]
pub(super) struct Runner {
    program: OsString,
    args: Vec<OsString>,
    retry_after: Duration,
    /// Whether jobs wait for a command that cannot be started.
    is_patient: bool,
    is_failing: AtomicBool,
    guard: Arc<Guard>,
}

impl Runner {
    /// Does jobs with this command. A patient one keeps a job until the command can be started.
    ///
    /// # Errors
    /// The guard of its processes cannot be started.
    pub(super) fn new(program: OsString, args: Vec<OsString>, retry_after: Duration, is_patient: bool) -> Result<Self> {
        Ok(Self {
            program,
            args,
            retry_after,
            is_patient,
            is_failing: AtomicBool::new(false),
            guard: Arc::new(Guard::start()?),
        })
    }

    /// Whether the command could not be started, and no job waits until it can.
    pub(super) fn gives_up(&self) -> bool {
        !self.is_patient && self.is_failing.load(Ordering::Relaxed)
    }

    /// Starts the command for a job.
    ///
    /// # Errors
    /// What becomes of the job if it is not started.
    async fn start(&self, job: &ClaimedJob, causes: &mut Causes<'_>) -> Result<Group, Outcome> {
        let shown = || printable(&self.program.to_string_lossy());
        let mut pauses = Pauses::default();
        loop {
            let command = self.command(job, causes);
            let error = match command.and_then(|mut command| Group::spawn(&mut command, self.guard.clone())) {
                Ok(group) => {
                    if self.is_patient && self.is_failing.swap(false, Ordering::Relaxed) {
                        tell::note(format!("{} can be started again", shown()));
                    }
                    return Ok(group);
                }
                Err(error) => error,
            };
            // A fact of the job that cannot stand in an environment: it never will.
            if error.kind() == io::ErrorKind::InvalidInput {
                let error = format!("cannot start {}: {error}", self.program.to_string_lossy());
                return Err(Outcome::Failed { error });
            }
            // As when there are too many processes: the job has no part in it.
            if !self.is_failing.swap(true, Ordering::Relaxed) {
                let then = match self.is_patient {
                    true => "Trying again until it can",
                    false => "No more jobs are taken",
                };
                tell::note(format!("cannot start {}: {error}. {then}", shown()));
            }
            if !self.is_patient {
                return Err(Outcome::NotBegun);
            }
            causes.pause(pauses.next()).await?;
        }
    }

    fn command(&self, job: &ClaimedJob, causes: &Causes<'_>) -> io::Result<Command> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .stdin(input(job.payload())?)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, value) in causes.facts(job) {
            match value {
                Some(value) => command.env(name, value),
                // One that is the worker's own is not the job's.
                None => command.env_remove(name),
            };
        }
        Ok(command)
    }

    /// Runs the command for a job, until it ends or is to be ended. Nothing of its process group remains.
    pub(super) async fn run(&self, job: &ClaimedJob, causes: &mut Causes<'_>) -> Outcome {
        let mut group = match self.start(job, causes).await {
            Ok(group) => group,
            Err(outcome) => return outcome,
        };
        let (mut output, mut tail) = (Output::default(), Tail::default());
        let child = group.child();
        let pipes = (child.stdout.take(), child.stderr.take());
        let cause = {
            let mut talk = Box::pin(async {
                let (stdout, stderr) = pipes;
                tokio::join!(keep_start(stdout, &mut output), pass_on(stderr, &mut tail))
            });
            let mut is_silent = false;
            let mut end = Box::pin(end(&group, causes));
            let cause = loop {
                tokio::select! {
                    cause = &mut end => break cause,
                    _ = &mut talk, if !is_silent => is_silent = true,
                }
            };
            drop(end);
            group.kill_rest();
            if !is_silent {
                tokio::select! {
                    biased;
                    _ = timeout(LAST_OUTPUT, talk) => {}
                    _ = causes.next() => {}
                }
            }
            cause
        };
        match (cause, group.status().await) {
            (Some(cause), Ok(status)) if status.success() && cause.lets_be_done() => Outcome::Done(output),
            (Some(cause), _) => cause.outcome(&tail.0),
            (None, Ok(status)) => self.outcome(status, output, &tail),
            (None, Err(error)) => Outcome::Failed {
                error: format!("how the command ended is not known: {error}"),
            },
        }
    }

    fn outcome(&self, status: ExitStatus, output: Output, tail: &Tail) -> Outcome {
        let what = match (status.code(), status.signal()) {
            (Some(0), _) => return Outcome::Done(output),
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("killed by signal {signal}"),
            (None, None) => status.to_string(),
        };
        let error = error_with_end(&what, &tail.0);
        match status.code() {
            Some(TRY_LATER) => Outcome::Later {
                delay: self.retry_after,
                error,
            },
            _ => Outcome::Failed { error },
        }
    }
}

/// Waits for the command's end, and brings it about when there is a cause. Returns the first one.
async fn end(group: &Group, causes: &mut Causes<'_>) -> Option<Cause> {
    let mut ended = Box::pin(group.ended());
    let (mut first, mut kill_at) = (None, None::<Instant>);
    loop {
        tokio::select! {
            // A command that has ended is not ended by a cause that comes at the same time.
            biased;
            () = &mut ended => return first,
            cause = causes.next() => {
                first.get_or_insert(cause);
                match cause.is_gentle() {
                    true => {
                        group.signal(Signal::TERM);
                        kill_at.get_or_insert(Instant::now() + TERMINATION);
                    }
                    false => group.signal(Signal::KILL),
                }
            }
            () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() => {
                group.signal(Signal::KILL);
                // Killed processes end, but not at once.
                kill_at = Some(Instant::now() + TERMINATION);
            }
        }
    }
}

/// A payload to be read from: a file without a name, which has all of it before the command starts. The end of a pipe would come too
/// early where the worker is killed, and the command would take what it had read for the job.
fn input(payload: &[u8]) -> io::Result<Stdio> {
    let keep = || {
        let mut file = tempfile::tempfile()?;
        file.write_all(payload)?;
        file.rewind()?;
        Ok(file)
    };
    let kept = keep().map_err(|error: io::Error| {
        let folder = std::env::temp_dir();
        io::Error::new(
            error.kind(),
            format!("its input cannot be kept in {}: {error}", folder.display()),
        )
    });
    Ok(kept?.into())
}

/// Keeps the beginning of what a command writes. The rest is read, too, so that the command can go on.
async fn keep_start(from: Option<impl AsyncRead + Unpin>, output: &mut Output) {
    let Some(mut from) = from else { return };
    let mut buffer = Vec::with_capacity(8192);
    while let Ok(1..) = from.read_buf(&mut buffer).await {
        if output.has_room() {
            output.0.extend_from_slice(&buffer);
        }
        buffer.clear();
    }
}

/// Passes on what a command writes, and keeps the end of it.
async fn pass_on(from: Option<impl AsyncRead + Unpin>, tail: &mut Tail) {
    let Some(mut from) = from else { return };
    let mut buffer = Vec::with_capacity(8192);
    while let Ok(1..) = from.read_buf(&mut buffer).await {
        tail.push(&buffer);
        tell::pass_on(&buffer);
        buffer.clear();
    }
}

/// The end of a text, somewhat longer than what is kept of an error.
#[derive(Default)]
struct Tail(Vec<u8>);

impl Tail {
    fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        let over = self.0.len().saturating_sub(2 * MAX_ERROR);
        self.0.drain(..over);
    }
}
