//! Queues, as an overview shows them.

use super::{Api, Failure, Request};
use serde::{Deserialize, Serialize};

/// How a queue is.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct QueueSummary {
    /// Its name.
    pub(crate) queue: String,
    /// Whether its jobs are held back.
    pub(crate) paused: bool,
    /// How many jobs are in each state.
    pub(crate) counts: Counts,
    /// For how many seconds the oldest ready job has been ready, if there is one.
    pub(crate) oldest_ready_age: Option<f64>,
    /// Jobs per second.
    pub(crate) rates: Rates,
    /// How many named workers claimed in the last hour.
    pub(crate) workers: u64,
}

/// How many jobs are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Counts {
    /// The next claim can have them.
    pub(crate) ready: u64,
    /// Their time has not come.
    pub(crate) scheduled: u64,
    /// A worker has them.
    pub(crate) active: u64,
    /// Acknowledged, and still kept.
    pub(crate) done: u64,
    /// Given up.
    pub(crate) dead: u64,
    /// Cancelled, and still kept.
    pub(crate) cancelled: u64,
}

/// Jobs per second, over the last minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub(crate) struct Rates {
    /// New ones.
    pub(crate) inserted: f64,
    /// Handed out.
    pub(crate) claimed: f64,
    /// Acknowledged.
    pub(crate) done: f64,
    /// Attempts that failed.
    pub(crate) failed: f64,
}

/// A page of an overview.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Overview {
    /// The queues.
    pub(crate) queues: Vec<QueueSummary>,
    /// How many queues the search finds.
    pub(crate) matching: u64,
    /// All queues together.
    pub(crate) totals: Totals,
    /// The cursor of the next page.
    pub(crate) next: Option<String>,
}

/// All queues together.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Totals {
    /// How many there are.
    pub(crate) queues: u64,
    /// How many of their jobs are in each state.
    pub(crate) counts: Counts,
    /// Jobs per second.
    pub(crate) rates: Rates,
}

impl Api {
    /// A request for an overview, in this order: `name`, `ready`, `active`, `dead`, `inserted` or `age`. A page has 100 queues at most.
    pub(crate) fn overview(&self, sort: &str, search: Option<&str>) -> Request {
        let request = self.get(&["overview"]).query("sort", sort).query("limit", 100);
        match search {
            Some(search) => request.query("search", search),
            None => request,
        }
    }

    /// The page of an overview that begins at a cursor, or the first one.
    ///
    /// # Errors
    /// See [`Failure`].
    pub(crate) async fn page(&self, overview: &Request, cursor: Option<&str>) -> Result<Overview, Failure> {
        match cursor {
            Some(cursor) => self.send(&overview.clone().query("cursor", cursor)).await,
            None => self.send(overview).await,
        }
    }
}
