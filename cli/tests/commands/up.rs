//! `presque up`, and the package that it serves.

use crate::support::{presque, run_at};
use presque_package::{Files, Parts, Sbom, components, pack};
use presque_testkit::{Host, Redis, isolate, target_dir};
use rustix::process::Signal;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().expect("the workspace")
}

/// The files of a package that has what was built for the tests.
pub(crate) static FILES: LazyLock<Files> = LazyLock::new(|| {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let packages: Vec<String> = ["queue", "v1"].iter().map(|name| format!("presque-{name}")).collect();
    let sbom = Sbom::of(&cargo, &root(), &packages).expect("what it is made of");
    let parts = Parts {
        root: &root(),
        program: Path::new(env!("CARGO_BIN_EXE_presque")),
        sbom: &sbom,
        reference: "<!DOCTYPE html>",
    };
    parts.files().expect("what `cargo xtask build` makes")
});

static ARCHIVE: LazyLock<Vec<u8>> = LazyLock::new(|| pack(&FILES, "presque", 0).expect("an archive").bytes);

/// A machine with a server for the jobs, and nothing of what built the package: a folder in which all of it is.
struct Machine {
    folder: Arc<TempDir>,
}

impl Machine {
    /// With the package, unpacked.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("presque.tar.gz"), &*ARCHIVE).expect("a file");
        let machine = Self {
            folder: Arc::new(folder),
        };
        done(machine.system(&["tar", "-xzf", "presque.tar.gz"]));
        fs::create_dir(machine.path("servers")).expect("a folder");
        symlink(redis_server(), machine.path("servers/redis-server")).expect("a link");
        // What other tests have compiled already.
        let (data, cache) = (
            machine.path("home/.local/share/presque/state"),
            target_dir().join("test-state/cache"),
        );
        fs::create_dir_all(&cache).expect("a folder");
        fs::create_dir_all(&data).expect("a folder");
        symlink(cache, data.join("cache")).expect("a link");
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A program with nothing in its environment but a home, this PATH, and no certificates.
    fn command(&self, program: impl AsRef<Path>, path: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.path("home")).env("PATH", path.as_ref());
        // It has no certificates of others either.
        command.env("SSL_CERT_FILE", "/nowhere").env("SSL_CERT_DIR", "/nowhere");
        command
    }

    /// A command line of the system.
    fn system(&self, line: &[&str]) -> Command {
        let mut command = self.command(line[0], "/usr/bin:/bin");
        command.args(&line[1..]);
        command
    }

    /// `presque up` of this program, on a free port.
    fn up(&self, program: &str) -> Command {
        let mut command = self.command(self.path(program), self.path("servers"));
        command.args(["up", "--listen", "127.0.0.1:0", "--log-level", "warn"]);
        command
    }
}

/// The server that the tests use.
fn redis_server() -> PathBuf {
    let chosen = env::var_os("PRESQUE_REDIS_SERVER").filter(|chosen| !chosen.is_empty());
    let path = env::var_os("PATH").unwrap_or_default();
    let found = || {
        let programs = ["redis-server", "valkey-server"].iter();
        let mut files = programs.flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)));
        files.find(|file| file.is_file()).expect("a server on the PATH")
    };
    chosen.map_or_else(found, PathBuf::from)
}

