//! `presque queues`: what there is.

use crate::api::{Api, Counts};
use crate::exit::Exit;
use crate::output::{Output, printable};
use crate::text::span;
use anyhow::Result;
use comfy_table::{CellAlignment, Table, presets};

/// Lists the queues with the numbers of their jobs.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Queues {
    /// Only queues whose name has this in it.
    #[arg(value_name = "TEXT")]
    search: Option<String>,
}

impl Queues {
    /// Prints a table, or a line of JSON for each queue.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_header(["QUEUE", "READY", "SCHEDULED", "ACTIVE", "DEAD", "OLDEST", ""]);
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        let overview = api.overview("name", self.search.as_deref());
        let (mut cursor, mut is_empty) = (None::<String>, true);
        loop {
            let page = api.page(&overview, cursor.as_deref()).await?;
            for queue in page.queues {
                is_empty = false;
                if out.json {
                    out.value(&queue)?;
                    continue;
                }
                let Counts {
                    ready,
                    scheduled,
                    active,
                    dead,
                    ..
                } = queue.counts;
                let counts = [ready, scheduled, active, dead].map(|count| count.to_string());
                let [ready, scheduled, active, dead] = counts;
                let (age, paused) = (
                    queue.oldest_ready_age.map_or_else(|| "-".to_owned(), span),
                    if queue.paused { "paused" } else { "" },
                );
                table.add_row([
                    printable(&queue.queue),
                    ready,
                    scheduled,
                    active,
                    dead,
                    age,
                    paused.to_owned(),
                ]);
            }
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        match is_empty {
            _ if out.json => {}
            true => out.line("There are no queues.")?,
            false => out.line(table.trim_fmt())?,
        }
        Ok(Exit::Done)
    }
}
