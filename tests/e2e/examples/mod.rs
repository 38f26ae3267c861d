//! The example workers do what workers do: get jobs, do them, say what became of them, and stop when they are told to.

mod component;
mod legacy;
mod producers;
mod v1;

use crate::support::{eventually, target_dir};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;

/// A worker that runs, and the processes that it starts. They end with this value.
struct Worker(Child);

impl Worker {
    fn start(mut command: Command) -> Self {
        command.process_group(0).stdout(Stdio::null()).stderr(Stdio::piped());
        Self(command.spawn().expect("the worker starts"))
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    /// Tells it to stop.
    fn terminate(&self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
    }

    /// Kills the worker, and none of the processes that it started. Its process id is gone then.
    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Waits for its end. Gives how it ended, and the lines that it printed, without spaces.
    async fn end(mut self) -> (ExitStatus, Vec<String>) {
        let status = eventually("the worker ends", async || self.0.try_wait().unwrap()).await;
        let mut printed = String::new();
        self.0.stderr.as_mut().unwrap().read_to_string(&mut printed).unwrap();
        let lines = printed.lines().map(|line| line.replace(' ', ""));
        (status, lines.collect())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The group may be empty already.
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.0.wait();
    }
}

/// A script of the examples, run by this program.
fn script(program: &str, name: &str) -> Command {
    let mut command = Command::new(program);
    command.arg(examples().join(name));
    command
}

/// The same, where this program is installed.
fn script_if_there(program: &str, name: &str) -> Option<Command> {
    is_there(program).then(|| script(program, name))
}

/// A program of the examples in Go, where that is installed.
pub(super) fn go(name: &str) -> Option<Command> {
    /// Where they are built: with nothing but the standard library, once.
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = go_cache().with_file_name("go");
        for name in ["producer", "worker"] {
            let mut build = Command::new("go");
            build.args(["build", "-o"]).arg(folder.join(name));
            build.arg(examples().join("v1").join(name).with_extension("go"));
            build.env("GOCACHE", go_cache());
            // No modules, and no other version of Go: nothing is downloaded.
            build.env("GO111MODULE", "off").env("GOTOOLCHAIN", "local");
            let output = build.output().expect("go");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        folder
    });
    is_there("go").then(|| Command::new(BUILT.join(name)))
}

/// Where Go keeps what it has compiled.
pub(super) fn go_cache() -> PathBuf {
    target_dir().join("test-state/go-cache")
}

/// Whether a program can be run. Says so where it cannot.
pub(super) fn is_there(program: &str) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let is_there = std::env::split_paths(&paths).any(|folder| folder.join(program).is_file());
    if !is_there {
        eprintln!("passed over: {program} is not installed");
    }
    is_there
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

/// A program of the examples. Cargo builds them along with the tests, in `target/<profile>/examples/`.
fn program(name: &str) -> Command {
    let this: PathBuf = std::env::current_exe().unwrap();
    Command::new(this.ancestors().nth(2).unwrap().join("examples").join(name))
}
