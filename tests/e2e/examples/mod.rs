//! The example workers do what workers do: get jobs, do them, say what became of them, and stop when they are told to.

mod component;
mod legacy;
mod v1;

use crate::support::eventually;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

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
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name));
    command
}

/// A program of the examples. Cargo builds them along with the tests, in `target/<profile>/examples/`.
fn program(name: &str) -> Command {
    let this: PathBuf = std::env::current_exe().unwrap();
    Command::new(this.ancestors().nth(2).unwrap().join("examples").join(name))
}
