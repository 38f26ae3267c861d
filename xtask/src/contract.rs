//! docs/openapi.yaml, and a server, before an outside judge: schemathesis makes requests of the document, and compares answers
//! with it.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::process::run;
use crate::python::Environment;
use crate::workspace::{self, NATIVE};

const SCHEMATHESIS: Environment = Environment {
    what: "schemathesis",
    folder: "contract-python",
    requirements: include_str!("../contract/requirements.txt"),
};

const KEY_HEADER: &str = "Authorization: Bearer key-of-the-contract";

/// The list of keys that has it.
const KEYS: &str = "keys=contract sha256:c06ec998b450766da1be68372502872a36ce9263bdb90c18178071e3f817fd82 scopes=insert,work,read,admin";

/// How many requests are made.
#[derive(Args)]
pub(crate) struct Flags {
    /// Makes the same random choices each time.
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// How many requests are made at most for an operation in each phase that makes random ones.
    #[arg(long, default_value_t = 100)]
    max_examples: u32,
}

/// Runs schemathesis on a server without keys, and on one with a key. Both must have been built.
pub(crate) fn judge(flags: &Flags) -> Result<()> {
    let program = SCHEMATHESIS.install()?.join("bin/schemathesis");
    let judge = |log: &str, document: &str, args: &[&str], host_args: &[&str]| {
        let host = Host::start(host_args, log)?;
        let path = host.state.path().join("openapi.yaml");
        fs::write(&path, document)?;
        let mut command = Command::new(&program);
        command.arg("--config-file").arg(ours("schemathesis.toml"));
        command.arg("run").arg(&path).args(["--url", &host.url]).args(args);
        command.args(["--seed", &flags.seed.to_string()]);
        command.args(["--max-examples", &flags.max_examples.to_string()]);
        // What it keeps goes with the folder.
        command
            .current_dir(host.state.path())
            .env("SCHEMATHESIS_HOOKS", ours("hooks.py"));
        run(&mut command).with_context(|| format!("what the server did is in {log}"))
    };
    let document = fs::read_to_string(workspace::root().join("docs/openapi.yaml"))?;
    // Where there is a key, no operation may do without one.
    let with_key = document.replace(", {}]", "]");
    ensure!(with_key != document, "docs/openapi.yaml asks for keys everywhere");
    let open = judge("target/contract-without-key.log", &document, &[], &[]);
    let (args, host_args) = (["--header", KEY_HEADER], ["--variable", KEYS]);
    judge("target/contract-with-key.log", &with_key, &args, &host_args).and(open)
}

/// A file of the folder of this.
fn ours(name: &str) -> PathBuf {
    workspace::root().join("xtask/contract").join(name)
}

/// A server with a Redis of its own. It ends when this is dropped.
struct Host {
    process: Child,
    url: String,
    state: TempDir,
    /// Held, since it says more than its first line.
    _output: BufReader<ChildStdout>,
}

impl Host {
    fn start(args: &[&str], log: &str) -> Result<Self> {
        let state = tempfile::tempdir()?;
        let mut command = Command::new(workspace::program(NATIVE, "presque-host"));
        // There is no `.env`, and nothing of the environment says which Redis to use, or which keys.
        command.current_dir(state.path());
        for (name, _) in env::vars_os() {
            if name == "REDIS_URL" || name.as_encoded_bytes().starts_with(b"SPIN_VARIABLE_") {
                command.env_remove(name);
            }
        }
        command.arg("--from").arg(workspace::root());
        command.arg("--state-dir").arg(state.path());
        command.args(["--listen", "127.0.0.1:0"]).args(args);
        command.stderr(File::create(workspace::root().join(log))?);
        let mut process = command.stdout(Stdio::piped()).spawn()?;
        let mut output = BufReader::new(process.stdout.take().context("no output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        match line.trim_end().strip_prefix("Serving ") {
            Some(url) => Ok(Self {
                process,
                url: url.to_owned(),
                state,
                _output: output,
            }),
            None => bail!("presque-host does not serve ({}): {log} says why", process.wait()?),
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // So that it ends its Redis, too, before their folder goes.
        if let Some(pid) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.process.wait();
    }
}
