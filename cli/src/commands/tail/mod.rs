//! `presque tail`: what happens, as it happens.
//!
//! The interface has no stream of events. So this looks again and again. Where the numbers of a queue have changed, its counts of each minute
//! tell how much happened, and the newest jobs of each state, by their times, what.

mod counts;
mod events;

use crate::api::{Api, Counts, Failure, Overview, Rates};
use crate::exit::Exit;
use crate::output::{self, Output, printable};
use anyhow::Result;
use counts::{Counted, History};
use events::{Event, Events, Job};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// Follows what happens: prints a line for each job that is inserted, claimed, done, failed, released, dead or cancelled, until Ctrl-C.
///
/// It looks once a second, and at the newest jobs alone. How many others there were is told in a line of its own. So is what leaves no
/// trace: a queue that keeps no done and cancelled jobs (its setting `retain`) shows how many were done, and not which.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Tail {
    /// The queues [default: all, at most 100].
    #[arg(value_name = "QUEUE")]
    queues: Vec<String>,
    /// How many seconds there are from one look to the next.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = interval)]
    interval: f64,
    /// How many jobs of each state are looked at.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=200))]
    limit: u64,
}

const STATES: [&str; 6] = ["ready", "scheduled", "active", "done", "dead", "cancelled"];

/// What one look tells of a queue.
#[derive(Clone, Deserialize, PartialEq)]
struct Glance {
    queue: String,
    counts: Counts,
    rates: Rates,
}

#[derive(Deserialize)]
struct Health {
    clock: String,
}

#[derive(Deserialize)]
struct Page {
    jobs: Vec<Job>,
}

/// What is known of a queue.
#[derive(Default)]
struct Followed {
    glance: Option<Glance>,
    events: Events,
    counted: Counted,
}

#[derive(Serialize)]
struct NotShown<'a> {
    queue: &'a str,
    not_shown: &'a BTreeMap<&'static str, u64>,
}

fn interval(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=3600.0).contains(seconds));
    seconds.ok_or_else(|| "must be 0.1 to 3600".to_owned())
}

impl Tail {
    /// Prints what happens until the process is ended.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        // By the server's clock, as the times of jobs are.
        let start = api.send::<Health>(&api.get(&["health"])).await?.clock;
        let mut followed = BTreeMap::new();
        let (glances, matching) = self.glances(api).await?;
        if matching > glances.len() as u64 {
            output::note(format!(
                "Of {matching} queues {} are followed. Name those that matter.",
                glances.len()
            ));
        }
        for glance in glances {
            let (queue, state) = Followed::begin(api, glance).await?;
            followed.insert(queue, state);
        }
        output::note("Following. Ctrl-C ends.");
        let mut is_away = false;
        loop {
            tokio::time::sleep(Duration::from_secs_f64(self.interval)).await;
            match self.look(api, out, &start, &mut followed).await {
                Ok(()) => is_away = false,
                Err(error) if error.downcast_ref().is_some_and(Failure::may_pass) => {
                    if !is_away {
                        output::note(format!("{error:#}. Trying again."));
                    }
                    is_away = true;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// How the queues are, and how many there are to follow.
    async fn glances(&self, api: &Api) -> Result<(Vec<Glance>, u64)> {
        let mut glances = Vec::new();
        for queue in &self.queues {
            match api.send(&api.get(&["queues", queue])).await {
                Ok(glance) => glances.push(glance),
                // It may come.
                Err(failure) if failure.is("no-such-queue") => {}
                Err(failure) => return Err(failure.into()),
            }
        }
        if !self.queues.is_empty() {
            return Ok((glances, 0));
        }
        let Overview { queues, matching, .. } = api.page(&api.overview("inserted", None), None).await?;
        let glances = queues.into_iter().map(|queue| Glance {
            queue: queue.queue,
            counts: queue.counts,
            rates: queue.rates,
        });
        Ok((glances.collect(), matching))
    }

    async fn look(&self, api: &Api, out: Output, start: &str, followed: &mut BTreeMap<String, Followed>) -> Result<()> {
        let (mut events, mut not_shown) = (Vec::new(), Vec::new());
        let (glances, _) = self.glances(api).await?;
        for glance in glances {
            let queue = glance.queue.clone();
            let state = followed.entry(queue.clone()).or_default();
            if state.glance.as_ref() == Some(&glance) {
                continue;
            }
            let Some(history) = history(api, &queue).await? else {
                followed.remove(&queue);
                continue;
            };
            let had = state.glance.as_ref().map_or(0, |before| before.counts.cancelled);
            if state.counted.add(&history) || glance.counts.cancelled > had {
                for name in STATES {
                    let jobs = self.newest(api, &queue, name).await?;
                    state.events.take(start, &jobs);
                }
            }
            state.glance = Some(glance);
            let new = state.events.new_ones();
            let more = state.counted.more_than(&new);
            if !more.is_empty() {
                not_shown.push((queue, more));
            }
            events.extend(new);
        }
        show(out, events, &not_shown)
    }

    async fn newest(&self, api: &Api, queue: &str, state: &str) -> Result<Vec<Job>> {
        let request = api.get(&["queues", queue, "jobs"]).query("state", state);
        let page: Page = api
            .send(&request.query("order", "newest").query("limit", self.limit))
            .await?;
        Ok(page.jobs)
    }
}

impl Followed {
    /// What happened before is not shown.
    async fn begin(api: &Api, glance: Glance) -> Result<(String, Self)> {
        let mut state = Self::default();
        if let Some(history) = history(api, &glance.queue).await? {
            state.counted.begin(&history);
        }
        let queue = glance.queue.clone();
        state.glance = Some(glance);
        Ok((queue, state))
    }
}

/// The last minutes of a queue, if it exists.
async fn history(api: &Api, queue: &str) -> Result<Option<History>> {
    match api
        .send(&api.get(&["queues", queue, "history"]).query("minutes", 5))
        .await
    {
        Ok(history) => Ok(Some(history)),
        Err(failure) if failure.is("no-such-queue") => Ok(None),
        Err(failure) => Err(failure.into()),
    }
}

fn show(out: Output, mut events: Vec<Event>, not_shown: &[(String, BTreeMap<&'static str, u64>)]) -> Result<()> {
    events.sort_by(|a, b| a.at.cmp(&b.at));
    for event in &events {
        out.either(event, || event.text(out.is_colored))?;
    }
    for (queue, more) in not_shown {
        let value = NotShown { queue, not_shown: more };
        out.either(&value, || {
            let more: Vec<String> = more.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
            format!("{}: also {}", printable(queue), more.join(", "))
        })?;
    }
    Ok(())
}
