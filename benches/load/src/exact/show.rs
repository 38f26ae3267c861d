//! The tables of what is exact.

use super::{Depth, Divided, Exact, Footprint, RedisTime, Request, Stall, cluster, depth};
use crate::tables::{table, thousands};
use std::fmt::{Display, Formatter, Result};

const KIB: f64 = 1024.0;

impl Display for Exact {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut payloads: Vec<usize> = self.requests.iter().map(|request| request.payload_bytes).collect();
        payloads.dedup();
        for payload in payloads {
            writeln!(f, "\nWhat one request costs, payloads of {payload} bytes\n")?;
            requests(
                f,
                self.requests.iter().filter(|request| request.payload_bytes == payload),
            )?;
        }
        if let Some(footprint) = &self.footprint {
            footprint.fmt(f)?;
        }
        redis_time(f, &self.redis_time)?;
        if let Some(stall) = &self.stall {
            stall.fmt(f)?;
        }
        self.depth.as_ref().map_or(Ok(()), |depth| depth.fmt(f))?;
        self.divided.as_ref().map_or(Ok(()), |divided| divided.fmt(f))
    }
}

fn requests<'a>(f: &mut Formatter<'_>, requests: impl Iterator<Item = &'a Request>) -> Result {
    let head = [
        "operation",
        "server",
        "Redis commands",
        "in scripts",
        "bytes to server",
        "from server",
        "to Redis",
        "from Redis",
        "Wasm instructions",
    ];
    let mut table = table(&head, 2);
    for request in requests {
        let bytes = [
            request.client_in,
            request.client_out,
            request.redis_in,
            request.redis_out,
        ];
        let mut row = vec![
            request.operation.to_owned(),
            request.server.to_string(),
            request.commands_sent.to_string(),
            request.commands_in_scripts.to_string(),
        ];
        row.extend(bytes.map(thousands));
        row.push(thousands(request.instructions as f64));
        table.add_row(row);
    }
    writeln!(f, "{table}")
}

impl Display for Footprint {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let kib = |bytes: f64| format!("{} KiB", thousands(bytes / KIB));
        writeln!(f, "\nWhat the host takes\n")?;
        let mut table = table(&["what", "how much"], 1);
        table.add_row([
            "start to a component's first response, all compiled".to_owned(),
            format!("{:.0} ms", self.start_millis),
        ]);
        table.add_row(["memory of the host".to_owned(), kib(self.host_bytes as f64)]);
        table.add_row(["memory of an idle instance".to_owned(), kib(self.idle_instance_bytes)]);
        let rows = [
            ("Wasm memory of an instance that has answered", self.idle_wasm_bytes),
            (
                "Wasm memory of an instance with 16 claims that wait",
                self.busy_wasm_bytes,
            ),
        ];
        for (what, bytes) in rows {
            table.add_row([what.to_owned(), kib(bytes as f64)]);
        }
        for (component, bytes) in &self.wasm_bytes {
            table.add_row([format!("{component}.wasm"), kib(*bytes as f64)]);
        }
        writeln!(f, "{table}")
    }
}

fn redis_time(f: &mut Formatter<'_>, times: &[RedisTime]) -> Result {
    if times.is_empty() {
        return Ok(());
    }
    writeln!(
        f,
        "\nRedis' time for one request, beside a bare script of three commands\n"
    )?;
    let head = [
        "operation",
        "least µs",
        "median µs",
        "bare script",
        "its least µs",
        "its median µs",
        "times its median",
    ];
    let mut table = table(&head, 1);
    for time in times {
        table.add_row([
            time.operation.to_owned(),
            format!("{:.1}", time.least_micros),
            format!("{:.1}", time.median_micros),
            time.bare.to_owned(),
            format!("{:.1}", time.bare_least_micros),
            format!("{:.1}", time.bare_median_micros),
            format!("{:.2}", time.ratio()),
        ]);
    }
    writeln!(f, "{table}")
}

impl Display for Stall {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(
            f,
            "\nA batch of {} jobs takes {:.0} ms. Meanwhile another client waits for at most {:.0} ms (median of the rounds; \
             {:.0} ms in the worst)",
            thousands(self.jobs as f64),
            self.batch_millis,
            self.longest_millis,
            self.longest_of_all_millis
        )
    }
}

impl Display for Depth {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let jobs = thousands(self.jobs as f64);
        writeln!(
            f,
            "\nWith {jobs} jobs that wait, each takes {:.0} bytes of Redis' memory beyond its payload of {} bytes. Redis' \
             time for one request\n",
            self.bytes_per_job,
            depth::PAYLOAD
        )?;
        let queues = thousands(self.queues as f64);
        for (what, many, operations) in [
            ("wait", &jobs, &self.waiting),
            ("are scheduled", &jobs, &self.scheduled),
            ("queues", &queues, &self.beside_queues),
            ("queues", &queues, &self.looks),
        ] {
            write_depth(f, what, many, operations)?;
        }
        Ok(())
    }
}

fn write_depth(f: &mut Formatter<'_>, what: &str, many: &str, operations: &[depth::AtDepth]) -> Result {
    let few = thousands(depth::FEW as f64);
    let head = [
        "operation".to_owned(),
        format!("{few} {what}: µs"),
        format!("{many} {what}: µs"),
        "times".to_owned(),
    ];
    let mut table = table(&head, 1);
    for operation in operations {
        let (few, many) = (operation.few_micros, operation.many_micros);
        table.add_row([
            operation.operation.to_owned(),
            format!("{few:.1}"),
            format!("{many:.1}"),
            format!("{:.2}", many / few.max(f64::MIN_POSITIVE)),
        ]);
    }
    writeln!(f, "{table}\n")
}

impl Display for Divided {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let jobs = thousands(cluster::PER_JOBS as f64);
        writeln!(
            f,
            "\nProcessor time of Redis (used_cpu_user), in seconds, for {jobs} jobs that are inserted, claimed and acknowledged one by one\n"
        )?;
        let mut loads = table(&["servers and queues", "the busiest", "the others", "all"], 1);
        for load in &self.loads {
            let second = |seconds: &f64| format!("{seconds:.1}");
            let others = load.seconds.iter().skip(1).map(second).collect::<Vec<_>>();
            loads.add_row([
                load.what.clone(),
                load.seconds.first().map(second).unwrap_or_default(),
                others.join(", "),
                second(&load.seconds.iter().sum()),
            ]);
        }
        writeln!(f, "{loads}\n\nInserts that wait for replicas, on a primary with one\n")?;
        let mut waits = table(&["redis_wait_replicas", "µs for one", "a second, 16 connections"], 1);
        for wait in &self.waits {
            waits.add_row([
                wait.replicas.to_string(),
                format!("{:.0}", wait.micros),
                thousands(wait.per_second),
            ]);
        }
        writeln!(f, "{waits}")
    }
}
