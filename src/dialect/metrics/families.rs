//! The families of metrics.

use super::text::{Kind, Text};
use crate::queue::{State, Status};
use crate::store::{Largest, Summary, WAIT_BOUNDS};
use std::time::Duration;

/// A number of a queue.
type Number = fn(&Summary) -> u64;

/// Numbers of each queue that go up and down: their names, and what they tell.
const GAUGES: [(&str, &str, Number); 2] = [
    (
        "presque_queue_paused",
        "Whether the queue takes jobs and hands none out: 1 or 0.",
        |summary| u64::from(summary.status == Status::Stopped),
    ),
    (
        "presque_workers",
        "Workers that claimed by name within the last hour. One that claims from two queues is counted in both; legacy workers have no names.",
        |summary| summary.workers,
    ),
];

/// Numbers of each queue that only grow, until the queue is deleted: their names without `_total`, and what they tell.
const COUNTERS: [(&str, &str, Number); 8] = [
    ("presque_queue_inserted", "Jobs that were inserted.", |summary| {
        summary.totals.inserted
    }),
    ("presque_queue_claimed", "Claims and fetches of jobs.", |summary| {
        summary.totals.claimed
    }),
    ("presque_queue_done", "Jobs that were acknowledged.", |summary| {
        summary.totals.done
    }),
    ("presque_queue_failed", "Failures that workers reported.", |summary| {
        summary.totals.failed
    }),
    (
        "presque_queue_lost_leases",
        "Leases that ended before their jobs were finished.",
        |summary| summary.totals.lost_leases,
    ),
    ("presque_queue_dead", "Jobs that became dead.", |summary| {
        summary.totals.dead
    }),
    (
        "presque_queue_released",
        "Jobs that workers gave back without a failure.",
        |summary| summary.totals.released,
    ),
    (
        "presque_queue_orphans",
        "Jobs that were dropped because Redis had lost their records.",
        |summary| summary.totals.orphans,
    ),
];

const JOBS: &str = "presque_jobs";
const OLDEST: &str = "presque_queue_oldest_ready_age_seconds";
const WAIT: &str = "presque_queue_wait_seconds";

/// Writes what is told whether or not Redis is there.
pub(super) fn render_server(text: &mut Text, is_redis_up: bool) {
    text.family("presque_build", Kind::Info, "The version of presque.");
    let version = env!("CARGO_PKG_VERSION");
    text.sample("presque_build_info", &[("version", version)], 1);
    let help = "Whether Redis answers as it should: 1 or 0. While it is 0 nothing is known of queues.";
    text.family("presque_redis_up", Kind::Gauge, help);
    text.sample("presque_redis_up", &[], u8::from(is_redis_up));
}

/// Writes what is told of queues one by one. All of them were looked at for this.
pub(super) fn render_queues(text: &mut Text, queues: &[Summary]) {
    text.family(JOBS, Kind::Gauge, "Jobs in each state.");
    for summary in queues {
        for (state, count) in &summary.jobs {
            let labels = [("queue", summary.queue.as_str()), ("state", state.name())];
            text.sample(JOBS, &labels, count);
        }
    }
    let help = "For how long the oldest ready job has been ready. 0 where none is.";
    text.family(OLDEST, Kind::Gauge, help);
    for summary in queues {
        text.sample(OLDEST, &[("queue", summary.queue.as_str())], age(summary).as_secs_f64());
    }
    for (name, help, number) in GAUGES {
        text.family(name, Kind::Gauge, help);
        for summary in queues {
            text.sample(name, &[("queue", summary.queue.as_str())], number(summary));
        }
    }
    for (name, help, number) in COUNTERS {
        text.family(name, Kind::Counter, help);
        let name = [name, "_total"].concat();
        for summary in queues {
            text.sample(&name, &[("queue", summary.queue.as_str())], number(summary));
        }
    }
    let help = "How long jobs were ready before they were claimed, for each claim. A job that comes back at once, as after a lost lease, counts from its insertion.";
    text.family(WAIT, Kind::Histogram, help);
    let bounds = WAIT_BOUNDS.map(|bound| format!("{bound:?}"));
    for summary in queues {
        let (bounds, mut sum) = (bounds.iter().map(String::as_str).chain(["+Inf"]), 0);
        for (bound, count) in bounds.zip(summary.waits.unwrap_or_default()) {
            sum += count;
            let labels = [("queue", summary.queue.as_str()), ("le", bound)];
            text.sample(&[WAIT, "_bucket"].concat(), &labels, sum);
        }
    }
}

fn age(summary: &Summary) -> Duration {
    let age = summary.ready_since.map(|since| summary.at.since(since));
    age.unwrap_or_default()
}

/// What is told of the queues that are not told of one by one.
pub(super) struct Others {
    queues: u64,
    jobs: Vec<(State, u64)>,
    oldest: Duration,
}

impl Others {
    /// Those that are not among the largest, and so many more of which nothing is known.
    pub(super) fn of(largest: &Largest, unlisted: u64) -> Self {
        let summaries = || largest.others.iter().filter_map(|(_, summary)| summary.as_ref());
        Self {
            queues: largest.others.len() as u64 + unlisted,
            jobs: State::ALL
                .into_iter()
                .map(|state| (state, summaries().map(|summary| summary.count(state)).sum()))
                .collect(),
            oldest: summaries().map(age).max().unwrap_or_default(),
        }
    }
}

/// Writes what is told of the other queues together. That are gauges alone: a sum of counters is no counter when its queues
/// change.
pub(super) fn render_others(text: &mut Text, others: &Others) {
    let families = [
        (
            "presque_other_queues",
            "Queues that are not told of one by one, because 200 have more jobs. The parameter queue asks for one of them.",
        ),
        (
            "presque_other_jobs",
            "Jobs in each state in the other queues together, as these were when they were last looked at, and 0 for one that no scrape has looked at yet. Nothing is told of what was counted in them.",
        ),
        (
            "presque_other_oldest_ready_age_seconds",
            "For how long the oldest ready job in the other queues had been ready when its queue was last looked at. 0 where none was.",
        ),
    ];
    let [queues, jobs, oldest] = families;
    text.family(queues.0, Kind::Gauge, queues.1);
    text.sample(queues.0, &[], others.queues);
    text.family(jobs.0, Kind::Gauge, jobs.1);
    for (state, count) in &others.jobs {
        text.sample(jobs.0, &[("state", state.name())], count);
    }
    text.family(oldest.0, Kind::Gauge, oldest.1);
    text.sample(oldest.0, &[], others.oldest.as_secs_f64());
}
