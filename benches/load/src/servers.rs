//! What is measured: each a process that listens on the loopback.

use crate::bullmq::BullMq;
use crate::measure::Pids;
use crate::redis::Redis;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long a server may take until it serves. The first start compiles all components.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long a server may take to end.
const END: Duration = Duration::from_secs(15);

/// The file with a server's log, in its folder.
const LOG: &str = "log";

/// What answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// presque on this project's host.
    Presque,
    /// presque on another build of the host: of several, the one at this place from 1 on.
    Also(usize),
    /// The component of `benches/bare` on this project's host.
    Bare,
    /// presque's handlers in the native server.
    NativePresque,
    /// The bare scripts in the native server.
    NativeBare,
    /// presque on Spin.
    Spin,
    Webdis,
    BullMq,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Presque => "presque",
            Self::Also(place) => return write!(f, "presque, also {place}"),
            Self::Bare => "bare component",
            Self::NativePresque => "presque, native",
            Self::NativeBare => "bare, native",
            Self::Spin => "presque on Spin",
            Self::Webdis => "Webdis",
            Self::BullMq => "BullMQ",
        })
    }
}

/// Where things are.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    /// The workspace.
    pub(crate) root: PathBuf,
    /// The folder with the programs: `target/<profile>`.
    pub(crate) programs: PathBuf,
}

impl Paths {
    /// Finds them from where this program stands.
    pub(crate) fn find() -> Result<Self> {
        let program = std::env::current_exe()?;
        let programs = program.parent().context("this program has no folder")?;
        Ok(Self {
            root: Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?,
            programs: programs.to_owned(),
        })
    }

    /// The folder for what is built and for what is measured with.
    pub(crate) fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// The name of the profile that the programs were built with.
    pub(crate) fn profile(&self) -> String {
        let name = self.programs.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    /// The host that is measured.
    pub(crate) fn host(&self) -> PathBuf {
        self.programs.join("presque-host")
    }
}

/// A server process. Ends with its value.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Its log, and what else it writes.
    dir: TempDir,
}

impl Process {
    /// Starts a build of this project's host with a manifest.
    pub(crate) fn host(paths: &Paths, program: &Path, manifest: &str, redis_url: &str, args: &[&str]) -> Result<Self> {
        let mut command = Command::new(program);
        command
            // Where no `.env` is.
            .current_dir(&paths.programs)
            .arg("--from")
            .arg(paths.root.join(manifest))
            .arg("--state-dir")
            .arg(paths.target().join("bench-state"))
            .args(["--listen", "127.0.0.1:0", "--redis-url", redis_url])
            .args(args);
        Self::announced(command)
    }

    /// Starts the native server.
    pub(crate) fn native(paths: &Paths, redis_url: &str) -> Result<Self> {
        let mut command = Command::new(paths.programs.join("presque-bench-native"));
        command.args(["--redis-url", redis_url]);
        Self::announced(command)
    }

