//! Workers that are processes of their own, and are killed by SIGKILL.

use super::api::Api;
use super::book::{Event, Journal};
use super::chance::Chance;
use super::worker::{Manners, Worker};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// Tells a process that it is a worker: a seed and the addresses of the servers.
const CALLED: &str = "PRESQUE_SOAK_WORKER";

/// Not a test: this program calls itself with this name, as a worker. What it sees it writes to its standard error, a
/// line for each event, and each before it does what comes next.
#[tokio::test]
#[ignore = "this is the worker that another test starts and kills"]
async fn works_until_it_is_killed() {
    let Ok(called) = std::env::var(CALLED) else { return };
    let mut words = called.split(' ');
    let mut chance = Chance::new(words.next().unwrap().parse().unwrap());
    let doors: Vec<String> = words.map(str::to_owned).collect();
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
            api: Api::new(&doors, journal.clone(), chance.split()),
            journal: journal.clone(),
            chance: chance.split(),
            manners: Manners::WILD,
        };
        worker.live().await;
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
    fn start(doors: &[String], seed: u64) -> Self {
        let program = std::env::current_exe().unwrap();
        let module = module_path!().split_once("::").unwrap().1;
        let mut command = Command::new(program);
        command
            .args([&format!("{module}::works_until_it_is_killed"), "--exact"])
            .args(["--ignored", "--nocapture"])
            .env(CALLED, format!("{seed} {}", doors.join(" ")))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        Self(command.spawn().expect("this program starts"))
    }
}

/// Starts a worker process, lets it work for so long, kills it, and writes down all that it saw.
async fn one_life(doors: &[String], seed: u64, time: Duration, journal: &Journal) {
    let mut process = Process::start(doors, seed);
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
    journal(Event::Broke { how });
}

/// Starts worker processes and kills them, one after another, until it is told to end.
pub async fn many_lives(doors: Vec<String>, mut chance: Chance, journal: Journal, end: impl Fn() -> bool) {
    while !end() {
        let (seed, time) = (chance.next(), chance.millis(300..3000));
        one_life(&doors, seed, time, &journal).await;
    }
}
