//! `presque dead`: what the dead jobs died of.

use crate::api::Api;
use crate::exit::Exit;
use crate::export_file::one_line;
use crate::output::{Output, printable};
use anyhow::{Context, Result};
use comfy_table::{CellAlignment, Table, presets};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::HashMap;

/// Shows what the dead jobs of a queue died of: the groups of their errors.
///
/// Errors are of one group when their first lines differ only in numbers, identifiers, and what stands in quotes. `presque
/// redrive --group` takes a group as it is printed.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Dead {
    /// The queue.
    queue: String,

    /// List the jobs instead, those that died last first.
    #[arg(long)]
    list: bool,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
    next: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Group {
    group: String,
    reason: String,
    jobs: u64,
    newest: Newest,
    oldest_ended_at: String,
}

#[derive(Deserialize, Serialize)]
struct Newest {
    id: String,
    ended_at: String,
    error: String,
}

#[derive(Deserialize)]
struct Page {
    jobs: Vec<Box<RawValue>>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct Job {
    id: String,
    ended_at: String,
    reason: String,
    #[serde(default)]
    errors: Vec<JobError>,
}

#[derive(Deserialize)]
struct JobError {
    #[serde(default)]
    error: String,
}

impl Dead {
    /// Prints a table of groups or a line for each job.
    pub(crate) async fn run(self, api: &Api, out: Output) -> Result<Exit> {
        let is_empty = match self.list {
            true => self.jobs(api, out).await?,
            false => self.groups(api, out).await?,
        };
        if is_empty && !out.json {
            out.line("There are no dead jobs.")?;
        }
        Ok(Exit::Done)
    }

    async fn groups(&self, api: &Api, out: Output) -> Result<bool> {
        let first = api.get(&["queues", &self.queue, "dead", "groups"]);
        let (mut groups, mut places) = (Vec::<Group>::new(), HashMap::new());
        let mut request = first.clone();
        loop {
            let page: Groups = api.send(&request).await?;
            for group in page.groups {
                let place = *places
                    .entry((group.group.clone(), group.reason.clone()))
                    .or_insert(groups.len());
                match groups.get_mut(place) {
                    // Later calls look at older jobs.
                    Some(known) => {
                        known.jobs += group.jobs;
                        known.oldest_ended_at = group.oldest_ended_at;
                    }
                    None => groups.push(group),
                }
            }
            let Some(next) = page.next else {
                break;
            };
            request = first.clone().query("cursor", next);
        }
        groups.sort_by_key(|group| std::cmp::Reverse(group.jobs));
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_header(["JOBS", "REASON", "NEWEST", "GROUP"]);
        for column in table.column_iter_mut().take(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        for group in &groups {
            if out.json {
                out.value(group)?;
                continue;
            }
            let (jobs, group_name) = (group.jobs.to_string(), printable(&group.group));
            table.add_row([jobs, group.reason.clone(), group.newest.ended_at.clone(), group_name]);
        }
        if !out.json && !groups.is_empty() {
            out.line(table.trim_fmt())?;
        }
        Ok(groups.is_empty())
    }

    async fn jobs(&self, api: &Api, out: Output) -> Result<bool> {
        let first = api.get(&["queues", &self.queue, "jobs"]);
        let first = first
            .query("state", "dead")
            .query("order", "newest")
            .query("limit", 200);
        let (mut request, mut is_empty) = (first.clone(), true);
        loop {
            let page: Page = api.send(&request).await?;
            for raw in page.jobs {
                is_empty = false;
                if out.json {
                    out.line(one_line(&raw)?)?;
                    continue;
                }
                let job: Job = serde_json::from_str(raw.get()).context("the server answered what is no dead job")?;
                let error = job.errors.last().map_or("", |last| &last.error);
                let error = error.lines().next().unwrap_or_default();
                out.line(format!(
                    "{}  {}  {:<11}  {}",
                    job.id,
                    job.ended_at,
                    job.reason,
                    printable(error)
                ))?;
            }
            let Some(next) = page.next else {
                return Ok(is_empty);
            };
            request = first.clone().query("cursor", next);
        }
    }
}
