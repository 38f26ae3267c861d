//! BullMQ beside presque: a library for Node.js, so a script drives it, `benches/bullmq/bench.js`. That says for itself what it
//! measured, and that what went in came out.

use crate::measure::{Latencies, Pids, Sample, WARM_UP};
use crate::paths::Paths;
use crate::redis::Redis;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The folder with the script and what npm installs for it.
const FOLDER: &str = "benches/bullmq";

/// Says which version is installed, and fails if none is.
const VERSION: &str = "const { version } = JSON.parse(require('fs').readFileSync('node_modules/bullmq/package.json')); \
                       require('bullmq'); console.log(`BullMQ ${version}, Node.js ${process.version}`)";

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
struct Task {
    call: &'static str,
    queue: &'static str,
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
    /// Starts it with this Node.js, if it is installed, and gives its version, too. Else says what is missing.
    pub(crate) async fn start(node: &Path, paths: &Paths, redis: &Redis) -> Result<Result<(Self, String), String>> {
        let folder = paths.root.join(FOLDER);
        let mut look = Command::new(node);
        look.args(["-e", VERSION]).current_dir(&folder).kill_on_drop(true);
        let output = look.output().await?;
        if !output.status.success() {
            return Ok(Err(format!(
                "BullMQ: not installed; `npm install` in {FOLDER} does that"
            )));
        }
        let version = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
        Ok(Ok((Self::spawn(node, &folder, redis.port())?, version)))
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
        for (queue, time) in [("warm-up", time / WARM_UP), ("bench", time)] {
            samples.clear();
            for step in steps {
                let (open, call, count) = match step.call {
                    Call::Add(count) => ("open-queue", "add", count),
                    Call::Process => ("open-worker", "process", 1),
                };
                let task = |call| Task {
                    call,
                    queue,
                    count,
                    payload,
                    connections,
                    seconds: time.as_secs_f64(),
                };
                self.run(&task(open)).await?;
                let before = pids.cpu();
                let sample = self.run(&task(call)).await?;
                let cpu = Pids::between(before, pids.cpu());
                self.run(&task("close")).await?;
                samples.push(Sample { cpu, ..sample });
            }
        }
        Ok(samples)
    }

    async fn run(&mut self, task: &Task) -> Result<Sample> {
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
