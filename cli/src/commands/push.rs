//! `presque push`: jobs go in.

use crate::api::Api;
use crate::exit::{self, Exit};
use crate::input::{Input, is_stdin};
use crate::insertion::{Batch, Cutter, EARLIER, Inserted, Insertion, Job, Keys, Patience, random};
use crate::output::{self, Output, note};
use crate::progress::Progress;
use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::thread;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// Inserts jobs: one, or one for each line of a file.
///
/// With a payload as an argument it inserts this job, and prints its id. Else it reads a file or standard input: each line
/// is the payload of a job (JSON Lines; with --text, any text). Blank lines are passed over.
///
/// Lines are sent in batches of 1000 jobs, in their order, each with an Idempotency-Key, so that nothing is stored twice
/// however often a batch must be sent. With --resume the keys come from the queue, the options, the first line, and the places
/// of the jobs in the input. So the same command again, within 24 hours of the first time, inserts only what is missing, also where the
/// input has more lines at its end by then: use it for a file from the first time on. After that all of it is inserted again. Without it the same file again is inserted again.
/// Equal lines are different jobs in any case.
///
/// With --resume inputs that begin with the same line are taken for one; lines that were changed since are found, and an error.
/// So one with another first line is another input, and is inserted from its beginning. Give inputs that begin alike an
/// --idempotency-key each: it does the same as --resume. With either the last line must have its line end, since one without it
/// may have been cut off.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Push {
    /// The queue. It exists from its first job on.
    queue: String,

    /// The payload of one job: any JSON value.
    #[arg(allow_negative_numbers = true)]
    payload: Option<String>,

    /// Read a job per line from this file; `-` is standard input.
    #[arg(long, short, value_name = "FILE", conflicts_with = "payload")]
    file: Option<PathBuf>,

    /// Payloads are texts, each of which becomes a JSON string.
    #[arg(long)]
    text: bool,

    #[command(flatten)]
    options: Options,

    /// The unique key of one job: it is not inserted while another job of the queue holds the key.
    #[arg(long, value_name = "KEY", requires = "payload")]
    unique: Option<String>,

    /// Names this insert: within 24 hours the same one with the same key is not carried out again. With lines, as --resume.
    #[arg(long, value_name = "KEY", conflicts_with = "resume", value_parser = idempotency_key)]
    idempotency_key: Option<String>,

    /// Insert only those lines that no run before with --resume, of the same input with the same options, has inserted.
    #[arg(long, conflicts_with = "payload")]
    resume: bool,

    /// How many batches are sent at the same time. With more than one the jobs may get another order than their lines have. Not
    /// with --resume: its keys hold only where nothing is stored behind what is not.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with_all = ["resume", "idempotency_key"],
        value_parser = clap::value_parser!(u8).range(1..=16))]
    parallel: u8,

    #[command(flatten)]
    patience: Patience,
}

/// What holds for each job.
#[derive(Clone, Debug, Serialize, clap::Args)]
struct Options {
    /// Seconds before which the job is not handed out.
    #[arg(long, value_name = "SECONDS", conflicts_with = "run_at")]
    #[serde(skip_serializing_if = "Option::is_none")]
    delay: Option<f64>,

    /// The time before which the job is not handed out, as in 2026-12-24T18:00:00+01:00.
    #[arg(long = "at", value_name = "TIME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    run_at: Option<String>,

    /// 9 goes first, 0 last; 4 if it is not given.
    #[arg(long, value_name = "0-9", value_parser = clap::value_parser!(u8).range(0..=9))]
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,

    /// After so many failures the job is dead; if it is not given, what is set for the queue.
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    max_attempts: Option<u16>,

    /// After so many seconds the job is dead instead of handed out.
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<f64>,
}

/// A job that was inserted, or the one that holds its unique key.
#[derive(Deserialize, Serialize)]
struct One {
    id: String,
    queue: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    duplicate: bool,
}

