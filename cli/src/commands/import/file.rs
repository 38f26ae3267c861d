//! The file that is imported.

use crate::export_file::{Header, Trailer, VERSION};
use crate::input::{Input, is_stdin};
use crate::insertion::{Batch, Cutter, Job};
use anyhow::{Context, Result, bail, ensure};
use presque::queue::{Timestamp, rfc3339};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::fs::File;
use std::io::{self, BufReader, Seek};
use std::path::Path;
use std::thread::{self, JoinHandle};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// A file that was read once, and is at its first job.
pub(super) struct ImportFile {
    pub(super) header: Header,
    pub(super) input: Input,
    exported_at: i64,
    cutter: Cutter,
    /// How many lines are jobs.
    jobs: u64,
}

/// A setting.
#[derive(Deserialize)]
struct Settings {
    paused: bool,
}

/// What was not inserted as it was.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Passed {
    /// Dead jobs that were passed over.
    pub(super) dead: u64,
    /// So were these, which were done or cancelled.
    pub(super) ended: u64,
    /// Payloads that are no JSON, and became JSON strings.
    pub(super) texts: u64,
}

/// A line: a job as the interface shows it.
#[derive(Deserialize)]
struct Line {
    state: String,
    #[serde(default, deserialize_with = "present")]
    payload: Option<Box<RawValue>>,
    payload_text: Option<String>,
    priority: u8,
    run_at: Option<String>,
    max_attempts: Option<u32>,
    backoff: Option<Box<RawValue>>,
    timeout: Option<Box<RawValue>>,
    expires_at: Option<String>,
    unique: Option<Box<RawValue>>,
    metadata: Option<Box<RawValue>>,
    metadata_text: Option<String>,
    traceparent: Option<String>,
    tracestate: Option<String>,
}

/// A job as an insert takes it.
#[derive(Serialize)]
struct NewJob {
    payload: Box<RawValue>,
    priority: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_attempts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    backoff: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timeout: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Box<RawValue>>,
}

impl ImportFile {
    /// Opens the file, and reads it to its end, to find out whether it is an export, and complete. What is no regular file is copied
    /// first, since it can be read once only.
    pub(super) fn open(path: &Path, is_partial: bool) -> Result<Self> {
        let (mut file, name) = match is_stdin(path) {
            true => (
                spooled(io::stdin().lock()).context("cannot keep standard input")?,
                "standard input".to_owned(),
            ),
            false => {
                let name = path.display().to_string();
                let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
                match file.metadata().is_ok_and(|about| about.is_file()) {
                    true => (file, name),
                    false => (spooled(file).with_context(|| format!("cannot keep {name}"))?, name),
                }
            }
        };
        let cannot = || format!("cannot read {name}");
        let size = file.metadata().with_context(cannot)?.len();
        let again = file.try_clone().with_context(cannot)?;
        let (mut input, first) = first_line(again, &name, size)?;
        let header = serde_json::from_slice::<Header>(&first);
        let header = header.with_context(|| {
            format!(
                "{} was not written by `presque export`: its first line is another",
                input.name
            )
        })?;
        ensure!(header.presque_export == VERSION, "{} is of a newer presque", input.name);
        let exported_at = rfc3339::parse(&header.exported_at).map(Timestamp::as_millis);
        let exported_at = exported_at.with_context(|| format!("{}: exported_at is no time", input.place()))?;
        let jobs = check(&mut input, exported_at, is_partial)?;
        file.rewind().with_context(cannot)?;
        let (input, _) = first_line(file, &name, size)?;
        Ok(Self {
            header,
            input,
            exported_at,
            cutter: Cutter::new(&first),
            jobs,
        })
    }

    /// Whether its settings hold the queue's jobs back.
    pub(super) fn is_stopped(&self) -> bool {
        serde_json::from_str(self.header.settings.get()).is_ok_and(|Settings { paused }| paused)
    }

    /// Reads the jobs on a thread of its own, since reading blocks. It returns what was passed over.
    pub(super) fn cut(self, takes_dead: bool) -> (Receiver<Result<Batch>>, JoinHandle<Passed>) {
        let (sender, batches) = mpsc::channel(1);
        let reader = thread::spawn(move || {
            let mut passed = Passed::default();
            if let Err(error) = self.read(takes_dead, &mut passed, &sender) {
                // Nobody is left to tell when the command has ended meanwhile.
                let _ = sender.blocking_send(Err(error));
            }
            passed
        });
        (batches, reader)
    }

