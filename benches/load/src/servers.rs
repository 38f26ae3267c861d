//! What is measured: each a process that listens on the loopback.

use crate::bullmq::BullMq;
use crate::flags::{Flags, Fsync, Installed};
use crate::measure::{Pids, in_time};
use crate::paths::Paths;
use crate::redis::Redis;
use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Serialize, Serializer};
use std::fmt;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::ChildStdout;

/// How long a server may take until it serves. The first start compiles all components.
const PATIENCE: Duration = Duration::from_secs(300);

/// How long a program may take to say its version.
const VERSION_PATIENCE: Duration = Duration::from_secs(5);

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
    /// The same process as [`Kind::Presque`], while Redis has another setting.
    Fsync(#[serde(serialize_with = "as_text")] Fsync),
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

fn as_text<S: Serializer>(fsync: &Fsync, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(fsync)
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Presque => "presque",
            Self::Also(place) => return write!(f, "presque, also {place}"),
            Self::Fsync(fsync) => return write!(f, "presque, {fsync}"),
            Self::Bare => "bare component",
            Self::NativePresque => "presque, native",
            Self::NativeBare => "bare, native",
            Self::Spin => "presque on Spin",
            Self::Webdis => "Webdis",
            Self::BullMq => "BullMQ",
        })
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
    pub(crate) async fn host(
        paths: &Paths,
        program: &Path,
        manifest: &str,
        redis_url: &str,
        args: &[&str],
    ) -> Result<Self> {
        // A line for each request only where it is read: nothing that it is compared with writes one.
        let level = if args.contains(&"--log-fuel") { "info" } else { "warn" };
        let mut command = Command::new(program);
        command
            // Where no `.env` is.
            .current_dir(&paths.programs)
            .arg("--from")
            .arg(paths.root.join(manifest))
            .arg("--state-dir")
            .arg(paths.target().join("bench-state"))
            .args(["--listen", "127.0.0.1:0", "--redis-url", redis_url])
            .args(["--log-level", level])
            .args(args);
        Self::announced(command).await
    }

    /// Starts the native server.
    pub(crate) async fn native(paths: &Paths, redis_url: &str) -> Result<Self> {
        let mut command = Command::new(paths.programs.join("presque-bench-native"));
        command.args(["--redis-url", redis_url]);
        Self::announced(command).await
    }

    /// Starts Spin with presque's manifest.
    pub(crate) async fn spin(paths: &Paths, program: &Path, redis_url: &str) -> Result<Self> {
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
        Self::found(command, address, dir).await
    }

    /// Starts Webdis.
    pub(crate) async fn webdis(program: &Path, redis_port: u16) -> Result<Self> {
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
        Self::found(command, address, dir).await
    }

    /// Starts a program that says where it serves, in the first line of its output.
    async fn announced(mut command: Command) -> Result<Self> {
        let mut process = Self::spawn(command.stdout(Stdio::piped()), None, tempfile::tempdir()?)?;
        let stdout = process.child.stdout.take().context("its output is not there")?;
        let mut output = BufReader::new(ChildStdout::from_std(stdout)?);
        let mut line = String::new();
        let read = in_time(PATIENCE, async { Ok(output.read_line(&mut line).await?) }).await;
        read.with_context(|| process.failure(&command))?;
        let address = line.trim_end().strip_prefix("Serving http://");
        process.address = address.with_context(|| process.failure(&command))?.parse()?;
        // To the end: a full pipe would stop the program.
        tokio::task::spawn_local(async move { tokio::io::copy(&mut output, &mut tokio::io::sink()).await });
        Ok(process)
    }

    /// Starts a program that will listen on this address.
    async fn found(mut command: Command, address: SocketAddr, dir: TempDir) -> Result<Self> {
        let mut process = Self::spawn(command.stdout(Stdio::null()), Some(address), dir)?;
        let listens = async {
            while TcpStream::connect(address).await.is_err() {
                let ended = process.child.try_wait()?;
                ensure!(ended.is_none(), "it has ended");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok(())
        };
        let listens = in_time(PATIENCE, listens).await;
        listens.with_context(|| process.failure(&command))?;
        Ok(process)
    }

    /// Starts a program, with its log in a file: what a terminal costs is not measured. The environment does not say to it
    /// which Redis to use. It is a process group with all that it starts, so that nothing of it is left when it ends.
    fn spawn(command: &mut Command, address: Option<SocketAddr>, dir: TempDir) -> Result<Self> {
        for (name, _) in std::env::vars_os() {
            if name == "REDIS_URL" || name.as_encoded_bytes().starts_with(b"SPIN_VARIABLE_") {
                command.env_remove(name);
            }
        }
        command.stdin(Stdio::null()).stderr(File::create(dir.path().join(LOG))?);
        let child = command.process_group(0).spawn();
        let child = child.with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self {
            child,
            address: address.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0))),
            dir,
        })
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
    /// Ends it at once: it keeps nothing that is used later, and a server that is asked to end waits for requests under way.
    fn drop(&mut self) {
        // One that has ended needs no signal.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let _ = self.child.wait();
    }
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
    /// Of what is not this project's.
    pub(crate) versions: Vec<String>,
    /// What is not there, and why.
    pub(crate) left_out: Vec<String>,
}

