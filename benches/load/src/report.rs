//! The report: tables for people, JSON for programs.

use crate::exact::Exact;
use crate::fan_out::FanOut;
use crate::machine::Machine;
use crate::measure::{Latencies, Sample, median, per_second};
use crate::pickup::Pickup;
use crate::rounds::{Measured, Setting};
use crate::servers::Kind;
use crate::tables::{table, thousands};
use crate::workloads::WORKLOADS;
use comfy_table::Table;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// At how many connections latencies and processor time are shown, if that was measured.
const SHOWN_CONNECTIONS: usize = 16;

/// All that was found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// Of what is compared.
    pub(crate) versions: Vec<String>,
    pub(crate) fsync: String,
    pub(crate) rounds: u32,
    /// For how long jobs were inserted in a round.
    pub(crate) seconds: f64,
    /// What was not measured, and why.
    pub(crate) left_out: Vec<String>,
    pub(crate) timed: Vec<Row>,
    pub(crate) fan_out: Vec<FanOut>,
    pub(crate) pickup: Vec<Pickup>,
    pub(crate) exact: Exact,
}

/// One kind of request on one server.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) workload: String,
    pub(crate) operation: &'static str,
    pub(crate) server: Kind,
    pub(crate) payload_bytes: usize,
    pub(crate) connections: usize,
    /// The median, and each round.
    pub(crate) jobs_per_second: f64,
    pub(crate) jobs_per_second_by_round: Vec<f64>,
    pub(crate) requests_per_second: f64,
    /// How many times as many as presque in the same round: the median.
    pub(crate) to_presque: Option<f64>,
    pub(crate) p50_micros: f64,
    pub(crate) p99_micros: f64,
    /// Processor time for a request: the median.
    pub(crate) cpu_micros: Option<Cpu>,
}

/// Whose processor time a request takes, in microseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Cpu {
    pub(crate) server: f64,
    pub(crate) redis: f64,
    pub(crate) generator: f64,
}

/// The rows of what was measured.
pub(crate) fn rows(measured: &Measured) -> Vec<Row> {
    let named = measured.iter().filter(|((setting, _), _)| !setting.name.is_empty());
    named
        .map(|((setting, kind), samples)| row(*setting, *kind, samples, measured.get(&(*setting, Kind::Presque))))
        .collect()
}

fn row(setting: Setting, server: Kind, samples: &[Sample], presque: Option<&Vec<Sample>>) -> Row {
    let rates = |samples: &[Sample]| -> Vec<f64> {
        let rate = |sample: &Sample| per_second(sample.jobs, sample.time);
        samples.iter().map(rate).collect()
    };
    let own = rates(samples);
    let to_presque = presque.map(|presque| median(own.iter().zip(rates(presque)).map(|(own, presque)| own / presque)));
    let mut all = Latencies::default();
    for sample in samples {
        all.extend(&sample.latencies);
    }
    let cpu: Option<Vec<[f64; 3]>> = samples.iter().map(cpu_of).collect();
    let cpu_micros = cpu.map(|cpu| Cpu {
        server: median(cpu.iter().map(|[server, _, _]| *server)),
        redis: median(cpu.iter().map(|[_, redis, _]| *redis)),
        generator: median(cpu.iter().map(|[_, _, generator]| *generator)),
    });
    Row {
        workload: WORKLOADS
            .get(setting.workload)
            .map(|workload| workload.part.to_string())
            .unwrap_or_default(),
        operation: setting.name,
        server,
        payload_bytes: setting.payload,
        connections: setting.connections,
        jobs_per_second: median(own.iter().copied()),
        requests_per_second: median(samples.iter().map(|sample| per_second(sample.requests, sample.time))),
        jobs_per_second_by_round: own,
        to_presque,
        p50_micros: all.quantile(0.5),
        p99_micros: all.quantile(0.99),
        cpu_micros,
    }
}