    /// Starts Spin with presque's manifest.
    pub(crate) fn spin(paths: &Paths, program: &Path, redis_url: &str) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let address = free_address()?;
        let mut command = Command::new(program);
        command
            .args(["up", "--quiet", "--from"])
            .arg(paths.root.join("spin.toml"))
            .arg("--state-dir")
            .arg(dir.path())
            .arg("--log-dir")
            .arg(dir.path())
            .args(["--listen", &address.to_string()])
            .args(["--variable", &format!("redis_url={redis_url}")]);
        Self::found(command, address, dir)
    }

    /// Starts Webdis.
    pub(crate) fn webdis(program: &Path, redis_port: u16) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let address = free_address()?;
        let settings = serde_json::json!({
            "redis_host": "127.0.0.1",
            "redis_port": redis_port,
            "http_host": "127.0.0.1",
            "http_port": address.port(),
            "threads": std::thread::available_parallelism()?.get(),
            "pool_size": 20,
            "daemonize": false,
            "websockets": false,
            "database": 0,
            "verbosity": 0,
            "logfile": dir.path().join(LOG),
            "http_max_request_size": 128 * 1024 * 1024,
        });
        let file = dir.path().join("webdis.json");
        std::fs::write(&file, settings.to_string())?;
        let mut command = Command::new(program);
        command.arg(file).current_dir(dir.path());
        Self::found(command, address, dir)
    }

    /// Starts a program that says where it serves, in the first line of its output.
    fn announced(mut command: Command) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let mut child = spawn(command.stdout(Stdio::piped()), &dir)?;
        let stdout = child.stdout.take().context("its output is not there")?;
        let mut process = Self {
            child,
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            dir,
        };
        let mut line = String::new();
        let mut output = BufReader::new(stdout);
        output.read_line(&mut line)?;
        let address = line.trim_end().strip_prefix("Serving http://");
        let address = address.with_context(|| process.failure(&command))?;
        process.address = address.parse()?;
        // To the end: a full pipe would stop the program.
        std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
        Ok(process)
    }

    /// Starts a program that will listen on this address.
    fn found(mut command: Command, address: SocketAddr, dir: TempDir) -> Result<Self> {
        let child = spawn(command.stdout(Stdio::null()), &dir)?;
        let mut process = Self { child, address, dir };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if process.child.try_wait()?.is_some() || start.elapsed() > PATIENCE {
                bail!(process.failure(&command));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(process)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged until now.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join(LOG)).unwrap_or_default()
    }

    fn failure(&self, command: &Command) -> String {
        let program = command.get_program().display();
        format!("{program} does not serve: {}", self.log().trim_end())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // One that has ended needs no signal.
            let _ = kill_process(pid, Signal::TERM);
        }
        let start = Instant::now();
        while start.elapsed() < END {
            if let Ok(Some(_)) | Err(_) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a program, with its log in a file: what a terminal costs is not measured. The environment does not say to it which
/// Redis to use.
fn spawn(command: &mut Command, dir: &TempDir) -> Result<Child> {
    for (name, _) in std::env::vars_os() {
        if name == "REDIS_URL" || name.as_encoded_bytes().starts_with(b"SPIN_VARIABLE_") {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null()).stderr(File::create(dir.path().join(LOG))?);
    let child = command.spawn();
    child.with_context(|| format!("cannot start {}", command.get_program().display()))
}

/// An address on the loopback that nobody listens on at this moment.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// A server that speaks HTTP.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) process: Rc<Process>,
}

impl Server {
    pub(crate) fn pids(&self, redis: u32) -> Pids {
        Pids {
            server: self.process.pid(),
            redis,
        }
    }

    /// Where it serves the bare script.
    pub(crate) fn bare(&self) -> &'static str {
        match self.kind {
            Kind::NativeBare => "/bare",
            _ => "/",
        }
    }
}

/// All that is measured side by side.
pub(crate) struct Subjects {
    pub(crate) servers: Vec<Server>,
    pub(crate) bullmq: Option<BullMq>,
    /// What is not there, and why.
    pub(crate) left_out: Vec<String>,
}

impl Subjects {
    /// Starts all that is installed.
    pub(crate) async fn start(paths: &Paths, redis: &Redis, also: &[PathBuf]) -> Result<Self> {
        let url = redis.url();
        let mut servers = Vec::new();
        let mut left_out = Vec::new();
        let mut add = |kind: Kind, process: &Rc<Process>| {
            let process = process.clone();
            servers.push(Server { kind, process });
        };
        let host = paths.host();
        let mut add_host = |kind, program: &Path, manifest| -> Result<()> {
            add(kind, &Rc::new(Process::host(paths, program, manifest, &url, &[])?));
            Ok(())
        };
        add_host(Kind::Presque, &host, "spin.toml")?;
        for (place, program) in (1..).zip(also) {
            add_host(Kind::Also(place), &program.canonicalize()?, "spin.toml")?;
        }
        add_host(Kind::Bare, &host, "benches/bare")?;
        let native = Rc::new(Process::native(paths, &url)?);
        add(Kind::NativePresque, &native);
        add(Kind::NativeBare, &native);
        match which::which("spin") {
            Ok(program) => add(Kind::Spin, &Rc::new(Process::spin(paths, &program, &url)?)),
            Err(_) => left_out.push("presque on Spin: there is no `spin` on the PATH".to_owned()),
        }
        match which::which("webdis") {
            Ok(program) => add(Kind::Webdis, &Rc::new(Process::webdis(&program, redis.port())?)),
            Err(_) => left_out.push("Webdis: there is no `webdis` on the PATH".to_owned()),
        }
        let bullmq = BullMq::start(paths, redis)
            .await?
            .map_err(|missing| left_out.push(missing));
        Ok(Self {
            servers,
            bullmq: bullmq.ok(),
            left_out,
        })
    }
}
