//! A command and all that it starts: a process group.

use super::guard::Guard;
use rustix::io::retry_on_intr;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use tokio::process::{Child, Command};

/// A command that runs, in a process group of its own. The group is killed when this is dropped.
pub(super) struct Group {
    child: Child,
    id: Pid,
    guard: Arc<Guard>,
    is_over: bool,
}

impl Group {
    /// Starts a command.
    ///
    /// # Errors
    /// The system does not start it.
    pub(super) fn spawn(command: &mut Command, guard: Arc<Guard>) -> io::Result<Self> {
        let child = command.process_group(0).spawn()?;
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let id = id.ok_or(io::ErrorKind::NotFound)?;
        guard.add(id);
        Ok(Self {
            child,
            id,
            guard,
            is_over: false,
        })
    }

    /// The command's process, for its pipes.
    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Sends a signal to all of the group. One that has ended needs none.
    pub(super) fn signal(&self, signal: Signal) {
        let _ = kill_process_group(self.id, signal);
    }

    /// Waits until the command has ended, and leaves it as it is: until it is reaped, its number is nobody else's, and so the group can be
    /// killed.
    pub(super) fn ended(&self) -> impl Future<Output = ()> + use<> {
        let id = self.id;
        let waiting = tokio::task::spawn_blocking(move || {
            let what = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            retry_on_intr(|| waitid(WaitId::Pid(id), what))
        });
        async {
            // The only error there is: it is no child, and so has ended.
            let _ = waiting.await;
        }
    }

    /// Kills what the command has left running. To be called when it has ended.
    pub(super) fn kill_rest(&mut self) {
        self.signal(Signal::KILL);
        if !self.is_over {
            self.guard.remove(self.id);
            self.is_over = true;
        }
    }

    /// How the command ended.
    ///
    /// # Errors
    /// The system does not know.
    pub(super) async fn status(mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.is_over {
            self.kill_rest();
        }
    }
}
