//! `GET /v1/overview`: how queues are, a page at a time, and all together.

use super::history::Count;
use super::job_view::render_time;
use super::problem::Problem;
use super::queues::{render_oldest_ready, render_rates};
use super::request::{parse_number, reject_unknown_parameters};
use super::respond;
use crate::gate::Operation;
use crate::queue::{QueueName, State, Status, Timestamp};
use crate::store::{History, Known, LastMinute, Redis, Summary};
use crate::web::json::{Object, push_object};
use crate::web::{Context, Request, Response, decode_segment, encode_segment};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use http::StatusCode;
use std::cmp::Reverse;

/// How many queues a page has, and how many unless something else is asked for.
const MAX_PAGE: usize = 100;
const PAGE: usize = 50;

/// How many histories are asked for at once.
const AT_ONCE: usize = 16;

/// What of each minute is told for a small chart.
const CHARTED: [Count; 2] = [
    ("inserted", |minute| minute.inserted),
    ("claimed", |minute| minute.claimed),
];

pub(super) async fn show<R: Redis>(request: &Request, context: &Context<R>) -> Result<Response, Problem> {
    reject_unknown_parameters(request, &["limit", "cursor", "search", "sort", "history"])?;
    let max_queues = parse_number(request, "limit", 1..=MAX_PAGE)?.unwrap_or(PAGE);
    let minutes = parse_number(request, "history", 0..=History::MAX_MINUTES)?.unwrap_or(0);
    let order = Order::parse(request)?;
    let after = parse_cursor(request)?;
    let search = request.query().get("search").unwrap_or_default();
    let search = String::from_utf8_lossy(&search).to_lowercase();

    let listed = context.visible_queues().await?;
    let names = listed.names.into_iter().filter_map(|name| QueueName::new(name).ok());
    let queues: Result<Vec<_>, _> = names
        .map(|name| context.caller.queue(Operation::ShowOverview, name))
        .collect();
    let mut all = context.store.overview(queues?).await?;
    let totals = Sums::of(&all);

    all.retain(|(queue, _)| search.is_empty() || queue.as_str().to_lowercase().contains(&search));
    let matching = all.len();
    all.sort_unstable_by(|one, other| order.place(one).cmp(&order.place(other)));
    let start = after.map_or(0, |(number, name)| {
        all.partition_point(|known| order.place(known) <= (Reverse(number), &name))
    });
    let mut page = all.split_off(start);
    let has_more = page.len() > max_queues;
    page.truncate(max_queues);
    let next = page.last().filter(|_| has_more).map(|last| order.cursor(last));
    // In the order in which they were known, and with what they have now.
    let names: Vec<_> = page.into_iter().map(|(queue, _)| queue).collect();
    let page = context.store.summaries(&names).await?;
    let histories = stream::iter(&page).map(async |summary| match minutes {
        0 => Ok(None),
        minutes => context.store.history(&summary.queue, minutes).await,
    });
    let histories: Vec<_> = histories.buffered(AT_ONCE).try_collect().await?;
    Ok(respond(StatusCode::OK, |o| {
        o.array("queues", page.iter().zip(&histories), |out, (summary, history)| {
            push_object(out, |o| render(o, summary, history.as_ref()));
        });
        o.plain("matching", matching);
        o.object("totals", |o| {
            o.plain("queues", listed.size);
            totals.render(o);
        });
        if let Some(as_of) = totals.as_of {
            render_time(o, "as_of", as_of);
        }
        match next {
            Some(cursor) => o.text("next", cursor),
            None => o.plain("next", "null"),
        };
    }))
}

fn render(o: &mut Object<'_>, summary: &Summary, history: Option<&History>) {
    o.text("queue", summary.queue.as_str());
    o.plain("paused", summary.status == Status::Stopped);
    render_counts(o, &summary.jobs);
    render_oldest_ready(o, summary.ready_since.map(|since| summary.at.since(since)));
    render_rates(o, &summary.last_minute);
    o.plain("workers", summary.workers);
    if let Some(history) = history {
        o.object("history", |o| {
            render_time(o, "from", history.from);
            o.plain("step", 60);
            for (name, count) in CHARTED {
                o.array(name, &history.minutes, |out, minute| {
                    out.push_str(&count(minute).to_string())
                });
            }
        });
    }
}

