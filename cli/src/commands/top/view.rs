//! What is seen, as lines: without a terminal.

use crate::api::{Overview, QueueSummary};
use crate::output::printable;
use crate::text::{rate, span};
use clap::ValueEnum;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Sort {
    /// The most ready jobs.
    #[default]
    Ready,
    /// The oldest ready job.
    Age,
    /// The most dead jobs.
    Dead,
    /// By name.
    Name,
}

/// The state of what is shown.
pub(super) struct View {
    server: String,
    pub(super) sort: Sort,
    overview: Option<Overview>,
    failure: Option<String>,
}

/// A line of the screen.
pub(super) struct Line {
    pub(super) text: String,
    pub(super) is_heading: bool,
}

/// A column of numbers: its heading, its width, and what it shows.
type Column = (&'static str, usize, fn(&QueueSummary) -> String);

/// In the order in which they stand. A narrow screen has those that matter most: see [`KEPT`].
const COLUMNS: [Column; 9] = [
    ("READY", 8, |queue| queue.counts.ready.to_string()),
    ("SCHED", 7, |queue| queue.counts.scheduled.to_string()),
    ("ACTIVE", 6, |queue| queue.counts.active.to_string()),
    ("DEAD", 6, |queue| queue.counts.dead.to_string()),
    ("IN/S", 6, |queue| rate(queue.rates.inserted)),
    ("DONE/S", 6, |queue| rate(queue.rates.done)),
    ("FAIL/S", 6, |queue| rate(queue.rates.failed)),
    ("OLDEST", 7, |queue| {
        queue.oldest_ready_age.map_or_else(|| "-".to_owned(), span)
    }),
    ("WORKERS", 7, |queue| queue.workers.to_string()),
];

/// The headings, those that matter most first.
const KEPT: [&str; COLUMNS.len()] = [
    "READY", "DEAD", "OLDEST", "ACTIVE", "IN/S", "DONE/S", "WORKERS", "FAIL/S", "SCHED",
];

/// The room that names have, if there is any: as much as they need, between these. Columns give way to it.
const MIN_NAME: usize = 10;
const MAX_NAME: usize = 20;

/// What stands behind the name of a queue whose jobs are held back.
const STOPPED: &str = " stopped";

impl Sort {
    /// Its name in requests.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Age => "age",
            Self::Dead => "dead",
            Self::Name => "name",
        }
    }
}

impl View {
    pub(super) fn new(server: &str, sort: Sort) -> Self {
        Self {
            server: printable(server),
            sort,
            overview: None,
            failure: None,
        }
    }

    /// Shows this from now on.
    pub(super) fn update(&mut self, overview: Overview) {
        (self.overview, self.failure) = (Some(overview), None);
    }

    /// Shows the last state, and that it is old.
    pub(super) fn fail(&mut self, failure: String) {
        self.failure = Some(failure);
    }

    /// The screen: a line about all, the table, and the keys.
    pub(super) fn screen(&self, width: usize, height: usize) -> Vec<Line> {
        let plain = |text: &str| Line {
            text: clip(text, width),
            is_heading: false,
        };
        let mut lines = vec![plain(&self.summary())];
        let table = self.table(width, height.saturating_sub(3));
        lines.extend((0..).zip(table).map(|(row, text)| Line {
            text,
            is_heading: row == 0,
        }));
        let keys = format!("Sorted by {}. r ready  a age  d dead  n name  q end", self.sort.name());
        let keys = self.failure.as_deref().map_or(keys, printable);
        lines.truncate(height.saturating_sub(1));
        lines.push(plain(&keys));
        lines.truncate(height);
        lines
    }

    fn summary(&self) -> String {
        let Some(Overview { totals, .. }) = &self.overview else {
            return self.server.clone();
        };
        format!(
            "{} queues: {} ready, {} active, {} dead; {} in/s, {} done/s; {}",
            totals.queues,
            totals.counts.ready,
            totals.counts.active,
            totals.counts.dead,
            rate(totals.rates.inserted),
            rate(totals.rates.done),
            self.server,
        )
    }

