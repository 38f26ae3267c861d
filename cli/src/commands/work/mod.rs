//! `presque work`: a worker without code. Each job is given to a command, or posted to a local HTTP server.

mod attempt;
mod causes;
mod command;
mod facts;
mod group;
mod guard;
mod lease;
mod outcome;
mod post;
mod server;
mod stop;
mod target;
mod tell;
mod worker;

pub(crate) use guard::run as run_guard;

use crate::api::Api;
use crate::exit::Exit;
use crate::output::Output;
use anyhow::Result;
use clap::builder::RangedU64ValueParser;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The longest time that a nack can ask for: ten years.
const MAX_SECONDS: f64 = 315_360_000.0;

/// Works on jobs with a command, or with a local HTTP server.
///
/// The command is run once for each job. The payload is on its standard input, and facts about the job are in its environment:
/// PRESQUE_QUEUE, PRESQUE_JOB_ID, PRESQUE_ATTEMPT, PRESQUE_FAILURES, PRESQUE_PRIORITY, PRESQUE_INSERTED_AT, PRESQUE_LEASE_ENDS_AT (the first
/// end: the lease is extended while the command runs), and, if the job has them, PRESQUE_METADATA (JSON) and TRACEPARENT. The rest of the
/// environment is the worker's, with PRESQUE_URL and PRESQUE_KEY if they are set there.
///
/// Exit status 0 means done. Standard output is then the result: JSON as it is, other text as a string. A result of more than 64 KiB is not
/// kept. That is so also after SIGTERM, for --timeout or since the worker ends: a command that was not finished must end with another
/// status.
///
/// Exit status 75 means that the job cannot be done now: it is tried again after --retry-after, however often. That is no failure.
///
/// Any other, or a signal, means failed: the job is tried again as its backoff says, and is dead after max_attempts failures. The job keeps
/// the end of standard error, up to 4 KiB; after 75, too.
///
/// Standard error is passed on. What the command leaves running in its process group when it ends is killed. If the lease is lost, as when
/// the job is cancelled, the group is ended, too. A command that cannot be started makes no job fail: the job waits until it can, or is
/// given back with --once and --until-empty, which then end with exit code 1.
///
/// SIGTERM, SIGHUP or Ctrl-C ends the worker: it takes no more jobs, lets commands run for up to --grace seconds, ends those that still
/// run, and gives their jobs back. A second signal, a second later or more, kills the commands at once. Ctrl-Z does nothing.
///
/// With --json each job that ends is a line with its queue, id, attempt, seconds, and status: done, failed, later (75), dead (failed for the
/// last time), returned (given back), lost (its lease is over), cancelled, or untold (the server could not be told how it ended).
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Work {
    /// The queues, up to 20. Jobs of the first one go first.
    #[arg(required = true, num_args = 1..=20, value_name = "QUEUE")]
    queues: Vec<String>,

    /// The command and its arguments, after `--`.
    #[arg(
        last = true,
        required_unless_present = "to",
        conflicts_with = "to",
        value_name = "COMMAND"
    )]
    command: Vec<OsString>,

    /// POST each payload to this address instead of running a command.
    ///
    /// The facts are headers: Presque-Queue, Presque-Job-Id, ..., and traceparent. A status of
    /// 200 to 299 means done, and the body is the result; 429 and 503 mean that it cannot be done now, as exit status 75, and is tried
    /// again after the answer's Retry-After, or --retry-after; any other status means failed. While nothing listens there, jobs wait.
    #[arg(long, value_name = "URL")]
    to: Option<reqwest::Url>,

    /// How many jobs to work on at the same time, 1 to 100.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, value_parser = RangedU64ValueParser::<usize>::new().range(1..=100))]
    concurrency: usize,

    /// The worker's name in lists [default: the host's name and the process id].
    #[arg(long, value_name = "NAME")]
    worker: Option<String>,

    /// The lease of each job, 0.1 to 86400 [default: the job's timeout, or the queue's lease].
    #[arg(long, value_name = "SECONDS", value_parser = lease)]
    lease: Option<f64>,

    /// How long a job may take.
    ///
    /// Then its command gets SIGTERM, and SIGKILL 5 seconds later, and the job has failed, unless the command ends with 0. Without it a job may
    /// take any time, since its lease is extended.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,

    /// When to try a job again that cannot be done now, 1 or more.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = pause)]
    retry_after: Duration,

    /// How long commands may still run after SIGTERM, SIGHUP or Ctrl-C.
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    grace: Duration,

    /// End after one job.
    ///
    /// The exit code is 1 if it was not done.
    #[arg(long)]
    once: bool,

    /// End when no job is ready and none runs, instead of waiting for more.
    ///
    /// The exit code is 1 if a job was not done, and with --once 3 if
    /// there was none.
    #[arg(long)]
    until_empty: bool,

    /// Tell of each job that ends, on standard error.
    #[arg(short, long)]
    verbose: bool,
}

impl Work {
    /// Works until a signal, or as the flags say. With `--json` a line for each job that ended.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        if let Some(program) = self.command.first()
            && !is_program(Path::new(program))
        {
            let shown = crate::output::printable(&program.to_string_lossy());
            crate::output::note(format!(
                "error: there is no program {shown}: give a path, or a name on the PATH"
            ));
            return Ok(Exit::Usage);
        }
        let worker = Arc::new(worker::Worker::new(self, api, out)?);
        let stop = worker.stop();
        let exit = worker.run().await.unwrap_or_else(|error| {
            tell::note(format!("error: {error:#}"));
            Exit::of(&error)
        });
        tell::flush(stop.reached(stop::Stage::Stopping)).await;
        Ok(exit)
    }
}

/// Whether a command of this name can be started: else each job would fail for it.
fn is_program(name: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let is_executable = |file: &Path| {
        file.metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    if name.components().count() > 1 || name.is_absolute() {
        return is_executable(name);
    }
    // Without a PATH the system has one of its own: let it look.
    std::env::var_os("PATH").is_none_or(|path| std::env::split_paths(&path).any(|dir| is_executable(&dir.join(name))))
}

fn seconds(text: &str) -> Result<Duration, String> {
    number(text, 0.0, MAX_SECONDS).map(Duration::from_secs_f64)
}

/// What cannot be done now is not tried without a pause.
fn pause(text: &str) -> Result<Duration, String> {
    number(text, 1.0, MAX_SECONDS).map(Duration::from_secs_f64)
}

fn lease(text: &str) -> Result<f64, String> {
    number(text, 0.1, 86_400.0)
}

fn number(text: &str, min: f64, max: f64) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| format!("it must be a number of seconds from {min} to {max}"))
}
