//! The example workers do what workers do: get jobs, do them, say what became of them, and stop when they are told to.

mod component;
mod legacy;
mod v1;

use crate::support::eventually;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

/// A worker that runs. Ends with its value.
struct Worker(Child);

impl Worker {
    fn start(mut command: Command) -> Self {
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        Self(child.expect("the worker starts"))
    }

    /// Tells it to stop.
    fn terminate(&self) {
        // The shell has a `kill` of its own; the program is not everywhere.
        let kill = format!("kill {}", self.0.id());
        let stopped = Command::new("sh").args(["-c", &kill]).status().unwrap();
        assert!(stopped.success());
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
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A script of the examples, when what it needs is installed.
fn script(name: &str, needs: &[&str]) -> Option<Command> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let installed = |program: &&str| std::env::split_paths(&paths).any(|folder| folder.join(program).is_file());
    if let Some(missing) = needs.iter().find(|program| !installed(program)) {
        eprintln!("not tested, since {missing} is not installed: {name}");
        return None;
    }
    let mut command = Command::new(needs[0]);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name));
    Some(command)
}

/// A program of the examples. Cargo builds them along with the tests: target/<profile>/examples.
fn program(name: &str) -> Command {
    let this: PathBuf = std::env::current_exe().unwrap();
    Command::new(this.ancestors().nth(2).unwrap().join("examples").join(name))
}