/// Runs a command that must succeed. What it prints.
fn done(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("it runs");
    assert!(status.success(), "{command:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).expect("text")
}

/// Sends a job and gets it back.
async fn push_and_claim(host: &Host) {
    let json = [("Content-Type", "application/json")];
    let client = host.client();
    let sent = client
        .send("POST", "/v1/queues/mail/jobs", &json, r#"{"payload":"hello"}"#)
        .await;
    assert_eq!(sent.status, 201);
    let claimed = client.send("POST", "/v1/queues/mail/claims", &json, "{}").await;
    assert!(claimed.into_text().contains(r#""payload":"hello""#));
}

#[tokio::test]
async fn an_archive_serves_unpacked_and_installed_where_nothing_else_is() {
    let machine = Machine::new();
    let mut host = Host::serve(machine.up("presque/bin/presque"), machine.folder.clone());
    push_and_claim(&host).await;
    // One folder of data is for one server.
    let (code, error) = Host::refused(machine.up("presque/bin/presque"), machine.folder.clone()).await;
    assert_eq!(code, Some(1), "{error}");
    for part in [
        "is in use by another server",
        "--state-dir",
        "home/.local/share/presque/state/redis",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    host.signal(Signal::TERM);
    assert_eq!(host.ended().await.code(), Some(0), "{}", host.log());

    // Other users of the machine may use it, whatever the umask is.
    let installed = done(machine.system(&["sh", "-c", "umask 077; presque/install.sh --prefix home/.local"]));
    let modes = [
        "home/.local/share/presque/restore.sh",
        "home/.local/share/man",
        "home/.local/bin",
    ];
    let modes = modes.map(|path| fs::metadata(machine.path(path)).expect(path).permissions().mode() & 0o777);
    assert_eq!(modes, [0o755; 3]);
    assert!(installed.starts_with("Installed presque "), "{installed}");
    assert!(installed.contains("bin is not in the PATH"), "{installed}");
    fs::remove_dir_all(machine.path("presque/bin")).expect("the unpacked one is gone");
    // As people have it on their PATH.
    symlink(machine.path("home/.local/bin/presque"), machine.path("presque-link")).expect("a link");
    let mut host = Host::serve(machine.up("presque-link"), machine.folder.clone());
    let mut queues = machine.command(machine.path("presque-link"), "/nowhere");
    queues.args(["queues", "--json", "--url", &host.base]);
    let queues = done(queues);
    assert!(queues.contains(r#""queue":"mail""#), "the job of before: {queues}");
    let mut health = machine.command(machine.path("presque-link"), "/nowhere");
    health.args(["health", "--url", &host.base]);
    assert_eq!(done(health), "ok\n");
    host.signal(Signal::TERM);
    assert_eq!(host.ended().await.code(), Some(0), "{}", host.log());

    let bash = machine.path("home/.local/share/bash-completion/completions/presque");
    done(machine.system(&["bash", "-n", bash.to_str().expect("text")]));
    for place in ["fish/vendor_completions.d/presque.fish", "zsh/site-functions/_presque"] {
        let script = fs::read_to_string(machine.path("home/.local/share").join(place)).expect(place);
        assert!(script.contains("queues"), "{place}: {script}");
    }
    let page = fs::read_to_string(machine.path("home/.local/share/man/man1/presque-up.1")).expect("a page");
    assert!(page.contains("\\-\\-lan"), "{page}");

    done(machine.system(&["presque/install.sh", "--prefix", "home/.local", "--uninstall"]));
    let left = done(machine.system(&[
        "find",
        "home/.local/bin",
        "home/.local/share",
        "-type",
        "f",
        "-not",
        "-path",
        "*/state/*",
    ]));
    assert_eq!(left, "");
    assert!(!machine.path("home/.local/share/presque/components").exists());
    assert!(
        machine.path("home/.local/share/presque/state/redis").exists(),
        "the jobs stay"
    );
}

#[test]
fn a_damaged_archive_is_not_installed() {
    let machine = Machine::new();
    fs::write(machine.path("presque/share/presque/spin.toml"), "nonsense").expect("a file");
    let mut install = machine.system(&["presque/install.sh", "--prefix", "home/.local"]);
    let output = install.output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("not those of the package"), "{error}");
    assert!(!machine.path("home/.local/bin").exists());
}

#[test]
fn the_same_files_make_the_same_archive_which_tells_of_nobody() {
    let mut files = FILES.clone();
    // What is in it is of no matter, and it is large.
    files.get_mut("bin/presque").expect("the command").bytes.truncate(1000);
    let archive = pack(&files, "presque", 1_000_000_000).expect("an archive");
    assert_eq!(archive, pack(&files, "presque", 1_000_000_000).expect("an archive"));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("presque.tar.gz");
    fs::write(&path, &archive.bytes).expect("a file");
    let list = Command::new("tar")
        .args(["--utc", "--full-time", "--numeric-owner", "-tvzf"])
        .arg(&path)
        .output();
    let list = String::from_utf8(list.expect("tar").stdout).expect("text");
    let rows: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    let times = rows.iter().map(|row| (row[1], row[3], row[4]));
    let same = ("0/0", "2001-09-09", "01:46:40");
    assert!(times.clone().all(|time| time == same), "{list}");
    let programs: Vec<&str> = rows
        .iter()
        .filter(|row| row[0] == "-rwxr-xr-x")
        .map(|row| row[5])
        .collect();
    let restore = "presque/share/presque/restore.sh";
    assert_eq!(programs, ["presque/bin/presque", "presque/install.sh", restore]);
}

#[test]
fn components_do_not_tell_where_they_were_built() {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home
        .or_else(|| Some(env::home_dir()?.join(".cargo")))
        .expect("cargo has a home");
    let root = root();
    let places = [&home, &root].map(|place| place.to_str().expect("text").as_bytes());
    for component in components(&root).expect("the manifests") {
        let bytes = fs::read(root.join(&component)).expect("what `cargo xtask build` makes");
        for place in places {
            let is_told = bytes.windows(place.len()).any(|window| window == place);
            assert!(!is_told, "{}: {}", component.display(), String::from_utf8_lossy(place));
        }
    }
}

#[test]
fn what_is_linked_is_listed_with_licence_and_checksum() {
    let list = &FILES["share/doc/presque/sbom.cdx.json"].bytes;
    let list: serde_json::Value = serde_json::from_slice(list).expect("JSON");
    let of = |name: &str| {
        list["components"]
            .as_array()?
            .iter()
            .find(|component| component["name"] == name)
    };
    let wasmtime = of("wasmtime").expect("the host's");
    assert!(
        wasmtime["licenses"][0]["expression"]
            .as_str()
            .expect("text")
            .contains("Apache-2.0")
    );
    assert_eq!(wasmtime["hashes"][0]["content"].as_str().map(str::len), Some(64));
    assert_eq!(wasmtime["properties"][0]["value"], "bin/presque");
    let sdk = of("spin-sdk").expect("the components'");
    assert_eq!(sdk["properties"][0]["value"], "share/presque/components");
    assert_eq!(sdk["properties"].as_array().map(Vec::len), Some(1));
    for not_linked in ["serde_derive", "presque-testkit", "presque-script-linker"] {
        assert!(of(not_linked).is_none(), "{not_linked}");
    }
}

#[tokio::test]
async fn up_listens_beyond_the_loopback_without_keys_only_when_told_so() {
    let redis = Redis::start();
    let folder = Arc::new(tempfile::tempdir().expect("a folder"));
    let state = target_dir().join("test-state");
    let up = |args: &[&str]| {
        let mut command = presque("http://127.0.0.1:1");
        isolate(&mut command);
        command
            .current_dir(folder.path())
            .arg("up")
            .arg("--state-dir")
            .arg(&state);
        command.args(["--redis-url", &redis.url()]).args(args);
        command
    };
    let listen = ["--listen", "0.0.0.0:0"];
    let (code, error) = Host::refused(up(&listen), folder.clone()).await;
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("say --lan where nobody else can reach it"), "{error}");
    let mut host = Host::serve(up(&["--lan", "--listen", "0.0.0.0:0"]), folder.clone());
    host.log_line(&["WARN", "listening on 0.0.0.0:", "whoever reaches it may do everything"])
        .await;
    let port = host.base.rsplit_once(':').expect("a port").1;
    let url = format!("http://127.0.0.1:{port}");
    assert!(run_at(&url, &["health"]).await.status.success());
    drop(host);
    // With a key, nothing more needs to be said. Who has none sees that it answers.
    let keys = "keys=worker sha256:c06ec998b450766da1be68372502872a36ce9263bdb90c18178071e3f817fd82 scopes=work";
    let host = Host::serve(up(&["--listen", "0.0.0.0:0", "--variable", keys]), folder.clone());
    let url = host.base.replace("0.0.0.0", "127.0.0.1");
    assert!(run_at(&url, &["health"]).await.status.success());
    assert_eq!(run_at(&url, &["queues"]).await.status.code(), Some(4));
}

#[tokio::test]
async fn up_without_a_server_for_the_jobs_says_how_to_get_one() {
    let folder = Arc::new(tempfile::tempdir().expect("a folder"));
    let mut up = presque("http://127.0.0.1:1");
    isolate(&mut up);
    up.env("PATH", "/nowhere").env_remove("PRESQUE_REDIS_SERVER");
    up.args(["up", "--listen", "127.0.0.1:0", "--state-dir"])
        .arg(folder.path());
    let (code, error) = Host::refused(up, folder.clone()).await;
    assert_eq!(code, Some(1), "{error}");
    for part in ["apt install redis-server", "brew install", "--redis-url"] {
        assert!(error.contains(part), "{part}: {error}");
    }
}
