//! `presque export`: all jobs of a queue, as a file.

use crate::api::Api;
use crate::exit::Exit;
use crate::export_file::{Header, Trailer, VERSION, one_line};
use crate::input::is_stdin;
use crate::insertion::Patience;
use crate::output::{self, Output, note, printable};
use crate::progress::Progress;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use presque::queue::{Timestamp, rfc3339};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::NamedTempFile;

/// The most that a page may have.
const PAGE: u64 = 200;

/// Writes all jobs of a queue to a file, for `presque import`.
///
/// The file is JSON Lines: a line about the queue with its settings, a line for each job as the interface shows it, with its
/// payload and options, and a line with the number of jobs, without which a file is not complete. Nothing is changed in the
/// queue.
///
/// Each job is written once, in a state that it had while this ran. Of a queue that is in use the file is no picture of one
/// moment: jobs that are inserted meanwhile may be in it or not, those that end meanwhile may be in it, and one that fails
/// or is given back again and again meanwhile can be missed. A note says so when workers were active. For an exact copy stop the queue (`presque
/// stop`) and let its workers finish.
///
/// It keeps 16 bytes or a little more in memory for each job.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Export {
    /// The queue.
    queue: String,

    /// Where to write. The file gets its name when it is complete. Without it, or with `-`, standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Only jobs in these states. If it is not given: scheduled, ready, active, dead.
    #[arg(long, value_name = "STATE", value_enum, value_delimiter = ',')]
    state: Vec<State>,

    #[command(flatten)]
    patience: Patience,
}

/// Where a job is. In the order in which jobs go from one to the next: one that goes on while they are read is met again,
/// not missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum State {
    Scheduled,
    Ready,
    Active,
    Done,
    Dead,
    Cancelled,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Ready => "ready",
            Self::Active => "active",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

#[derive(Deserialize)]
struct Queue {
    settings: Box<RawValue>,
    counts: Counts,
    totals: Totals,
}

#[derive(Deserialize)]
struct Counts {
    ready: u64,
    scheduled: u64,
    active: u64,
    done: u64,
    dead: u64,
    cancelled: u64,
}

#[derive(Deserialize)]
struct Totals {
    claimed: u64,
}

#[derive(Deserialize)]
struct Page {
    jobs: Vec<Box<RawValue>>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

impl Export {
    /// Writes the file, and says how many jobs it has.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let Some(path) = self.output.as_deref().filter(|path| !is_stdin(path)) else {
            let mut writer = BufWriter::new(io::stdout());
            let jobs = self.write(api, &mut writer).await?;
            writer.flush()?;
            note(format!("{} exported", output::jobs(jobs)));
            return Ok(Exit::Done);
        };
        let cannot = || format!("cannot write {}", path.display());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let file = NamedTempFile::new_in(folder.unwrap_or(Path::new("."))).with_context(cannot)?;
        let mut writer = BufWriter::with_capacity(256 * 1024, file);
        let jobs = tokio::select! {
            jobs = self.write(api, &mut writer) => jobs?,
            _ = tokio::signal::ctrl_c() => bail!("interrupted: {} was not written", path.display()),
        };
        let file = writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)
            .with_context(cannot)?;
        file.as_file().sync_all().with_context(cannot)?;
        file.persist(path).map_err(|failed| failed.error).with_context(cannot)?;
        let value = json!({ "queue": self.queue, "exported": jobs, "file": path });
        out.either(&value, || format!("{} exported", output::jobs(jobs)))?;
        Ok(Exit::Done)
    }

    async fn write(&self, api: &Api, writer: &mut impl Write) -> Result<u64> {
        let mut states = match self.state.is_empty() {
            true => vec![State::Scheduled, State::Ready, State::Active, State::Dead],
            false => self.state.clone(),
        };
        states.sort_unstable();
        states.dedup();
        let before = self.queue(api).await?;
        let header = Header {
            presque_export: VERSION,
            queue: self.queue.clone(),
            exported_at: rfc3339::format(now()),
            settings: before.settings.clone(),
        };
        put(writer, &serde_json::to_string(&header)?)?;
        let mut seen = HashSet::new();
        let progress = Progress::new(Some(before.count(&states)));
        for &state in &states {
            self.walk(api, state, &mut seen, writer, &progress).await?;
        }
        if before.may_go_back(&self.queue(api).await?) {
            // Those that failed, lost their lease or were given back, and those that were redriven, may be where we have been already; and may have died
            // before we get there again.
            for &state in states
                .iter()
                .filter(|&&state| state <= State::Active || state == State::Dead)
            {
                self.walk(api, state, &mut seen, writer, &progress).await?;
            }
            progress.note(format!(
                "The queue was in use: a job may be missing. For an exact copy stop it (`presque stop {}`), and let its workers finish.",
                printable(&self.queue)
            ));
        }
        let jobs = seen.len() as u64;
        let trailer = Trailer {
            presque_export_end: VERSION,
            jobs,
        };
        put(writer, &serde_json::to_string(&trailer)?)?;
        Ok(jobs)
    }

    async fn queue(&self, api: &Api) -> Result<Queue> {
        let request = api.get(&["queues", &self.queue]);
        Ok(api.send_until(&request, self.patience.go_on(note)).await?)
    }

    /// Writes the jobs of a state that are not among those seen.
    async fn walk(
        &self,
        api: &Api,
        state: State,
        seen: &mut HashSet<u128>,
        writer: &mut impl Write,
        progress: &Progress,
    ) -> Result<()> {
        let first = api.get(&["queues", &self.queue, "jobs"]);
        let first = first
            .query("state", state.name())
            .query("limit", PAGE)
            .query("payload", true);
        let mut request = first.clone();
        loop {
            let go_on = self.patience.go_on(|text| progress.note(text));
            let page: Page = api.send_until(&request, go_on).await?;
            for job in &page.jobs {
                let Id { id } =
                    serde_json::from_str(job.get()).context("the server answered with a job without an id")?;
                let number = u128::from_str_radix(&id, 16).with_context(|| format!("{id:?} is no id of a job"))?;
                if seen.insert(number) {
                    put(writer, &one_line(job)?)?;
                }
            }
            progress.at(seen.len() as u64, seen.len() as u64);
            let Some(next) = page.next else {
                return Ok(());
            };
            request = first.clone().query("cursor", next);
        }
    }
}

impl Queue {
    fn count(&self, states: &[State]) -> u64 {
        let counts = &self.counts;
        let count = |state: &State| match state {
            State::Scheduled => counts.scheduled,
            State::Ready => counts.ready,
            State::Active => counts.active,
            State::Done => counts.done,
            State::Dead => counts.dead,
            State::Cancelled => counts.cancelled,
        };
        states.iter().map(count).sum()
    }

    /// Whether jobs may have become ready or scheduled again between this and the queue as it is now: only those that were
    /// active or dead do.
    fn may_go_back(&self, now: &Self) -> bool {
        self.counts.active > 0 || self.totals.claimed != now.totals.claimed || self.counts.dead > now.counts.dead
    }
}

fn put(writer: &mut impl Write, line: &str) -> Result<()> {
    writer.write_all(line.as_bytes())?;
    Ok(writer.write_all(b"\n")?)
}

/// The time now, by this machine's clock.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
