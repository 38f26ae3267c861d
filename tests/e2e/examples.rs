//! The example workers do what workers do: register, work, give back what failed, give up, unregister.

use crate::support::{Client, Host, Redis, eventually};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A worker that runs. Ends with its value.
struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn shows(client: &Client, target: &str, text: &str) {
    let what = format!("{target} shows {text}");
    eventually(&what, async || (client.get(target).await.text() == text).then_some(())).await;
}

/// What every example must do.
async fn works(mut command: Command) {
    let redis = Redis::start();
    let host = Host::on(&redis);
    let client = host.client();
    client.insert("/q/mail", "{\"n\":1}").await;
    client.insert("/q/mail", "{\"boom\":\"out of paper\"}").await;
    client.insert("/q/mail", "[2]").await;
    let command = command.arg(&host.base).arg("mail").stderr(Stdio::piped());
    let mut worker = Worker(command.spawn().expect("the worker starts"));

    // Three jobs, of which one is tried five times and given back four times.
    let counts = r#"{"queue_name":"mail","job_count":0,"job_failed":"4","job_processed":"7"}"#;
    shows(&client, "/j/mail", counts).await;
    let listed = client.get("/w/?queue_name=mail").await;
    let listed: serde_json::Value = serde_json::from_slice(&listed.body).unwrap();
    assert_eq!(listed["workers_list"].as_array().unwrap().len(), 1, "{listed}");
    let id = listed["workers_list"][0].as_str().unwrap();
    let shown = client.get(&format!("/w/?worker_id={id}")).await;
    assert!(shown.text().ends_with(r#""processed":"7","failed":"4"}"#), "{shown:?}");

    // The shell has a `kill` of its own; the program is not everywhere.
    let kill = format!("kill {}", worker.0.id());
    let stopped = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(stopped.success());
    shows(&client, "/w/", "[]").await;
    eventually("the worker ends", async || worker.0.try_wait().unwrap()).await;
    let mut printed = String::new();
    std::io::Read::read_to_string(worker.0.stderr.as_mut().unwrap(), &mut printed).unwrap();
    let jobs: Vec<_> = printed.lines().map(|line| line.replace(' ', "")).collect();
    assert_eq!(jobs, ["{\"n\":1}", "[2]"]);
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

#[tokio::test]
async fn the_worker_in_shell_works() {
    if let Some(command) = script("worker.sh", &["sh", "curl", "jq"]) {
        works(command).await;
    }
}

#[tokio::test]
async fn the_worker_in_python_works() {
    if let Some(command) = script("worker.py", &["python3"]) {
        works(command).await;
    }
}

#[tokio::test]
async fn the_worker_in_perl_works() {
    if let Some(command) = script("worker.pl", &["perl"]) {
        works(command).await;
    }
}

#[tokio::test]
async fn the_worker_in_rust_works() {
    // Cargo builds examples along with the tests: target/<profile>/examples.
    let this: PathBuf = std::env::current_exe().unwrap();
    let program = this.ancestors().nth(2).unwrap().join("examples/worker");
    works(Command::new(program)).await;
}