fn cpu_of(sample: &Sample) -> Option<[f64; 3]> {
    let requests = sample.requests.max(1) as f64;
    sample
        .cpu
        .map(|cpu| cpu.map(|time| time.as_secs_f64() * 1e6 / requests))
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.machine)?;
        for version in &self.versions {
            writeln!(f, "{version}")?;
        }
        writeln!(
            f,
            "appendfsync {}, {} rounds of {} s",
            self.fsync, self.rounds, self.seconds
        )?;
        for left_out in &self.left_out {
            writeln!(f, "left out: {left_out}")?;
        }
        let mut payloads: Vec<usize> = self.timed.iter().map(|row| row.payload_bytes).collect();
        payloads.sort_unstable();
        payloads.dedup();
        for payload in payloads {
            writeln!(
                f,
                "\nJobs per second, payloads of {payload} bytes\n\n{}",
                self.speed(payload)
            )?;
        }
        if let Some(FanOut { readers, messages, .. }) = self.fan_out.first() {
            writeln!(f, "\n{messages} messages to each of {readers} readers\n")?;
            let mut table = table(&["server", "deliveries per second"], 1);
            for row in &self.fan_out {
                table.add_row([row.server.to_string(), thousands(row.deliveries_per_second)]);
            }
            writeln!(f, "{table}")?;
        }
        if let Some(Pickup { workers, rate, .. }) = self.pickup.first() {
            writeln!(
                f,
                "\nFrom when a job is to be sent until a worker has it: {rate} jobs a second, {workers} workers wait\n"
            )?;
            let mut table = table(&["server", "p50 µs", "p99 µs", "longest µs"], 1);
            for row in &self.pickup {
                let numbers = [row.p50_micros, row.p99_micros, row.max_micros].map(thousands);
                table.add_row([row.server.to_string()].into_iter().chain(numbers));
            }
            writeln!(f, "{table}")?;
        }
        self.exact.fmt(f)
    }
}

impl Report {
    /// The table of what was timed with payloads of this size.
    fn speed(&self, payload: usize) -> Table {
        let rows: Vec<&Row> = self.timed.iter().filter(|row| row.payload_bytes == payload).collect();
        let mut connections: Vec<usize> = rows.iter().map(|row| row.connections).collect();
        connections.sort_unstable();
        connections.dedup();
        let shown = connections.iter().copied().find(|count| *count == SHOWN_CONNECTIONS);
        let shown = shown.or(connections.last().copied()).unwrap_or_default();
        let mut head = vec!["operation".to_owned(), "server".to_owned()];
        head.extend(connections.iter().map(|count| format!("{count} conn.")));
        head.push("to presque".to_owned());
        head.extend(["p50 µs", "p99 µs", "CPU µs: server", "Redis", "load"].map(str::to_owned));
        let mut table = table(&head, 2);
        let mut lines: BTreeMap<(usize, Kind), Vec<&Row>> = BTreeMap::new();
        let mut operations: Vec<&str> = Vec::new();
        for row in rows {
            let place = operations.iter().position(|name| *name == row.operation);
            let place = place.unwrap_or_else(|| {
                operations.push(row.operation);
                operations.len() - 1
            });
            lines.entry((place, row.server)).or_default().push(row);
        }
        for ((_, server), rows) in &lines {
            let at = |count: usize| rows.iter().find(|row| row.connections == count);
            let cell = |text: Option<String>| text.unwrap_or_default();
            let operation = rows.first().map_or("", |row| row.operation);
            let mut line = vec![operation.to_owned(), server.to_string()];
            line.extend(
                connections
                    .iter()
                    .map(|count| cell(at(*count).map(|row| thousands(row.jobs_per_second)))),
            );
            let row = at(shown);
            line.push(cell(
                row.and_then(|row| row.to_presque).map(|ratio| format!("{ratio:.2}")),
            ));
            // None where whoever claims does so by itself.
            let micros = |latency: Option<f64>| cell(latency.filter(|micros| *micros > 0.0).map(thousands));
            line.push(micros(row.map(|row| row.p50_micros)));
            line.push(micros(row.map(|row| row.p99_micros)));
            let cpu = row.and_then(|row| row.cpu_micros.as_ref());
            line.push(cell(cpu.map(|cpu| thousands(cpu.server))));
            line.push(cell(cpu.map(|cpu| thousands(cpu.redis))));
            line.push(cell(cpu.map(|cpu| thousands(cpu.generator))));
            table.add_row(line);
        }
        table
    }
}
