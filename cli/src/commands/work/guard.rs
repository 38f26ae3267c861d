//! A second process that outlives the worker by a moment: when the worker is killed, it kills what the worker left running. Else a job
//! would go on while the next worker has it.
//!
//! It reads from a pipe which process groups there are. The pipe's end, however that came, is the end of the worker.

use crate::exit::Exit;
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use std::collections::HashSet;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::signal::unix::{SignalKind, signal};

/// Its name in lists of processes.
const NAME: &str = "work-guard";

/// The guard of this worker. Dropping it ends the guard.
#[derive(Debug)]
pub(super) struct Guard(Mutex<Child>);

impl Guard {
    /// Starts it.
    ///
    /// # Errors
    /// This program cannot be started once more.
    pub(super) fn start() -> Result<Self> {
        let start = || {
            Command::new(std::env::current_exe()?)
                // By another name: who kills all that is named presque must not kill it, too.
                .arg0(NAME)
                .arg("work-guard")
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                // What is sent to the worker's group, as by Ctrl-C or `kill -9 -- -GROUP`, is not for it.
                .process_group(0)
                .spawn()
        };
        let child = start().context("cannot start the process that guards the commands")?;
        Ok(Self(Mutex::new(child)))
    }

    /// There is such a process group from now on.
    pub(super) fn add(&self, group: Pid) {
        self.tell('+', group);
    }

    /// The guard has nothing to do with this group any more. To be called while the number is still taken.
    pub(super) fn remove(&self, group: Pid) {
        self.tell('-', group);
    }

    fn tell(&self, what: char, group: Pid) {
        let mut child = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipe) = &mut child.stdin {
            // A guard that somebody killed is missed only if the worker is killed, too.
            let _ = pipe.write_all(format!("{what}{}\n", group.as_raw_nonzero()).as_bytes());
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let child = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        drop(child.stdin.take());
        let _ = child.wait();
    }
}

/// The guard's own work, in its process.
///
/// # Errors
/// The system lets no handler be set.
pub(crate) fn run() -> Result<Exit> {
    // Where the system has no such file, only the command line has the name.
    let _ = std::fs::write("/proc/self/comm", NAME);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // It ends with the worker, and not before, also where a whole service is told to stop. To have a handler is enough.
        let _held = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::hangup())?,
        );
        let mut groups = HashSet::new();
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let Some((what, group)) = line.split_at_checked(1) else {
                continue;
            };
            let Some(group) = group.parse().ok().and_then(Pid::from_raw) else {
                continue;
            };
            match what {
                "+" => _ = groups.insert(group),
                _ => _ = groups.remove(&group),
            }
        }
        for group in groups {
            // One that has ended meanwhile is what is wanted.
            let _ = kill_process_group(group, Signal::KILL);
        }
        Ok(Exit::Done)
    })
}