impl Subjects {
    /// Starts all that has a part in what is wanted, and is installed.
    pub(crate) async fn start(flags: &Flags, paths: &Paths, redis: &Redis) -> Result<Self> {
        let mut also = Vec::new();
        for program in &flags.also {
            let found = program.canonicalize();
            also.push(found.with_context(|| format!("--also {}: cannot find this program", program.display()))?);
        }
        let url = redis.url();
        let mut subjects = Self {
            servers: Vec::new(),
            bullmq: None,
            versions: Vec::new(),
            left_out: Vec::new(),
        };
        let host = paths.host();
        if flags.needs(Kind::Presque) {
            let process = Process::host(paths, &host, "spin.toml", &url, &[]).await?;
            let process = subjects.add(Kind::Presque, process);
            let also = flags.also_fsync.iter().map(|&fsync| Kind::Fsync(fsync));
            let also = also.filter(|kind| flags.needs(*kind)).map(|kind| Server {
                kind,
                process: process.clone(),
            });
            subjects.servers.extend(also);
        }
        for (place, program) in (1..).zip(&also) {
            if flags.needs(Kind::Also(place)) {
                let process = Process::host(paths, program, "spin.toml", &url, &[]).await;
                let process = process.with_context(|| format!("--also {}", program.display()))?;
                subjects.add(Kind::Also(place), process);
            }
        }
        if flags.needs(Kind::Bare) {
            let process = Process::host(paths, &host, "benches/bare", &url, &[]).await?;
            subjects.add(Kind::Bare, process);
        }
        if flags.needs(Kind::NativePresque) || flags.needs(Kind::NativeBare) {
            let process = Rc::new(Process::native(paths, &url).await?);
            for kind in [Kind::NativePresque, Kind::NativeBare] {
                let process = process.clone();
                subjects.servers.push(Server { kind, process });
            }
        }
        if let Some(program) = subjects.find(flags, Kind::Spin, Installed::Spin, &["spin"]) {
            subjects.versions.push(version("Spin", &program).await?);
            subjects.add(Kind::Spin, Process::spin(paths, &program, &url).await?);
        }
        if let Some(program) = subjects.find(flags, Kind::Webdis, Installed::Webdis, &["webdis"]) {
            subjects.versions.push(version("Webdis", &program).await?);
            subjects.add(Kind::Webdis, Process::webdis(&program, redis.port()).await?);
        }
        if let Some(node) = subjects.find(flags, Kind::BullMq, Installed::Bullmq, &["node", "nodejs"]) {
            match in_time(PATIENCE, BullMq::start(&node, paths, redis)).await? {
                Ok((bullmq, version)) => {
                    subjects.bullmq = Some(bullmq);
                    subjects.versions.push(version);
                }
                Err(missing) => subjects.left_out.push(missing),
            }
        }
        Ok(subjects)
    }

    fn add(&mut self, kind: Kind, process: Process) -> Rc<Process> {
        let process = Rc::new(process);
        self.servers.push(Server {
            kind,
            process: process.clone(),
        });
        process
    }

    /// The program that serves something, by one of its names, if that has a part in what is wanted. Else notes why it is
    /// left out.
    fn find(&mut self, flags: &Flags, kind: Kind, flag: Installed, names: &[&str]) -> Option<PathBuf> {
        if !flags.needs(kind) {
            return None;
        }
        if flags.without.contains(&flag) {
            self.left_out.push(format!("{kind}: --without {flag}"));
            return None;
        }
        let program = names.iter().find_map(|name| which::which(name).ok());
        if program.is_none() {
            let names = names.join("` or `");
            self.left_out.push(format!("{kind}: there is no `{names}` on the PATH"));
        }
        program
    }
}

/// What a program says of its version, with this name. One that takes no such option may serve instead, and write a log.
async fn version(name: &str, program: &Path) -> Result<String> {
    let dir = tempfile::tempdir()?;
    let mut command = tokio::process::Command::new(program);
    command
        .arg("--version")
        .current_dir(dir.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = in_time(VERSION_PATIENCE, async { Ok(command.output().await?) }).await;
    let output = output.map(|output| output.stdout).unwrap_or_default();
    let text = String::from_utf8_lossy(&output);
    let line = text.lines().next().unwrap_or("it does not tell its version");
    Ok(format!("{name}: {line}"))
}
