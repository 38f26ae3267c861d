//! The file that is imported.

use crate::export_file::{Header, Trailer, VERSION};
use crate::input::{Input, is_stdin};
use crate::insertion::{Batch, Cutter};
use crate::time;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::thread::{self, JoinHandle};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// No trailer is longer.
const MAX_TRAILER_BYTES: u64 = 256;

/// A file whose beginning and end were looked at.
pub(super) struct ImportFile {
    pub(super) header: Header,
    pub(super) input: Input,
    exported_at: i64,
    is_partial: bool,
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
    /// Opens the file, and finds out whether it is an export, and complete. Standard input is copied first, for its end must
    /// be seen.
    pub(super) fn open(path: &Path, is_partial: bool) -> Result<Self> {
        let (mut file, name) = match is_stdin(path) {
            true => (
                spooled().context("cannot keep standard input")?,
                "standard input".to_owned(),
            ),
            false => {
                let name = path.display().to_string();
                (File::open(path).with_context(|| format!("cannot open {name}"))?, name)
            }
        };
        let cannot = || format!("cannot read {name}");
        let size = file.metadata().with_context(cannot)?.len();
        let is_complete = has_trailer(&mut file, size).with_context(cannot)?;
        file.rewind().with_context(cannot)?;
        let mut input = Input::new(BufReader::with_capacity(256 * 1024, file), name, Some(size));
        let first = input.next()?.unwrap_or_default();
        let header = serde_json::from_slice::<Header>(&first);
        let header = header.with_context(|| {
            format!(
                "{} was not written by `presque export`: its first line is another",
                input.name
            )
        })?;
        ensure!(header.presque_export == VERSION, "{} is of a newer presque", input.name);
        ensure!(
            is_complete || is_partial,
            "{} is not complete: its last line, with the number of jobs, is missing. Nothing was inserted; --partial inserts what there is",
            input.name
        );
        let exported_at = time::parse(&header.exported_at);
        let exported_at = exported_at.with_context(|| format!("{}: exported_at is no time", input.place()))?;
        Ok(Self {
            header,
            input,
            exported_at,
            is_partial: !is_complete,
        })
    }

    /// Reads the jobs on a thread of its own, since reading blocks. It returns what was passed over.
    pub(super) fn cut(mut self, takes_dead: bool) -> (Receiver<Result<Batch>>, JoinHandle<Passed>) {
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

    fn read(&mut self, takes_dead: bool, passed: &mut Passed, batches: &Sender<Result<Batch>>) -> Result<()> {
        let mut cutter = Cutter::default();
        let send = |batch: Option<Batch>| match batch.map(|batch| batches.blocking_send(Ok(batch))) {
            Some(Err(_)) => bail!("the insertion has ended"),
            _ => Ok(()),
        };
        let (mut state, mut lines) = (String::new(), 0);
        while let Some(text) = self.input.next()? {
            if let Some(trailer) = trailer(&text) {
                ensure!(
                    trailer.jobs == lines,
                    "{}: the file has {lines} jobs, and had {} when it was written",
                    self.input.place(),
                    trailer.jobs
                );
                continue;
            }
            lines += 1;
            let line = match serde_json::from_slice::<Line>(&text) {
                // The last line may be cut off.
                Err(_) if self.is_partial && Some(self.input.bytes) == self.input.size => break,
                line => line.with_context(|| format!("{}: this is no job", self.input.place()))?,
            };
            // Batches of one state: so the keys of the others are the same with and without dead jobs.
            if line.state != state {
                send(cutter.cut())?;
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
                    send(cutter.add(serde_json::to_vec(&job)?, self.input.line, headers, self.input.bytes))?;
                }
            }
        }
        send(cutter.cut())
    }
}

impl Line {
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
                let at = time::parse(&time).with_context(|| format!("expires_at is no time: {time:?}"))?;
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

/// A file with all of standard input, which has no name.
fn spooled() -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut io::stdin().lock(), &mut file)?;
    Ok(file)
}

/// Whether the file's last line says how many jobs there are.
fn has_trailer(file: &mut File, size: u64) -> io::Result<bool> {
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(size.saturating_sub(MAX_TRAILER_BYTES)))?;
    file.take(MAX_TRAILER_BYTES).read_to_end(&mut end)?;
    let lines = end.strip_suffix(b"\n").unwrap_or(&end);
    let last = lines.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
    Ok(trailer(last).is_some())
}

fn trailer(line: &[u8]) -> Option<Trailer> {
    // Without the look at its beginning, each job would be read twice.
    line.starts_with(b"{\"presque_export_end\"")
        .then(|| serde_json::from_slice(line).ok())?
}
