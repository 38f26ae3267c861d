//! `presque import`: the jobs of an exported file go in again.

mod file;

use crate::api::Api;
use crate::exit::{self, Exit};
use crate::insertion::{EARLIER, Insertion, Keys, Patience};
use crate::output::{self, Output, note, printable};
use crate::progress::Progress;
use anyhow::{Context, Result, anyhow};
use file::ImportFile;
use reqwest::Method;
use serde_json::json;
use std::path::PathBuf;

/// Inserts the jobs of a file that `presque export` wrote.
///
/// Jobs keep their payloads, bytes and all, and their options, and the order that they have in the file. They get new ids,
/// and have not been tried yet. Scheduled jobs keep their time; a job that expires has as long left as it had when it was
/// exported. Jobs that were active are ready. Dead jobs are passed over unless --dead-as-ready is given; so are jobs that
/// are done or cancelled.
///
/// It can be repeated: within 24 hours the same export inserts into the same queue only what is missing there, by keys that
/// are made of its first line, which says when it was made, and the numbers of its lines. So the complete file does after a part of
/// it; another export of the same jobs is inserted again. The keys are forgotten with the queue when that is deleted.
///
/// All of the file is read before anything is inserted, and nothing is of one that is not complete or has a line that is no job.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Import {
    /// The file; `-` is standard input.
    #[arg(default_value = "-")]
    file: PathBuf,

    /// Insert into this queue, instead of one with the name of that which was exported.
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,

    /// Set the queue's settings as they were, too.
    #[arg(long)]
    settings: bool,

    /// Insert dead jobs, too, as ready ones.
    #[arg(long)]
    dead_as_ready: bool,

    /// Insert what there is of a file that was cut off.
    #[arg(long)]
    partial: bool,

    #[command(flatten)]
    patience: Patience,
}

impl Import {
    /// Prints how many jobs were inserted and passed over.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let file = ImportFile::open(&self.file, self.partial)?;
        let queue = self.queue.as_deref().unwrap_or(&file.header.queue).to_owned();
        if self.settings {
            let request = api.request(Method::PUT, &["queues", &queue]);
            let request = request.body(file.header.settings.get().as_bytes().to_vec());
            let set: Result<serde_json::Value, _> = api.send_until(&request, self.patience.go_on(note)).await;
            set.context("the settings")?;
            if file.is_stopped() {
                note(format!(
                    "The queue is stopped, as it was: presque start {}",
                    printable(&queue)
                ));
            }
        }
        let (name, progress) = (file.input.name.clone(), Progress::new(file.input.size));
        let (batches, reader) = file.cut(self.dead_as_ready);
        let insertion = Insertion {
            api,
            queue: &queue,
            keys: &Keys::Digest("import"),
            patience: self.patience,
            progress: &progress,
            input: &name,
            at_once: 1,
        };
        let (inserted, ended) = insertion.run(batches).await;
        let jobs = inserted.jobs;
        ended.map_err(|error| {
            let text = format!(
                "{} inserted, all up to line {} (the same command again inserts the rest)",
                output::jobs(jobs),
                inserted.line
            );
            exit::partly(error, self.settings || inserted.line > 0, text)
        })?;
        let passed = reader.join().map_err(|_| anyhow!("{name} could not be read"))?;
        drop(progress);
        if passed.texts > 0 {
            note(format!(
                "{} payloads were no JSON, and are JSON strings now.",
                passed.texts
            ));
        }
        let value = json!({
            "queue": queue, "inserted": jobs, "duplicates": inserted.duplicates, "dead": passed.dead, "ended": passed.ended,
        });
        out.either(&value, || {
            let counts = [
                (inserted.duplicates, "whose unique keys other jobs hold"),
                (passed.dead, "that are dead (--dead-as-ready inserts them)"),
                (passed.ended, "that are done or cancelled"),
            ];
            let passed = counts.iter().filter(|(count, _)| *count > 0);
            let passed: Vec<String> = passed
                .map(|(count, which)| format!(", without {count} {which}"))
                .collect();
            format!(
                "{} inserted into {}{EARLIER}{}",
                output::jobs(jobs),
                printable(&queue),
                passed.concat()
            )
        })?;
        Ok(Exit::Done)
    }
}