fn render_counts(o: &mut Object<'_>, jobs: &[(State, u64)]) {
    o.object("counts", |o| {
        for (state, count) in jobs {
            o.plain(state.name(), count);
        }
    });
}

/// What all queues have together.
struct Sums {
    /// How many jobs are in each state.
    jobs: Vec<(State, u64)>,
    last_minute: LastMinute,
    /// The time of the oldest summary.
    as_of: Option<Timestamp>,
}

impl Sums {
    fn of(all: &[Known]) -> Self {
        let summaries = || all.iter().filter_map(|(_, summary)| summary.as_ref());
        let sum = |count: fn(&LastMinute) -> u64| summaries().map(|summary| count(&summary.last_minute)).sum();
        Self {
            jobs: State::ALL
                .into_iter()
                .map(|state| (state, summaries().map(|summary| summary.count(state)).sum()))
                .collect(),
            last_minute: LastMinute {
                inserted: sum(|counts| counts.inserted),
                claimed: sum(|counts| counts.claimed),
                done: sum(|counts| counts.done),
                failed: sum(|counts| counts.failed),
            },
            as_of: summaries().map(|summary| summary.at).min(),
        }
    }

    fn render(&self, o: &mut Object<'_>) {
        render_counts(o, &self.jobs);
        render_rates(o, &self.last_minute);
    }
}

/// The order of the queues.
#[derive(Clone, Copy, Debug)]
enum Order {
    Name,
    /// The largest of these first.
    Most(fn(&Summary) -> u64),
}

/// Where a queue stands in an order.
type Place<'a> = (Reverse<u64>, &'a str);

impl Order {
    const NAMED: [(&str, Self); 6] = [
        ("name", Self::Name),
        ("ready", Self::Most(|summary| summary.count(State::Ready))),
        ("active", Self::Most(|summary| summary.count(State::Active))),
        ("dead", Self::Most(|summary| summary.count(State::Dead))),
        ("inserted", Self::Most(|summary| summary.last_minute.inserted)),
        // Not by the age itself, which grows from page to page.
        (
            "age",
            Self::Most(|summary| {
                let since = summary
                    .ready_since
                    .map(|since| i64::MAX.saturating_sub(since.as_millis()));
                since.and_then(|before| u64::try_from(before).ok()).unwrap_or(0)
            }),
        ),
    ];

    fn parse(request: &Request) -> Result<Self, Problem> {
        let Some(name) = request.query().get("sort") else {
            return Ok(Self::Name);
        };
        let mut named = Self::NAMED.iter();
        let order = named.find(|(known, _)| known.as_bytes() == name);
        order.map(|(_, order)| *order).ok_or_else(|| {
            let names = Self::NAMED.map(|(name, _)| name).join(", ");
            Problem::parameter("sort", &format!("one of {names}"))
        })
    }

    fn place(self, (queue, summary): &Known) -> Place<'_> {
        let number = match (self, summary) {
            (Self::Most(number), Some(summary)) => number(summary),
            (Self::Most(_), None) | (Self::Name, _) => 0,
        };
        (Reverse(number), queue.as_str())
    }

    /// The cursor that stands for a page's last queue: its place.
    fn cursor(self, last: &Known) -> String {
        let (Reverse(number), name) = self.place(last);
        format!("{number}.{}", encode_segment(name))
    }
}

fn parse_cursor(request: &Request) -> Result<Option<(u64, String)>, Problem> {
    let Some(text) = request.query().get("cursor") else {
        return Ok(None);
    };
    let read = |text: &str| {
        let (number, name) = text.split_once('.')?;
        let name = String::from_utf8(decode_segment(name)).ok()?;
        Some((number.parse().ok()?, name))
    };
    let place = std::str::from_utf8(&text).ok().and_then(read);
    let wrong = || Problem::parameter("cursor", "the `next` of the page before");
    place.map(Some).ok_or_else(wrong)
}
