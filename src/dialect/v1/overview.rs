//! `GET /v1/overview`: how queues are, a page at a time, and all together.

use super::history::COUNTS;
use super::job_view::render_time;
use super::problem::Problem;
use super::queues::{render_oldest_ready, render_rates};
use super::request::{parse_number, reject_unknown_parameters};
use super::respond;
use crate::gate::Operation;
use crate::queue::{QueueName, State, Status, Timestamp};
use crate::store::{History, LastMinute, MAX_LOOKED_AT, Redis, Summary};
use crate::web::json::{Object, push_object};
use crate::web::{Context, Request, Response, decode_segment, encode_segment};
use http::StatusCode;
use std::cmp::Reverse;

/// How many queues a page has, and how many unless something else is asked for.
const MAX_PAGE: usize = 100;
const PAGE: usize = 50;

/// What counts of each minute for a small chart.
const CHARTED: [&str; 2] = ["inserted", "claimed"];

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
    let queues = queues?;
    let is_all_fresh = queues.len() <= MAX_LOOKED_AT;
    let mut all = context.store.overview(queues).await?;
    let totals = Totals::of(&all);

    all.retain(|summary| search.is_empty() || summary.queue.as_str().to_lowercase().contains(&search));
    let matching = all.len();
    all.sort_unstable_by(|one, other| order.place(one).cmp(&order.place(other)));
    let start = after.map_or(0, |(number, name)| {
        all.partition_point(|summary| order.place(summary) <= (Reverse(number), &name))
    });
    let mut page = all.split_off(start);
    let has_more = page.len() > max_queues;
    page.truncate(max_queues);
    let next = page.last().filter(|_| has_more).map(|last| order.cursor(last));
    if !is_all_fresh {
        // In the order in which they were known, and with what they have now.
        page = context.store.summaries(&names_of(&page)).await?;
    }
    let histories = match minutes {
        0 => Vec::new(),
        minutes => context.store.histories(&names_of(&page), minutes).await?,
    };
    Ok(respond(StatusCode::OK, |o| {
        let histories = histories.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        o.array("queues", page.iter().zip(histories), |out, (summary, history)| {
            push_object(out, |o| render(o, summary, history));
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
    render_oldest_ready(o, summary.oldest_ready);
    render_rates(o, &summary.last_minute);
    o.plain("workers", summary.workers);
    if let Some(history) = history {
        o.object("history", |o| {
            render_time(o, "from", history.from);
            o.plain("step", 60);
            for (name, count) in COUNTS.iter().filter(|(name, _)| CHARTED.contains(name)) {
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

fn names_of(summaries: &[Summary]) -> Vec<QueueName> {
    summaries.iter().map(|summary| summary.queue.clone()).collect()
}

/// What all queues have together.
struct Totals {
    /// How many jobs are in each state.
    jobs: Vec<(State, u64)>,
    last_minute: LastMinute,
    /// When the queue was looked at that was not for longest.
    as_of: Option<Timestamp>,
}

impl Totals {
    fn of(all: &[Summary]) -> Self {
        let sum = |count: fn(&LastMinute) -> u64| all.iter().map(|summary| count(&summary.last_minute)).sum();
        Self {
            jobs: State::ALL
                .into_iter()
                .map(|state| (state, all.iter().map(|summary| summary.count(state)).sum()))
                .collect(),
            last_minute: LastMinute {
                inserted: sum(|counts| counts.inserted),
                claimed: sum(|counts| counts.claimed),
                done: sum(|counts| counts.done),
                failed: sum(|counts| counts.failed),
            },
            as_of: all.iter().map(|summary| summary.at).min(),
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
        (
            "age",
            Self::Most(|summary| {
                let age = summary.oldest_ready.unwrap_or_default();
                u64::try_from(age.as_millis()).unwrap_or(u64::MAX)
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

    fn place(self, summary: &Summary) -> Place<'_> {
        let number = match self {
            Self::Name => 0,
            Self::Most(number) => number(summary),
        };
        (Reverse(number), summary.queue.as_str())
    }

    /// The cursor that stands for a page's last queue: its place.
    fn cursor(self, last: &Summary) -> String {
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