    fn read(mut self, takes_dead: bool, passed: &mut Passed, batches: &Sender<Result<Batch>>) -> Result<()> {
        let send = |batch: Option<Batch>| match batch.map(|batch| batches.blocking_send(Ok(batch))) {
            Some(Err(_)) => bail!("the insertion has ended"),
            _ => Ok(()),
        };
        let mut state = String::new();
        for _ in 0..self.jobs {
            let text = self.input.next()?.unwrap_or_default();
            let line = Line::parse(&text, &self.input)?;
            // Batches of one state: so the keys of the others are the same with and without dead jobs.
            if line.state != state {
                send(self.cutter.cut())?;
                state.clone_from(&line.state);
            }
            match line.state.as_str() {
                "done" | "cancelled" => passed.ended += 1,
                "dead" if !takes_dead => passed.dead += 1,
                _ => {
                    let headers = line.headers();
                    let job = line
                        .into_new(self.exported_at, passed)
                        .with_context(|| self.input.place())?;
                    let job = Job {
                        json: serde_json::to_vec(&job)?,
                        line: self.input.line,
                        // Not one that depends on whether dead jobs are taken.
                        number: self.input.line,
                    };
                    send(self.cutter.add(job, headers, self.input.bytes))?;
                }
            }
        }
        send(self.cutter.end())
    }
}

impl Line {
    fn parse(text: &[u8], input: &Input) -> Result<Self> {
        serde_json::from_slice(text).with_context(|| format!("{}: this is no job", input.place()))
    }

    /// What an insert takes as headers.
    fn headers(&self) -> Vec<(&'static str, String)> {
        let traces = [("traceparent", &self.traceparent), ("tracestate", &self.tracestate)];
        traces
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.clone()?)))
            .collect()
    }

    fn into_new(self, exported_at: i64, passed: &mut Passed) -> Result<NewJob> {
        let payload = match (self.payload, self.payload_text) {
            (Some(json), _) => json,
            (None, Some(text)) => match RawValue::from_string(text.clone()) {
                Ok(json) => json,
                Err(_) => {
                    passed.texts += 1;
                    to_raw_value(&text)?
                }
            },
            (None, None) => bail!("the job has no payload"),
        };
        let metadata = match (self.metadata, self.metadata_text) {
            (None, Some(text)) => Some(RawValue::from_string(text).context("metadata_text is no JSON")?),
            (metadata, _) => metadata,
        };
        let expires_in = match self.expires_at {
            None => None,
            Some(time) => {
                let at = rfc3339::parse(&time)
                    .map(Timestamp::as_millis)
                    .with_context(|| format!("expires_at is no time: {time:?}"))?;
                // At least a millisecond, which is the least that an insert takes: it is dead at once, as it would be.
                Some(((at - exported_at) as f64 / 1000.0).max(0.001))
            }
        };
        Ok(NewJob {
            payload,
            priority: self.priority,
            run_at: self.run_at,
            max_attempts: self.max_attempts,
            backoff: self.backoff,
            timeout: self.timeout,
            expires_in,
            unique: self.unique,
            metadata,
        })
    }
}

/// A member that is there, be it null: that is a payload like any other.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(value).map(Some)
}

/// A file with all of this, which has no name.
fn spooled(mut from: impl io::Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut from, &mut file)?;
    file.rewind()?;
    Ok(file)
}

/// The file and its first line.
fn first_line(file: File, name: &str, size: u64) -> Result<(Input, Vec<u8>)> {
    let mut input = Input::new(BufReader::with_capacity(256 * 1024, file), name.to_owned(), Some(size));
    let first = input.next()?.unwrap_or_default();
    Ok((input, first))
}

/// Reads the file to its end. Returns how many jobs it has.
fn check(input: &mut Input, exported_at: i64, is_partial: bool) -> Result<u64> {
    let (mut jobs, mut passed) = (0, Passed::default());
    while let Some(text) = input.next()? {
        if let Some(trailer) = trailer(&text) {
            ensure!(
                trailer.jobs == jobs,
                "{}: the file has {jobs} jobs, and had {} when it was written. Nothing was inserted",
                input.place(),
                trailer.jobs
            );
            ensure!(
                input.next()?.is_none(),
                "{}: here the export had ended. Nothing was inserted",
                input.place()
            );
            return Ok(jobs);
        }
        match Line::parse(&text, input) {
            // This line is where it was cut off.
            Err(_) if !input.has_end => break,
            line => line
                .and_then(|line| line.into_new(exported_at, &mut passed).with_context(|| input.place()))
                .context("Nothing was inserted")?,
        };
        jobs += 1;
    }
    ensure!(
        is_partial,
        "{} is not complete: its last line, with the number of jobs, is missing. Nothing was inserted; --partial inserts what there is",
        input.name
    );
    Ok(jobs)
}

fn trailer(line: &[u8]) -> Option<Trailer> {
    // Without the look at its beginning, each job would be read twice.
    line.starts_with(b"{\"presque_export_end\"")
        .then(|| serde_json::from_slice(line).ok())?
}
