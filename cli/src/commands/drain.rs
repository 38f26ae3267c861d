//! `presque drain`: a queue is emptied.

use super::slices::{Acted, Action};
use crate::api::Api;
use crate::confirm::Yes;
use crate::exit::Exit;
use crate::output::{Output, jobs, printable};
use anyhow::Result;
use serde_json::{Map, json};

/// Deletes the jobs of a queue that wait: the ready and the scheduled ones.
///
/// They are forgotten, and nobody works on them. (To let workers finish what there is, let them work until `presque queues`
/// shows none.) Jobs that are active or dead stay, and so do the queue's settings; jobs that are inserted meanwhile stay,
/// too. Asks first.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Drain {
    /// The queue.
    queue: String,

    #[command(flatten)]
    yes: Yes,
}

impl Drain {
    /// Prints how many were deleted.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let counts = super::delete::Counts::get(api, &self.queue).await?;
        let question = format!(
            "Delete {} ready and {} scheduled jobs of the queue {}?",
            counts.ready,
            counts.scheduled,
            printable(&self.queue)
        );
        if let Some(exit) = self.yes.refuses(&question)? {
            return Ok(exit);
        }
        let action = Action {
            api,
            queue: &self.queue,
            name: "delete",
        };
        let mut acted = Acted::default();
        // In the order in which jobs go on: none slips through.
        for state in ["scheduled", "ready"] {
            let filter = Map::from_iter([("state".to_owned(), state.into())]);
            action.all(&filter, &mut acted).await?;
        }
        out.either(&json!({ "deleted": acted.changed }), || {
            format!("{} deleted", jobs(acted.changed))
        })?;
        Ok(Exit::Done)
    }
}