    /// The table: its heading, and so many rows at most. Names get the room that they need, where there is so much.
    pub(super) fn table(&self, width: usize, max_rows: usize) -> Vec<String> {
        let queues = self.overview.as_ref().map_or(&[][..], |overview| &overview.queues);
        let needed = queues.iter().map(|queue| name(queue, usize::MAX).width());
        let needed = needed.max().unwrap_or_default().max(MIN_NAME);
        let columns = fitting(width.saturating_sub(needed.min(MAX_NAME)));
        let room = width.saturating_sub(columns.iter().map(|(_, width, _)| width + 1).sum());
        let name_width = needed.min(room);
        let row = |name: &str, cell: &dyn Fn(&Column) -> String| {
            let mut line = clip(name, name_width);
            line += &" ".repeat(name_width.saturating_sub(line.width()));
            for column in &columns {
                line += &format!(" {:>1$}", cell(column), column.1);
            }
            clip(&line, width)
        };
        let heading = row("QUEUE", &|column| column.0.to_owned());
        let rows = queues.iter().take(max_rows);
        let rows = rows.map(|queue| row(&name(queue, name_width), &|column| column.2(queue)));
        std::iter::once(heading).chain(rows).collect()
    }
}

/// The name, shortened to so many columns, with the mark of a queue that is stopped.
fn name(queue: &QueueSummary, width: usize) -> String {
    let mark = if queue.paused { STOPPED } else { "" };
    format!(
        "{}{mark}",
        clip(&printable(&queue.queue), width.saturating_sub(mark.len()))
    )
}

/// The columns for which there is so much room.
fn fitting(mut room: usize) -> Vec<Column> {
    let kept: Vec<&str> = KEPT
        .into_iter()
        .take_while(|heading| {
            let column = COLUMNS.iter().find(|column| column.0 == *heading);
            let taken = column.map_or(0, |column| column.1 + 1);
            let fits = taken <= room;
            room = room.saturating_sub(taken);
            fits
        })
        .collect();
    COLUMNS.into_iter().filter(|column| kept.contains(&column.0)).collect()
}

/// As much of a text as goes into so many columns.
fn clip(text: &str, width: usize) -> String {
    let mut left = width;
    text.chars()
        .take_while(|c| {
            let taken = c.width().unwrap_or_default();
            let fits = taken <= left;
            left = left.saturating_sub(taken);
            fits
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn view(names: &[&str]) -> View {
        let counts = json!({"ready":123_456,"scheduled":2,"active":3,"done":4,"dead":5,"cancelled":6});
        let rates = json!({"inserted":1.5,"claimed":0,"done":1234.5,"failed":0});
        let queue = |name: &&str| json!({"queue":name,"paused":false,"counts":counts,"oldest_ready_age":90.0,"rates":rates,"workers":7});
        let queues: Vec<_> = names.iter().map(queue).collect();
        let overview =
            json!({"queues":queues,"matching":1,"totals":{"queues":1,"counts":counts,"rates":rates},"next":null});
        let mut view = View::new("http://127.0.0.1:3000/", Sort::Ready);
        view.update(serde_json::from_value(overview).expect("an overview"));
        view
    }

    #[test]
    fn no_screen_gets_more_than_fits_it() {
        let long = "a queue with a long name 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字";
        let view = view(&[long; 40]);
        for (width, height) in [(80, 24), (200, 50), (40, 10), (11, 4), (1, 1), (0, 0)] {
            let lines = view.screen(width, height);
            assert!(lines.len() <= height, "{width}x{height}");
            assert!(lines.iter().all(|line| line.text.width() <= width), "{width}x{height}");
        }
    }

    #[test]
    fn a_screen_of_80_columns_has_them_all_and_a_narrow_one_those_that_matter_most() {
        let heading = |width| view(&["mail"]).table(width, 1).first().cloned().unwrap_or_default();
        let columns = |width| heading(width).split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(columns(80).len(), 1 + COLUMNS.len());
        assert_eq!(columns(40), ["QUEUE", "READY", "DEAD", "OLDEST"]);
    }

    #[test]
    fn a_queue_that_is_stopped_says_so_however_long_its_name_is() {
        let mut view = view(&["a-queue-with-a-rather-long-name"]);
        let overview = view.overview.as_mut().expect("an overview");
        overview.queues[0].paused = true;
        let start = |width| view.table(width, 1)[1].chars().take(30).collect::<String>();
        assert!(start(80).starts_with("a-queue-with stopped "), "{}", start(80));
        assert!(start(40).contains(" stopped "), "{}", start(40));
    }
}
