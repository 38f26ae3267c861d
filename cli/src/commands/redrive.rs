//! `presque redrive`: dead jobs get another chance.

use super::slices::{Acted, Action};
use crate::api::Api;
use crate::exit::Exit;
use crate::output::{Output, jobs, note};
use anyhow::Result;
use clap::ValueEnum;
use serde_json::{Map, Value, json};

/// Makes dead jobs ready again, as if they had never failed.
///
/// All of them, or those that meet each of the conditions given. A job whose unique key another job holds by now stays dead;
/// then this ends with 1. Jobs that die meanwhile are not touched.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Redrive {
    /// The queue.
    queue: String,

    /// Only jobs whose last error has this text in it.
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,

    /// Only jobs of this group of errors, as `presque dead` prints it.
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,

    /// Only jobs that died for this reason.
    #[arg(long, value_enum, value_name = "REASON")]
    reason: Option<Reason>,

    /// Only this job; may be given more than once.
    #[arg(long, value_name = "ID")]
    id: Vec<String>,
}

/// Why a job is dead.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Reason {
    /// It failed too often.
    Failed,
    /// Its lease ended too often.
    LostLeases,
    /// It was not handed out in time.
    Expired,
    /// Its worker rejected it.
    Rejected,
}

impl Redrive {
    /// Prints how many are ready again.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let reason = self.reason.map(|reason| match reason {
            Reason::Failed => "failed",
            Reason::LostLeases => "lost-leases",
            Reason::Expired => "expired",
            Reason::Rejected => "rejected",
        });
        let mut filter = Map::new();
        for (name, value) in [
            ("error", self.error.as_deref()),
            ("group", self.group.as_deref()),
            ("reason", reason),
        ] {
            if let Some(value) = value {
                filter.insert(name.to_owned(), Value::from(value));
            }
        }
        let (mut acted, action) = (
            Acted::default(),
            Action {
                api,
                queue: &self.queue,
                name: "redrive",
            },
        );
        match self.id.is_empty() {
            true => action.all(&filter, &mut acted).await?,
            false => action.each(&filter, &self.id, &mut acted).await?,
        }
        let Acted {
            changed,
            conflicts,
            unknown,
        } = acted;
        let value = json!({ "redriven": changed, "conflicts": conflicts, "unknown": unknown });
        out.either(&value, || format!("{} redriven", jobs(changed)))?;
        if conflicts > 0 {
            note(format!(
                "Still dead, since other jobs hold their unique keys: {conflicts}"
            ));
        }
        if unknown > 0 {
            note(format!("Ids that are of no dead job: {unknown}"));
        }
        Ok(match (conflicts, changed) {
            (1.., _) => Exit::Failed,
            (0, 0) if !self.id.is_empty() => Exit::Nothing,
            _ => Exit::Done,
        })
    }
}