impl Push {
    /// Prints the id of the one job, or how many were inserted.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        match (&self.payload, &self.file) {
            (Some(payload), _) => self.one(api, out, payload).await,
            (None, None) if io::stdin().is_terminal() => {
                note("error: nothing to insert: give a payload, or --file, or jobs on standard input");
                Ok(Exit::Usage)
            }
            (None, file) => self.lines(api, out, file.as_deref().unwrap_or(Path::new("-"))).await,
        }
    }

    async fn one(&self, api: &Api, out: Output, payload: &str) -> Result<Exit> {
        let form = Form::new(self.text, &self.options)?;
        let mut job = form.job(payload.as_bytes()).context("the payload")?;
        if let Some(key) = &self.unique {
            job.pop();
            job.extend_from_slice(b",\"unique\":");
            job.extend_from_slice(&serde_json::to_vec(&json!({ "key": key }))?);
            job.push(b'}');
        }
        let key = match &self.idempotency_key {
            Some(key) => key.clone(),
            None => random()?,
        };
        let request = api.post(&["queues", &self.queue, "jobs"]).body(job);
        let request = request.header("idempotency-key", &format!("\"{key}\""))?;
        let one: One = api.send_until(&request, self.patience.go_on(note)).await?;
        if one.duplicate {
            note("Nothing was inserted: this job holds the unique key.");
        }
        out.either(&one, || one.id.clone())?;
        Ok(Exit::Done)
    }

    async fn lines(&self, api: &Api, out: Output, path: &Path) -> Result<Exit> {
        let input = Input::open(path)?;
        let (name, progress) = (input.name.clone(), Progress::new(input.size));
        let is_repeatable = self.resume || self.idempotency_key.is_some();
        let form = Form::new(self.text, &self.options)?;
        let batches = cut(input, form, is_repeatable, self.parallel);
        let keys = match &self.idempotency_key {
            Some(key) => Keys::Named(key.clone()),
            None if self.resume => Keys::Digest("push"),
            None => Keys::random()?,
        };
        let insertion = Insertion {
            api,
            queue: &self.queue,
            keys: &keys,
            patience: self.patience,
            progress: &progress,
            input: &name,
            at_once: self.parallel.into(),
        };
        let (inserted, ended) = insertion.run(batches).await;
        ended.map_err(|error| {
            exit::partly(
                error,
                inserted.line > 0 || inserted.is_open,
                self.how_far(path, &inserted),
            )
        })?;
        drop(progress);
        let Inserted { jobs, duplicates, .. } = inserted;
        let by = if is_repeatable { EARLIER } else { "" };
        let value = json!({ "queue": self.queue, "inserted": jobs, "duplicates": duplicates });
        out.either(&value, || format!("{} inserted{by}", output::jobs(jobs)))?;
        Ok(Exit::Done)
    }

    /// What is known of the jobs when it ended too early, and how to go on.
    fn how_far(&self, path: &Path, inserted: &Inserted) -> String {
        let (line, is_repeatable) = (inserted.line, self.resume || self.idempotency_key.is_some());
        let how = match inserted.is_open {
            _ if is_repeatable => "the same command again inserts the rest".to_owned(),
            true => "and maybe some after it: look at the queue before you go on".to_owned(),
            false if is_stdin(path) => "go on with the lines after it".to_owned(),
            false => format!("go on with `tail -n +{}`", line + 1),
        };
        format!(
            "{} inserted, all up to line {line} ({how})",
            output::jobs(inserted.jobs)
        )
    }
}

/// A key that can stand in quotes in a header.
fn idempotency_key(key: &str) -> Result<String, &'static str> {
    let is_plain = |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    match key.bytes().all(is_plain) && !key.is_empty() {
        true => Ok(key.to_owned()),
        false => Err("a key has printable ASCII characters except \" and \\"),
    }
}

/// How a line becomes a job.
struct Form {
    is_text: bool,
    /// What follows the payload, to the end of the object.
    members: Vec<u8>,
}

impl Form {
    fn new(is_text: bool, options: &Options) -> Result<Self> {
        let options = serde_json::to_string(options)?;
        let members = options.strip_prefix('{').unwrap_or_default();
        let comma = if members == "}" { "" } else { "," };
        Ok(Self {
            is_text,
            members: format!("{comma}{members}").into_bytes(),
        })
    }

    fn job(&self, payload: &[u8]) -> Result<Vec<u8>> {
        let text = std::str::from_utf8(payload).context("the text is not UTF-8")?;
        let json = match self.is_text {
            true => serde_json::to_string(text)?,
            false => serde_json::from_str::<&RawValue>(text)
                .context("this is not JSON (--text is for lines of text)")?
                .get()
                .to_owned(),
        };
        Ok([b"{\"payload\":", json.as_bytes(), &self.members].concat())
    }
}

/// Reads on a thread of its own, since reading blocks; and no runtime's, which would be waited for at the end. A few batches
/// ahead.
fn cut(mut input: Input, form: Form, is_repeatable: bool, ahead: u8) -> Receiver<Result<Batch>> {
    let (sender, batches) = mpsc::channel(ahead.into());
    thread::spawn(move || {
        if let Err(error) = read(&mut input, &form, is_repeatable, &sender) {
            // Nobody is left to tell when the command has ended meanwhile.
            let _ = sender.blocking_send(Err(error));
        }
    });
    batches
}

fn read(input: &mut Input, form: &Form, is_repeatable: bool, batches: &Sender<Result<Batch>>) -> Result<()> {
    let (mut cutter, mut number) = (None, 0);
    while let Some(line) = input.next()? {
        if line.trim_ascii().is_empty() {
            continue;
        }
        ensure!(
            input.has_end || !is_repeatable,
            "{}: the last line has no line end, so it may have been cut off. Add one if it is complete",
            input.place()
        );
        number += 1;
        let job = Job {
            json: form.job(&line).with_context(|| input.place())?,
            line: input.line,
            number,
        };
        let cutter = cutter.get_or_insert_with(|| Cutter::new(&job.json));
        if let Some(batch) = cutter.add(job, Vec::new(), input.bytes)
            && batches.blocking_send(Ok(batch)).is_err()
        {
            bail!("the insertion has ended");
        }
    }
    if let Some(batch) = cutter.and_then(Cutter::end) {
        let _ = batches.blocking_send(Ok(batch));
    }
    Ok(())
}
