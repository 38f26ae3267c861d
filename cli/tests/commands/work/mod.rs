//! `presque work`.

mod commands;
mod leases;
mod outputs;
mod posts;
mod stopping;

use crate::support::presque;
use presque_testkit::{Answer, Host, Redis, eventually, until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// A server, and a folder for what commands write. Done jobs of its queue `work` are kept.
struct Place {
    redis: Redis,
    host: Host,
    dir: TempDir,
}

/// A worker that runs. It is killed with its value.
struct Worker {
    child: Child,
    log: TempDir,
}

impl Place {
    async fn start() -> Self {
        let redis = Redis::start();
        let place = Self {
            host: Host::on(&redis),
            redis,
            dir: tempfile::tempdir().expect("a folder"),
        };
        place.send("PUT", "/v1/queues/work", &json!({"retain": 600})).await;
        place
    }

    async fn send(&self, method: &str, target: &str, body: &Value) -> Answer {
        let json = [("Content-Type", "application/json")];
        self.host.client().send(method, target, &json, body.to_string()).await
    }

    /// Inserts a job into the queue `work`, and returns its id.
    async fn insert(&self, job: &Value) -> String {
        let answer = self.send("POST", "/v1/queues/work/jobs", job).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
        answer["id"].as_str().expect("an id").to_owned()
    }

    /// A job of the queue `work`.
    async fn job(&self, id: &str) -> Value {
        let answer = self.host.get(&format!("/v1/queues/work/jobs/{id}")).await;
        serde_json::from_slice(&answer.body).expect("JSON")
    }

    /// Waits until a job is in this state, and returns it.
    async fn job_in(&self, state: &str, id: &str) -> Value {
        eventually(&format!("the job {state}"), async || {
            let job = self.job(id).await;
            (job["state"] == state).then_some(job)
        })
        .await
    }

    /// The receipt of a job's first attempt.
    fn receipt(id: &str) -> String {
        format!("{id}-1")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A worker's command, on the queue `work`.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = presque(&self.host.base);
        command.args(["work", "work"]).args(args);
        command
    }

    /// Starts a worker on the queue `work` whose commands run in the folder.
    fn worker(&self, args: &[&str]) -> Worker {
        self.worker_at(&self.host.base, args)
    }

    fn worker_at(&self, url: &str, args: &[&str]) -> Worker {
        Worker::start(url, self.dir.path(), args)
    }

    /// Runs a worker to its end: its exit code, and what it wrote to standard output and standard error.
    async fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let mut worker = self.worker(args);
        (worker.ended().await, worker.output(), worker.notes())
    }

    /// Waits until a command has written a line to this file, and returns that line.
    async fn line(&self, name: &str) -> String {
        let path = self.path(name);
        eventually(&format!("a line in {name}"), async || {
            let text = fs::read_to_string(&path).unwrap_or_default();
            text.ends_with('\n').then(|| text.trim().to_owned())
        })
        .await
    }

    /// Waits until a process whose number a command has written to this file does not run any more.
    async fn gone(&self, name: &str) {
        let pid = self.line(name).await;
        until(&format!("the end of {name}"), async || !is_running(&pid)).await;
    }

    fn touch(&self, name: &str) {
        File::create(self.path(name)).expect("a file");
    }
}

impl Worker {
    fn start(url: &str, dir: &Path, args: &[&str]) -> Self {
        let mut command = presque(url);
        command.args(["work", "work"]).args(args);
        Self::spawn(command, dir, |_| {})
    }

    /// Starts this command in a folder, after a last change of it.
    fn spawn(mut command: Command, dir: &Path, change: impl FnOnce(&mut Command)) -> Self {
        let log = tempfile::tempdir().expect("a folder");
        let file = |name| File::create(log.path().join(name)).expect("a file");
        command
            .current_dir(dir)
            // What is the worker's own is not the job's.
            .envs([("PRESQUE_METADATA", "mine"), ("TRACEPARENT", "mine")])
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("notes"));
        change(&mut command);
        let child = command.spawn().expect("it starts");
        Self { child, log }
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).expect("a process");
        kill_process(pid, signal).expect("it is sent");
    }

    /// Waits for its end. Returns its exit code.
    async fn ended(&mut self) -> Option<i32> {
        eventually("the worker's end", async || self.child.try_wait().expect("a child"))
            .await
            .code()
    }

    /// Waits until it has written this to standard error.
    async fn noted(&self, text: &str) {
        until(&format!("the note {text:?}"), async || self.notes().contains(text)).await;
    }

    fn notes(&self) -> String {
        fs::read_to_string(self.log.path().join("notes")).expect("text")
    }

    fn output(&self) -> String {
        fs::read_to_string(self.log.path().join("out")).expect("text")
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Most have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the worker's notes:\n{}---", self.notes());
        }
    }
}

/// Whether a process runs. One that has ended and was not waited for does not.
fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| state != 'Z' && state != 'X')
}
