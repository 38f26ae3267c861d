//! A private Redis (or Valkey): a child process with its data in one directory, for this process alone.
//!
//! It listens on the loopback only, and keeps every write (`appendonly`, `appendfsync always`). It ends with
//! its [`RedisServer`], and also when this process is killed. All functions here block; none needs a runtime.
//!
//! The program is `redis-server` or `valkey-server` on the PATH, or the one whose path is in the environment's variable
//! `PRESQUE_REDIS_SERVER`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail, ensure};

mod directory;
mod password;
mod probe;
mod process;
mod settings;
#[cfg(test)]
mod tests;

use directory::Log;
pub use password::Password;
use probe::Answer;
use process::Process;
use settings::Ports;
pub use settings::Settings;

/// How often another port is tried when somebody else took the one that was free.
const PORTS: usize = 5;
/// How long a server may say nothing before it counts as broken. One that loads its data does answer.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a server may take to end after SIGTERM.
const SHUTDOWN: Duration = Duration::from_secs(10);
/// What the log has as soon as the server listens on its port. Redis' own tests wait for this line, too.
const LISTENS: &str = "Server initialized";
/// The longest pause between two looks at a server that starts or ends.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// A running server. Dropping it ends the server, and waits for that (some seconds at most).
#[derive(Debug)]
pub struct RedisServer {
    process: Process,
    program: PathBuf,
    dir: PathBuf,
    ports: Ports,
    settings: Settings,
    /// Held as long as this is, and by the server as long as that runs.
    lock: File,
}

impl RedisServer {
    /// Starts a server with its data in `dir`, which is made if it is not there. The directory is its owner's only (mode
    /// 0700), the server is open to all who can reach the loopback: it is for tests. Returns when it has loaded its data
    /// and answers. It is of no matter which thread calls this, and how long that lives.
    ///
    /// # Errors
    /// No server program is installed; `dir` can not be used, or is in use by another server for some seconds
    /// more; the server ends before it answers (with the last lines of its log).
    pub fn start(dir: &Path) -> Result<Self> {
        Self::start_with(dir, Settings::default())
    }

    /// Starts a server as [`RedisServer::start`] does, with a password. That is kept in the file `redis.password` of the
    /// directory (mode 0600), for people who want to look into the server, and never is part of a command line.
    ///
    /// # Errors
    /// As [`RedisServer::start`]; and the file cannot be written.
    pub fn start_with_password(dir: &Path, password: Password) -> Result<Self> {
        let password = Some(password);
        Self::start_with(
            dir,
            Settings {
                password,
                ..Settings::default()
            },
        )
    }

    /// Starts a server as [`RedisServer::start`] does, with settings. It keeps them when it is started anew.
    ///
    /// # Errors
    /// As [`RedisServer::start_with_password`]; and the server does not know a setting.
    pub fn start_with(dir: &Path, settings: Settings) -> Result<Self> {
        let program = process::find_program()?;
        let dir = directory::make(dir)?;
        let lock = directory::lock(&dir)?;
        if let Some(password) = &settings.password {
            directory::note_password(&dir, password)?;
        }
        let mut attempt = 0;
        let (process, ports) = loop {
            attempt += 1;
            let ports = settings.free_ports()?;
            match run(&program, &dir, &lock, ports, &settings, || false) {
                Ok(process) => break (process, ports),
                Err(Failure::PortTaken(_)) if attempt < PORTS => {}
                Err(failure) => return Err(failure.into()),
            }
        };
        Ok(Self {
            process,
            program,
            dir,
            ports,
            settings,
            lock,
        })
    }

