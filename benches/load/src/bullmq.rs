//! BullMQ beside presque: a library for Node.js, so a script drives it, `benches/bullmq/bench.js`. That says for itself what it
//! measured, and that what went in came out.

use crate::measure::{Latencies, Pids, Sample};
use crate::redis::Redis;
use crate::servers::Paths;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The folder with the script and what npm installs for it.
const FOLDER: &str = "benches/bullmq";

/// What BullMQ is asked to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    /// `add`, or `addBulk` for more than one job at a time.
    Add(usize),
    /// Workers take all jobs, and say of each that it is done when they take the next.
    Process,
}

/// A step of a round. As those of servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) call: Call,
}

/// A process of Node.js with BullMQ in it. Ends with its value.
pub(crate) struct BullMq {
    child: Child,
    tasks: ChildStdin,
    outcomes: Lines<BufReader<ChildStdout>>,
}

#[derive(Serialize)]
struct Task<'a> {
    call: &'static str,
    queue: &'a str,
    count: usize,
    payload: usize,
    connections: usize,
    seconds: f64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Outcome {
    Done {
        jobs: u64,
        requests: u64,
        micros: u64,
        latencies: Vec<u64>,
    },
    Failed {
        error: String,
    },
}

impl BullMq {
    /// Starts it, if it is installed. Else says what is missing.
    pub(crate) async fn start(paths: &Paths, redis: &Redis) -> Result<Result<Self, String>> {
        let Ok(node) = which::which("node").or_else(|_| which::which("nodejs")) else {
            return Ok(Err("BullMQ: there is no `node` on the PATH".to_owned()));
        };
        let folder = paths.root.join(FOLDER);
        let script = "require('bullmq'); require('ioredis')";
        let mut found = Command::new(&node);
        found.args(["-e", script]).current_dir(&folder).stderr(Stdio::null());
        if !found.status().await?.success() {
            return Ok(Err(format!(
                "BullMQ: not installed; `npm install` in {FOLDER} does that"
            )));
        }
        Self::spawn(&node, &folder, redis.port()).map(Ok)
    }

    fn spawn(node: &Path, folder: &Path, redis_port: u16) -> Result<Self> {
        let mut child = Command::new(node)
            .args(["bench.js", &redis_port.to_string()])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let tasks = child.stdin.take().context("its input is not there")?;
        let outcomes = child.stdout.take().context("its output is not there")?;
        Ok(Self {
            child,
            tasks,
            outcomes: BufReader::new(outcomes).lines(),
        })
    }

    /// One round: a sample for each step.
    ///
    /// # Errors
    /// A job did not come out, or came out twice, or BullMQ failed.
    pub(crate) async fn round(
        &mut self,
        redis: &Redis,
        steps: &[Step],
        payload: usize,
        connections: usize,
        time: Duration,
    ) -> Result<Vec<Sample>> {
        redis.clear().await?;
        let server = self.child.id().context("it has ended")?;
        let pids = Pids {
            server,
            redis: redis.pid(),
        };
        let mut samples = Vec::new();
        for step in steps {
            let (call, count) = match step.call {
                Call::Add(count) => ("add", count),
                Call::Process => ("process", 1),
            };
            let before = pids.cpu();
            let task = Task {
                call,
                queue: "bench",
                count,
                payload,
                connections,
                seconds: time.as_secs_f64(),
            };
            let sample = self.run(&task).await?;
            let cpu = Pids::between(before, pids.cpu());
            samples.push(Sample { cpu, ..sample });
        }
        Ok(samples)
    }

    async fn run(&mut self, task: &Task<'_>) -> Result<Sample> {
        let line = serde_json::to_string(task)? + "\n";
        self.tasks.write_all(line.as_bytes()).await?;
        let line = self.outcomes.next_line().await?.context("it has ended")?;
        match serde_json::from_str(&line)? {
            Outcome::Failed { error } => bail!(error),
            Outcome::Done {
                jobs,
                requests,
                micros,
                latencies,
            } => {
                let mut noted = Latencies::default();
                for latency in latencies {
                    noted.note(Duration::from_micros(latency));
                }
                Ok(Sample {
                    requests,
                    jobs,
                    time: Duration::from_micros(micros),
                    latencies: noted,
                    cpu: None,
                })
            }
        }
    }
}
