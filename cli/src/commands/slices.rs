//! What is done with all jobs of a queue that match, some at a time.

use crate::api::Api;
use crate::exit;
use crate::output;
use crate::progress::Progress;
use anyhow::Result;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// How many ids a request may have.
const MAX_IDS: usize = 1000;

/// What was done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Acted {
    pub(super) changed: u64,
    /// Not redriven, since other jobs hold their unique keys.
    pub(super) conflicts: u64,
    /// Ids that are of no job in such a state.
    pub(super) unknown: u64,
}

/// The answer for one slice.
#[derive(Deserialize)]
struct Slice {
    #[serde(alias = "redriven", alias = "deleted")]
    changed: u64,
    #[serde(default)]
    conflicts: u64,
    unknown: u64,
    looked_at: u64,
    left: u64,
    next: Option<String>,
}

/// One of the actions that take a filter, by the last segment of its path.
pub(super) struct Action<'a> {
    pub(super) api: &'a Api,
    pub(super) queue: &'a str,
    pub(super) name: &'static str,
}

impl Action<'_> {
    /// Does it with all jobs that match and were there at the first request.
    ///
    /// # Errors
    /// Of a request, with how far it came. The same again does the rest.
    pub(super) async fn all(&self, filter: &Map<String, Value>, acted: &mut Acted) -> Result<()> {
        let (mut filter, mut progress, mut looked_at) = (filter.clone(), None, 0);
        loop {
            let slice = self.slice(&filter, acted).await?;
            looked_at += slice.looked_at;
            let progress = progress.get_or_insert_with(|| Progress::new(Some(slice.looked_at + slice.left)));
            progress.at(looked_at, acted.changed);
            let Some(next) = slice.next else {
                return Ok(());
            };
            filter.insert("cursor".to_owned(), next.into());
        }
    }

    /// Does it with those of these jobs that match.
    ///
    /// # Errors
    /// As [`Self::all`].
    pub(super) async fn each(&self, filter: &Map<String, Value>, ids: &[String], acted: &mut Acted) -> Result<()> {
        let mut filter = filter.clone();
        for ids in ids.chunks(MAX_IDS) {
            let mut left = ids.len();
            while left > 0 {
                let rest = ids.get(ids.len() - left..).unwrap_or_default();
                filter.insert("ids".to_owned(), json!(rest));
                let slice = self.slice(&filter, acted).await?;
                // Each request looks at one at least.
                left = usize::try_from(slice.left).unwrap_or(usize::MAX).min(left - 1);
            }
        }
        Ok(())
    }

    async fn slice(&self, filter: &Map<String, Value>, acted: &mut Acted) -> Result<Slice> {
        let request = self.api.post(&["queues", self.queue, "jobs", self.name]).json(filter)?;
        let slice: Slice = self.api.send(&request).await.map_err(|failure| {
            let text = format!(
                "{} was done with {}, not with all (the same command again goes on)",
                self.name,
                output::jobs(acted.changed)
            );
            exit::partly(failure.into(), acted.changed > 0, text)
        })?;
        acted.changed += slice.changed;
        acted.conflicts += slice.conflicts;
        acted.unknown += slice.unknown;
        Ok(slice)
    }
}