    /// Its address: `redis://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port())
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.ports.port
    }

    /// Its port on 127.0.0.1 for the other nodes of its cluster, if it is a node of one.
    #[must_use]
    pub fn bus_port(&self) -> Option<u16> {
        self.ports.bus
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Ends the server and waits for that.
    ///
    /// # Errors
    /// It had to be killed, or failed at its end. What clients were told is written is written all the same.
    pub fn stop(mut self) -> Result<()> {
        let status = self.process.end(SHUTDOWN)?;
        ensure!(
            status.success(),
            "the Redis server did not end well ({status}); its log is {}",
            self.log().display()
        );
        Ok(())
    }

    /// Kills the server as a crash would (SIGKILL), and waits until it is gone.
    ///
    /// # Errors
    /// The system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }

    /// Lets the server do nothing (SIGSTOP) until [`RedisServer::resume`]. It keeps its connections, as a machine does that the
    /// network has lost. Returns when it does nothing any more.
    ///
    /// # Errors
    /// It has ended, or the system refuses.
    pub fn pause(&self) -> Result<()> {
        self.process.pause()
    }

    /// Lets a server go on that does nothing (SIGCONT).
    ///
    /// # Errors
    /// The system refuses.
    pub fn resume(&self) -> Result<()> {
        self.process.resume()
    }

    /// Starts the server anew, on its directory and its port, after ending the one that may still run.
    ///
    /// # Errors
    /// As [`RedisServer::start`]; and the port may be taken in the meantime.
    pub fn restart(&mut self) -> Result<()> {
        self.restart_unless(|| false).map(|_| ())
    }

    /// Starts the server anew as [`RedisServer::restart`] does, until it is told to stop: `is_stopped` is asked several
    /// times a second, as long as the server loads its data. Returns whether the server runs. If not, it was told to
    /// stop, and has ended.
    ///
    /// # Errors
    /// As [`RedisServer::restart`].
    pub fn restart_unless(&mut self, is_stopped: impl Fn() -> bool) -> Result<bool> {
        self.process.end(SHUTDOWN)?;
        let mut attempt = 0;
        self.process = loop {
            attempt += 1;
            match run(
                &self.program,
                &self.dir,
                &self.lock,
                self.ports,
                &self.settings,
                &is_stopped,
            ) {
                Ok(process) => break process,
                Err(Failure::Stopped) => return Ok(false),
                // A client's connection may use the very port for a moment.
                Err(Failure::PortTaken(_)) if attempt < PORTS => thread::sleep(LONGEST_PAUSE),
                Err(failure) => return Err(failure.into()),
            }
        };
        Ok(true)
    }

    /// How the server's process ended, if it did: nobody asked it to, or nobody here.
    ///
    /// # Errors
    /// The system refuses.
    pub fn has_ended(&mut self) -> Result<Option<ExitStatus>> {
        self.process.has_ended()
    }

    /// The file with its log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.dir.join(directory::LOG)
    }

    /// The last lines of its log.
    #[must_use]
    pub fn last_lines(&self) -> String {
        Log::near_end(&self.dir).map_or_else(|error| format!("({error:#})"), |log| log.last_lines())
    }

    /// The file with its password, if it has one.
    #[must_use]
    pub fn password_file(&self) -> PathBuf {
        self.dir.join(directory::PASSWORD)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if self.settings.is_temporary {
            // Else the process is asked to end when it is dropped.
            let _ = self.process.kill();
        }
    }
}

/// Why a server did not come up.
enum Failure {
    /// Somebody else listens on its port.
    PortTaken(anyhow::Error),
    /// It was told to stop before.
    Stopped,
    Other(anyhow::Error),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl From<Failure> for anyhow::Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::PortTaken(error) | Failure::Other(error) => error,
            Failure::Stopped => anyhow!("the Redis server was stopped before it answered"),
        }
    }
}

/// Starts a server process and waits until it is ready.
fn run(
    program: &Path,
    dir: &Path,
    lock: &File,
    ports: Ports,
    settings: &Settings,
    is_stopped: impl Fn() -> bool,
) -> Result<Process, Failure> {
    let log = Log::at_end(dir)?;
    let mut process = Process::spawn(program, dir, lock, ports, settings)?;
    directory::note_owner(lock, process.pid())?;
    let password = settings.password.as_ref();
    match wait_until_ready(&mut process, ports.port, password, &log, is_stopped) {
        Ok(true) => Ok(process),
        Ok(false) => Err(Failure::Stopped),
        Err(error) => {
            let lines = log.last_lines();
            let error = anyhow!("{error:#}; the end of {}:\n{lines}", dir.join(directory::LOG).display());
            let taken = lines.contains("Address already in use") || lines.contains("Failed listening on port");
            Err(if taken {
                Failure::PortTaken(error)
            } else {
                Failure::Other(error)
            })
        }
    }
}

/// Returns whether the server is ready. If not, it was told to stop.
fn wait_until_ready(
    process: &mut Process,
    port: u16,
    password: Option<&Password>,
    log: &Log,
    is_stopped: impl Fn() -> bool,
) -> Result<bool> {
    let mut pauses = Pauses::new();
    let mut heard = Instant::now();
    while !is_stopped() {
        match ask(process, port, password, log)? {
            Answer::Ready => return Ok(true),
            Answer::Loading => heard = Instant::now(),
            Answer::None => {}
        }
        if let Some(status) = process.has_ended()? {
            bail!("the Redis server ended before it answered ({status})");
        }
        if heard.elapsed() > SILENCE {
            bail!(
                "the Redis server does not answer on port {port} ({} s)",
                SILENCE.as_secs()
            );
        }
        pauses.pause();
    }
    Ok(false)
}

/// Asks the server whether it is ready, once the port is surely its own: another process there would learn the password.
fn ask(process: &mut Process, port: u16, password: Option<&Password>, log: &Log) -> Result<Answer> {
    if !log.has(LISTENS) {
        return Ok(Answer::None);
    }
    let Ok(stream) = probe::connect(port) else {
        return Ok(Answer::None);
    };
    // It lets go of the port only at its very end: if it still runs, it is at the other end.
    if process.has_ended()?.is_some() {
        return Ok(Answer::None);
    }
    Ok(probe::ask(stream, password))
}

/// Pauses between looks at something: short at first, as most waits are.
struct Pauses(Duration);

impl Pauses {
    fn new() -> Self {
        Self(Duration::from_millis(2))
    }

    fn pause(&mut self) {
        thread::sleep(self.0);
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
    }
}
