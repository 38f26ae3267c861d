//! The host's command as a child process, serving one of this project's manifests.

use super::{Client, PATIENCE, Redis};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use tempfile::TempDir;

/// A running host. Ends with its value.
pub struct Host {
    child: Child,
    pub base: String,
    dir: TempDir,
}

/// How to start a host.
#[derive(Default)]
pub struct HostOptions<'a> {
    /// The Redis to use. Without one the host starts its own, in `state`.
    pub redis_url: Option<String>,
    /// Where the host keeps its state, when that is to outlive it.
    pub state: Option<&'a Path>,
    /// The manifest to serve, `spin.toml` unless it is told.
    pub manifest: Option<&'a str>,
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
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let shared = target_dir().join("test-state");
        let mut command = Command::new(command_path());
        command
            .current_dir(dir.path())
            .arg("--from")
            .arg(root.join(options.manifest.unwrap_or("spin.toml")))
            .arg("--state-dir")
            .arg(options.state.unwrap_or(&shared))
            .args(["--listen", "127.0.0.1:0", "--log-level", "warn"])
            .args(options.args);
        if let Some(url) = options.redis_url {
            command.args(["--redis-url", &url]);
        }
        for (name, _) in std::env::vars_os() {
            if name == "REDIS_URL" || name.as_encoded_bytes().starts_with(b"SPIN_VARIABLE_") {
                command.env_remove(name);
            }
        }
        let log = std::fs::File::create(dir.path().join("log")).expect("a log file");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the host starts");
        let stdout = child.stdout.take().expect("its output is piped");
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let first = receiver.recv_timeout(PATIENCE);
        let base = first
            .ok()
            .and_then(|line| line.strip_prefix("Serving ").map(str::to_owned));
        let mut host = Self {
            child,
            base: base.clone().unwrap_or_default(),
            dir,
        };
        if base.is_none() {
            panic!("the host does not serve ({:?}): {}", host.child.try_wait(), host.log());
        }
        host
    }

    pub fn client(&self) -> Client {
        Client::new(&self.base)
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.base.trim_start_matches("http://")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Ends it as a crash would.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the host's log:\n{}", self.log());
        }
    }
}

/// `target/`: this program is `target/<profile>/deps/main-<hash>`.
fn target_dir() -> PathBuf {
    let this = std::env::current_exe().expect("this program has a path");
    this.ancestors().nth(3).expect("it stands in target/").to_owned()
}

fn command_path() -> PathBuf {
    let this = std::env::current_exe().expect("this program has a path");
    let path = this
        .ancestors()
        .nth(2)
        .expect("it stands in target/")
        .join("presque-host");
    assert!(
        path.is_file(),
        "{} is not built: run `cargo xtask test`",
        path.display()
    );
    path
}
