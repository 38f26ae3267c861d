//! The host's command as a child process.

use crate::{Answer, Client, PATIENCE, Redis, eventually, patiently};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a start may take. The first ones after a build compile all components, several at the same time.
const START_PATIENCE: Duration = PATIENCE.saturating_mul(4);

/// A running host. It is killed when this is dropped.
pub struct Host {
    process: Process,
    /// `http://HOST:PORT`.
    pub base: String,
}

/// How to start a host that serves one of this project's manifests.
#[derive(Default)]
pub struct HostOptions<'a> {
    /// The Redis to use. Without one the host starts its own, in `state`.
    pub redis_url: Option<String>,
    /// Where the host keeps its state, when that is to outlive it. What it compiles is shared by all hosts anyway.
    pub state: Option<&'a Path>,
    /// The manifest to serve, by its path in the workspace: `spin.toml` unless it is given.
    pub manifest: Option<&'a str>,
    /// More arguments. The log has warnings and errors, and the host listens on the loopback, unless they say otherwise.
    pub args: &'a [&'a str],
}

impl Host {
    /// Starts a host on this Redis.
    pub fn on(redis: &Redis) -> Self {
        Self::start(HostOptions {
            redis_url: Some(redis.url()),
            ..HostOptions::default()
        })
    }

    /// Starts a host on this Redis that serves the RestMQ dialect alone.
    pub fn restmq_on(redis: &Redis) -> Self {
        Self::start(HostOptions {
            redis_url: Some(redis.url()),
            manifest: Some("restmq.toml"),
            ..HostOptions::default()
        })
    }

    /// Starts a host, and returns when it serves.
    pub fn start(options: HostOptions<'_>) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let shared = target_dir().join("test-state");
        if let Some(own) = options.state {
            share_cache(own, &shared);
        }
        let mut command = Command::new(command_path());
        command
            .current_dir(dir.path())
            .arg("--from")
            .arg(root.join(options.manifest.unwrap_or("spin.toml")))
            .arg("--state-dir")
            .arg(options.state.unwrap_or(&shared))
            .args(options.args);
        if !options.args.contains(&"--listen") {
            command.args(["--listen", "127.0.0.1:0"]);
        }
        if !options.args.contains(&"--log-level") {
            command.args(["--log-level", "warn"]);
        }
        if let Some(url) = options.redis_url {
            command.args(["--redis-url", &url]);
        }
        isolate(&mut command);
        Self::serve(command, Arc::new(dir))
    }

    /// Runs a command that serves, and returns when it does. Blocks until then. Its folder goes when nobody holds it.
    pub fn serve(mut command: Command, dir: Arc<TempDir>) -> Self {
        let mut process = Process::spawn(command.stdout(Stdio::piped()), dir);
        let stdout = process.child.stdout.take().expect("its output is piped");
        let (sender, receiver) = mpsc::channel();
        // To the end: a full pipe would stop the command.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let first = receiver.recv_timeout(START_PATIENCE).unwrap_or_default();
        let Some(base) = first.strip_prefix("Serving ").map(str::to_owned) else {
            let ended = process.child.try_wait();
            panic!("the host does not serve ({first:?}, {ended:?}): {}", process.log());
        };
        Self { process, base }
    }

    /// Runs a command that cannot start. Returns its exit code and what it says on standard error.
    pub async fn refused(mut command: Command, dir: Arc<TempDir>) -> (Option<i32>, String) {
        let mut process = Process::spawn(command.stdout(Stdio::null()), dir);
        let status = process.ended().await;
        (status.code(), process.log())
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// `HOST:PORT`.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    /// A `GET` on a connection of its own.
    pub async fn get(&self, target: &str) -> Answer {
        self.client().get(target).await
    }

    /// Sends bytes as they are, and reads until the server closes the connection.
    pub async fn raw(&self, request: impl AsRef<[u8]>) -> String {
        let exchange = async {
            let mut stream = TcpStream::connect(self.address()).await.expect("a connection");
            let mut answer = Vec::new();
            // A server that refuses a request need not read it to its end. Then its close is a reset.
            let _ = stream.write_all(request.as_ref()).await;
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        };
        patiently("an answer to raw bytes", exchange).await
    }

    /// What the command has written to standard error.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Waits until a line of the log has all these texts in it, and returns it.
    pub async fn log_line(&mut self, parts: &[&str]) -> String {
        self.log_lines(parts, 1).await.remove(0)
    }

    /// Waits until so many lines of the log have all these texts in them, and returns them.
    pub async fn log_lines(&mut self, parts: &[&str], count: usize) -> Vec<String> {
        let what = format!("{count} lines of the log with {parts:?}");
        eventually(&what, async || {
            let ended = self.process.has_ended().is_some();
            let log = self.log();
            let lines = log.lines().filter(|line| parts.iter().all(|part| line.contains(part)));
            let lines: Vec<String> = lines.map(str::to_owned).collect();
            assert!(lines.len() >= count || !ended, "the command has ended without {what}");
            (lines.len() >= count).then_some(lines)
        })
        .await
    }

    /// The command's process.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.process.child.id().cast_signed()).expect("a process")
    }

    /// Sends a signal to the command.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the signal is sent");
    }

    /// Waits until the command has ended.
    pub async fn ended(&mut self) -> ExitStatus {
        self.process.ended().await
    }

    /// Ends it as a crash would.
    pub fn kill(mut self) {
        self.process.child.kill().expect("it can be killed");
        self.process.child.wait().expect("it ends");
    }
}

/// Lets hosts with two folders for their state have one for what they compile.
fn share_cache(own: &Path, shared: &Path) {
    let (own, shared) = (own.join("cache"), shared.join("cache"));
    if !own.exists() {
        std::fs::create_dir_all(&shared).expect("a folder");
        std::os::unix::fs::symlink(shared, own).expect("a link");
    }
}

/// The command, with its log in a file: what it has written is there at once, and outlives it.
struct Process {
    child: Child,
    log: TempDir,
    _dir: Arc<TempDir>,
}

impl Process {
    fn spawn(command: &mut Command, dir: Arc<TempDir>) -> Self {
        let log = tempfile::tempdir().expect("a temporary folder");
        let file = File::create(log.path().join("log")).expect("a log file");
        let child = command
            .stdin(Stdio::null())
            .stderr(file)
            .spawn()
            .expect("the command starts");
        Self { child, log, _dir: dir }
    }

    fn log(&self) -> String {
        let bytes = std::fs::read(self.log.path().join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child")
    }

    async fn ended(&mut self) -> ExitStatus {
        eventually("the end of the command", async || self.has_ended()).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Most have ended already, which is no matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the log of the host:\n{}---", self.log());
        }
    }
}

/// Takes from a command what the environment says of Redis and of variables.
pub fn isolate(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name == "REDIS_URL" || name.as_encoded_bytes().starts_with(b"SPIN_VARIABLE_") {
            command.env_remove(name);
        }
    }
}

/// `target/`: a test program is `target/<profile>/deps/<name>-<hash>`.
pub fn target_dir() -> PathBuf {
    ancestor_of_this_program(3)
}

/// The host's command, in `target/<profile>/`.
pub fn command_path() -> PathBuf {
    let path = ancestor_of_this_program(2).join("presque-host");
    assert!(
        path.is_file(),
        "{} is not built: run `cargo xtask test`",
        path.display()
    );
    path
}

fn ancestor_of_this_program(number: usize) -> PathBuf {
    let this = std::env::current_exe().expect("this program has a path");
    let ancestor = this.ancestors().nth(number);
    ancestor.expect("it stands in target/").to_owned()
}
