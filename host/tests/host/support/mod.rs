//! What the tests serve: an application in a folder of its own.

pub(crate) use presque_testkit::{
    Answer, Body, Client, Host, Redis, other_connections, patiently, piecewise, query, until,
};

use rustix::process::{Resource, getrlimit, setrlimit};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinHandle;

/// An application of one component, which answers everything.
pub(crate) const PLAIN: &str = r#"
spin_manifest_version = 2
application = { name = "test" }
[[trigger.http]]
route = "/..."
component = "guest"
[component.guest]
source = "GUEST"
"#;

/// The same, and it may use the Redis server that its variable names.
pub(crate) const WITH_REDIS: &str = r#"
spin_manifest_version = 2
application = { name = "test" }
[variables]
redis_url = { required = true }
redis_user = { default = "" }
redis_password = { default = "", secret = true }
redis_database = { default = "" }
[[trigger.http]]
route = "/..."
component = "guest"
[component.guest]
source = "GUEST"
allowed_outbound_hosts = ["{{ redis_url }}"]
[component.guest.variables]
redis_url = "{{ redis_url }}"
redis_user = "{{ redis_user }}"
redis_password = "{{ redis_password }}"
redis_database = "{{ redis_database }}"
"#;

/// For the tests in which instances must not be dropped while a loaded machine takes its time.
pub(crate) const KEEP: [&str; 2] = ["--idle-instance-timeout", "600s"];

/// The argument that names this server as the variable `redis_url`.
pub(crate) fn redis_variable(redis: &Redis) -> String {
    format!("redis_url={}", redis.url())
}

/// A request that its instance holds until its body ends: until the sender is dropped.
pub(crate) fn hold(host: &Host) -> (UnboundedSender<&'static str>, JoinHandle<Answer>) {
    let (open, body) = piecewise();
    let client = host.client();
    let answer =
        tokio::spawn(async move { Answer::read(client.open("POST", "/hold", &[], body).await.unwrap()).await });
    (open, answer)
}

/// Which instance answers, and how many requests have come to it.
pub(crate) async fn instance(client: &Client) -> (String, usize) {
    let answer = client.get("/instance").await.into_text();
    let (id, count) = answer.split_once(' ').unwrap();
    (id.to_owned(), count.parse().unwrap())
}

/// The guest's Wasm file. It is not built here: Cargo, which runs this, holds the lock of the target folder.
fn guest() -> PathBuf {
    let guest = presque_testkit::target_dir().join("wasm32-wasip2/release/presque_host_guest.wasm");
    assert!(
        guest.is_file(),
        "{} is missing: cargo build --release --target wasm32-wasip2 -p presque-host-guest",
        guest.display()
    );
    guest
}

/// An application in a folder of its own, which goes when this and all its hosts are dropped.
pub(crate) struct Site {
    dir: Arc<TempDir>,
    environment: Vec<(&'static str, String)>,
}

impl Site {
    /// Writes a manifest, in which `GUEST` stands for the guest's Wasm file.
    pub(crate) fn new(manifest: &str) -> Self {
        let dir = TempDir::with_prefix("presque-host-test-").unwrap();
        let manifest = manifest.replace("GUEST", guest().to_str().unwrap());
        std::fs::write(dir.path().join("spin.toml"), manifest).unwrap();
        Self {
            dir: Arc::new(dir),
            environment: Vec::new(),
        }
    }

    /// Sets a variable in the command's environment.
    pub(crate) fn environment(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Writes a file beside the manifest. The command's working directory is there, too.
    pub(crate) fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.path(name), content).unwrap();
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Starts the command. What it compiles is shared by all tests, the rest of its state is the site's own.
    pub(crate) async fn start(&self, arguments: &[&str]) -> Host {
        compile_once().await;
        self.share_cache();
        self.start_as_it_is(arguments).await
    }

    /// Starts the command where the shell has set this limit before: see `ulimit`.
    pub(crate) async fn start_with_limit(&self, limit: &str, arguments: &[&str]) -> Host {
        compile_once().await;
        self.share_cache();
        let plain = self.command(arguments);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit {limit}; exec \"$0\" \"$@\"")]);
        command.arg(plain.get_program()).args(plain.get_args());
        command.current_dir(self.dir.path());
        presque_testkit::isolate(&mut command);
        let dir = self.dir.clone();
        tokio::task::spawn_blocking(|| Host::serve(command, dir)).await.unwrap()
    }

    /// Starts the command with a cache of its own.
    pub(crate) async fn start_as_it_is(&self, arguments: &[&str]) -> Host {
        let (command, dir) = (self.command(arguments), self.dir.clone());
        let started = tokio::task::spawn_blocking(|| Host::serve(command, dir));
        started.await.unwrap()
    }

    /// Runs the command where it cannot start. Returns its exit code and what it says on standard error.
    pub(crate) async fn refused(&self, arguments: &[&str]) -> (Option<i32>, String) {
        compile_once().await;
        self.share_cache();
        Host::refused(self.command(arguments), self.dir.clone()).await
    }

    /// The command with a clean environment.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_presque-host"));
        command.current_dir(self.dir.path());
        for default in [["--state-dir", "state"], ["--listen", "127.0.0.1:0"]] {
            if !arguments.contains(&default[0]) {
                command.args(default);
            }
        }
        presque_testkit::isolate(&mut command);
        command.envs(self.environment.iter().cloned()).args(arguments);
        command
    }

    fn share_cache(&self) {
        let own = self.path("state/cache");
        std::fs::create_dir_all(own.parent().unwrap()).unwrap();
        if !own.exists() {
            std::os::unix::fs::symlink(shared_cache(), own).unwrap();
        }
    }
}

fn shared_cache() -> PathBuf {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("host-cache");
    std::fs::create_dir_all(&cache).unwrap();
    cache
}

/// Lets one host fill the shared cache, so that the others need not all compile the same at the same time.
async fn compile_once() {
    static COMPILED: OnceCell<()> = OnceCell::const_new();
    let compile = async || {
        raise_limit();
        let site = Site::new(PLAIN);
        site.share_cache();
        site.start_as_it_is(&[]).await;
    };
    COMPILED.get_or_init(compile).await;
}

/// A test that fills an instance needs some thousand connections, and so do the hosts that this process starts.
fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}
