//! Workers that are processes of their own, and are killed by SIGKILL.

use super::api::Api;
use super::ledger::{Event, Journal};
use super::rng::Rng;
use super::worker::{Behaviour, Worker};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Tells a process that it is a worker: a seed and the addresses of the servers.
const ARGUMENTS: &str = "PRESQUE_SOAK_WORKER";

/// Not a test: this program calls itself with this name, as a worker. What it sees it writes to its standard error, a
/// line for each event, and each before it does what comes next.
#[tokio::test]
#[ignore = "this is the worker that another test starts and kills"]
async fn works_until_it_is_killed() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else {
        return;
    };
    let mut words = arguments.split(' ');
    let mut rng = Rng::new(words.next().unwrap().parse().unwrap());
    let endpoints: Vec<String> = words.map(str::to_owned).collect();
    // Its input ends with the process that started it, however that ends.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
    let journal: Journal = Arc::new(|event: Event| {
        let line = format!("{}\n", serde_json::to_string(&event).unwrap());
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    });
    loop {
        let worker = Worker {
            name: format!("process-{}", std::process::id()),
            api: Api::new(&endpoints, journal.clone(), rng.split()),
            journal: journal.clone(),
            rng: rng.split(),
            behaviour: Behaviour::FAULTY,
        };
        worker.run().await;
    }
}

/// A worker process. Ends with its value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    fn start(endpoints: &[String], seed: u64) -> Self {
        let program = std::env::current_exe().unwrap();
        let module = module_path!().split_once("::").unwrap().1;
        let mut command = Command::new(program);
        command
            .args([&format!("{module}::works_until_it_is_killed"), "--exact"])
            .args(["--ignored", "--nocapture"])
            .env(ARGUMENTS, format!("{seed} {}", endpoints.join(" ")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Self(command.spawn().expect("this program starts"))
    }
}

/// Starts a worker process, lets it work for so long, kills it, and writes down all that it saw.
async fn run_and_kill(endpoints: &[String], seed: u64, time: Duration, journal: &Journal) {
    let mut process = Process::start(endpoints, seed);
    let output = BufReader::new(process.0.stderr.take().unwrap());
    let writing = journal.clone();
    let reader = tokio::task::spawn_blocking(move || {
        for line in output.split(b'\n').map_while(Result::ok) {
            // The last line may be torn, and then nothing that came after it was done.
            match serde_json::from_slice(&line) {
                Ok(event) => writing(event),
                Err(_) if line.starts_with(b"{") => {}
                Err(_) => eprintln!("{}", String::from_utf8_lossy(&line)),
            }
        }
    });
    tokio::time::sleep(time).await;
    drop(process);
    reader.await.unwrap();
    let how = "worker process killed".to_owned();
    journal(Event::Fault { how });
}

/// Starts worker processes and kills them, one after another, until it is told to end.
pub async fn restart_until(endpoints: Vec<String>, mut rng: Rng, journal: Journal, end: impl Fn() -> bool) {
    while !end() {
        let (seed, time) = (rng.next(), rng.millis(300..3000));
        run_and_kill(&endpoints, seed, time, &journal).await;
    }
}
