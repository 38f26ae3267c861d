//! The server's process: found, started so that it can not outlive this one, ended.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::io::FdFlags;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::settings::{Ports, Settings};
use super::{Pauses, directory};

/// The programs that can serve, the preferred one first.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

/// The variable of the environment that names another one, by its path.
const CHOICE: &str = "PRESQUE_REDIS_SERVER";

/// Finds the server program that the environment names, or one on the PATH.
pub(super) fn find_program() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    match variable(CHOICE) {
        Some(program) => chosen_program(Path::new(&program)),
        None => find_program_in(&variable("PATH").unwrap_or_default()),
    }
}

/// The program that somebody chose.
pub(super) fn chosen_program(program: &Path) -> Result<PathBuf> {
    ensure!(
        is_executable(program),
        "{CHOICE} is {}, which is not a program; it must be the path of a Redis or Valkey server, or empty",
        program.display()
    );
    Ok(std::path::absolute(program)?)
}

fn is_executable(file: &Path) -> bool {
    file.metadata()
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Finds a server program in a list of directories such as the PATH.
pub(super) fn find_program_in(path: &OsStr) -> Result<PathBuf> {
    let found = PROGRAMS
        .iter()
        .find_map(|program| {
            std::env::split_paths(path)
                .map(|dir| dir.join(program))
                .find(|file| is_executable(file))
        })
        // The program is started in another directory than this one.
        .and_then(|program| std::path::absolute(program).ok());
    found.ok_or_else(|| {
        anyhow!(
            "neither redis-server nor valkey-server is on the PATH; install Redis or Valkey (Debian and Ubuntu: \
             apt install redis-server; Fedora: dnf install valkey; Alpine: apk add valkey; Arch: pacman -S valkey; macOS: \
             brew install valkey), or name one in {CHOICE}"
        )
    })
}

/// A server process, and the thread that it needs for a parent.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// Its end lets the parent thread go.
    _parent: mpsc::Sender<()>,
}

impl Process {
    /// Starts a server, which may not be ready for long.
    pub(super) fn spawn(program: &Path, dir: &Path, lock: &File, ports: Ports, settings: &Settings) -> Result<Self> {
        let mut command = command(program, dir)?;
        let lock = lock.try_clone().context("cannot share the lock file")?;
        die_with_parent(&mut command, settings.death_signal(), lock);
        let (child_out, child_in) = mpsc::channel();
        let (parent, until_dropped) = mpsc::channel::<()>();
        // Linux sends the parent's death signal when the thread dies that started the child, not the process.
        // The caller's thread may be one of a pool: so the child gets one of its own.
        thread::Builder::new()
            .name("redis-parent".to_owned())
            .spawn(move || {
                let child = command.spawn();
                // It holds the lock too.
                drop(command);
                if child_out.send(child).is_ok() {
                    // Nothing is ever sent: this ends when the sender is dropped.
                    let _ = until_dropped.recv();
                }
            })
            .context("cannot start a thread for the Redis server")?;
        let child = child_in.recv().context("the thread for the Redis server is gone")?;
        let mut child = child.with_context(|| format!("cannot start {}", program.display()))?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that does not read it has ended, and its log says why.
            let _ = stdin.write_all(settings.configuration(ports).as_bytes());
        }
        Ok(Self { child, _parent: parent })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How the process ended, if it did.
    pub(super) fn has_ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("cannot wait for the Redis server")
    }

    /// Asks the process to end, waits so long, then kills it. Returns how it ended.
    pub(super) fn end(&mut self, patience: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.has_ended()? {
            return Ok(status);
        }
        // Not reaped yet (above), so the id is still its own.
        self.signal(Signal::TERM)?;
        // It may be paused.
        self.signal(Signal::CONT)?;
        let start = Instant::now();
        let mut pauses = Pauses::new();
        while start.elapsed() < patience {
            if let Some(status) = self.has_ended()? {
                return Ok(status);
            }
            pauses.pause();
        }
        self.kill()?;
        bail!(
            "the Redis server did not end within {} s and was killed",
            patience.as_secs()
        )
    }

    /// Stops the process and waits until it does nothing any more.
    pub(super) fn pause(&self) -> Result<()> {
        self.signal(Signal::STOP)?;
        // Whether it has ended is looked at only: it is to be reaped by others.
        let what = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let status =
            rustix::process::waitid(WaitId::Pid(self.id()?), what).context("cannot wait for the Redis server")?;
        ensure!(
            status.is_some_and(|status| status.stopped()),
            "the Redis server has ended"
        );
        Ok(())
    }

    pub(super) fn resume(&self) -> Result<()> {
        self.signal(Signal::CONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        rustix::process::kill_process(self.id()?, signal).context("cannot send the Redis server a signal")
    }

    fn id(&self) -> Result<Pid> {
        let id = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        id.context("the Redis server has no id")
    }

    /// Kills the process and waits until it is gone.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.child.kill().context("cannot kill the Redis server")?;
        self.child.wait().context("cannot wait for the Redis server")?;
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.end(super::SHUTDOWN);
    }
}

fn command(program: &Path, dir: &Path) -> Result<Command> {
    let log = directory::open(dir)?;
    let mut command = Command::new(program);
    command
        .arg("-")
        // The server's `dir` is its working directory. Given so, any name is fine for it.
        .current_dir(dir)
        .stdin(Stdio::piped())
        // What it says before it has opened its log.
        .stdout(log.try_clone().context("cannot share the log file")?)
        .stderr(log)
        // Ctrl-C in the terminal goes to a group. This process may have work to finish that needs the server.
        .process_group(0);
    Ok(command)
}

/// Makes the process end with its parent, and hold the lock until it has ended.
#[allow(unsafe_code)]
fn die_with_parent(command: &mut Command, signal: Signal, lock: File) {
    let parent = rustix::process::getpid();
    let prepare = move || -> io::Result<()> {
        #[cfg(target_os = "linux")]
        rustix::process::set_parent_process_death_signal(Some(signal))?;
        if rustix::process::getppid() != Some(parent) {
            // The parent died before the line above; nothing would end this process.
            return Err(io::ErrorKind::NotFound.into());
        }
        // Keep the file open in the server.
        rustix::io::fcntl_setfd(&lock, FdFlags::empty())?;
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes three system calls, and neither allocates nor takes a
    // lock. It owns the file whose descriptor it uses.
    unsafe {
        command.pre_exec(prepare);
    }
}
