//! The command as a child process.

use super::{Answer, Client, empty, patiently};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// A running command, which is killed when this is dropped.
pub(crate) struct Host {
    child: Child,
    output: Output,
    /// `HOST:PORT`.
    pub(crate) address: String,
    _dir: Arc<TempDir>,
}

/// What a process writes: its standard output's first line, all of its standard error, whether that has ended.
struct Output {
    stdout: watch::Receiver<Option<String>>,
    stderr: watch::Receiver<Stderr>,
}

#[derive(Default)]
struct Stderr {
    text: String,
    ended: bool,
}

impl Host {
    pub(super) async fn start(mut command: Command, dir: Arc<TempDir>) -> Self {
        let mut child = command.spawn().unwrap();
        let mut output = Output::of(&mut child);
        let first = output.stdout.wait_for(Option::is_some);
        let first = patiently("the first line", first).await.unwrap().clone().unwrap();
        let Some(address) = first.trim_end().strip_prefix("Serving http://") else {
            panic!("{first:?} is not the first line; {}", output.stderr.borrow().text);
        };
        Self {
            child,
            output,
            address: address.to_owned(),
            _dir: dir,
        }
    }

    /// Runs a command that ends by itself.
    pub(super) async fn refused(mut command: Command, dir: Arc<TempDir>) -> (Option<i32>, String) {
        let mut child = command.spawn().unwrap();
        let output = Output::of(&mut child);
        let mut host = Self {
            child,
            output,
            address: String::new(),
            _dir: dir,
        };
        let status = host.ended().await;
        (status.code(), host.log())
    }

    pub(crate) async fn connect(&self) -> Client {
        Client::connect(&self.address).await
    }

    /// A request on a connection of its own.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        let mut client = self.connect().await;
        client.ask("GET", path, empty()).await
    }

    /// Sends bytes as they are, and reads until the server closes the connection.
    pub(crate) async fn raw(&self, request: impl AsRef<[u8]>) -> String {
        let exchange = async {
            let mut stream = TcpStream::connect(&self.address).await.unwrap();
            let mut answer = Vec::new();
            // A server that refuses a request need not read it to its end. Then its close is a reset.
            let _ = stream.write_all(request.as_ref()).await;
            let _ = stream.read_to_end(&mut answer).await;
            String::from_utf8_lossy(&answer).into_owned()
        };
        patiently("an answer to raw bytes", exchange).await
    }

    /// What the command has written to standard error.
    pub(crate) fn log(&self) -> String {
        self.output.stderr.borrow().text.clone()
    }

    /// Waits until a line of the log has all these texts in it, and returns it.
    pub(crate) async fn log_line(&mut self, parts: &[&str]) -> String {
        self.log_lines(parts, 1).await.remove(0)
    }

    /// Waits until so many lines of the log have all these texts in them, and returns them.
    pub(crate) async fn log_lines(&mut self, parts: &[&str], count: usize) -> Vec<String> {
        let there = self.output.stderr.wait_for(|log| log.lines(parts).len() >= count);
        let what = format!("{count} lines of the log with {parts:?}");
        let log = patiently(&what, there).await;
        let Ok(log) = log else {
            panic!("the command has ended without {what}");
        };
        log.lines(parts)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().cast_signed()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits until the command has ended.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let ended = self.output.stderr.wait_for(|log| log.ended);
        drop(patiently("the end of the command", ended).await.unwrap());
        self.child.wait().unwrap()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // Most have ended already, which is no matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the log of the command:\n{}---", self.log());
        }
    }
}

impl Output {
    fn of(child: &mut Child) -> Self {
        let (first, stdout) = watch::channel(None);
        let mut pipe = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = pipe.read_line(&mut line);
            first.send_replace(Some(line));
            // A full pipe would stop the command.
            let _ = pipe.read_to_end(&mut Vec::new());
        });
        let (log, stderr) = watch::channel(Stderr::default());
        let mut pipe = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            let mut line = Vec::new();
            while pipe.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                log.send_modify(|log| log.text.push_str(&String::from_utf8_lossy(&line)));
                line.clear();
            }
            log.send_modify(|log| log.ended = true);
        });
        Self { stdout, stderr }
    }
}

impl Stderr {
    fn lines(&self, parts: &[&str]) -> Vec<String> {
        let lines = self.text.lines();
        let lines = lines.filter(|line| parts.iter().all(|part| line.contains(part)));
        lines.map(str::to_owned).collect()
    }
}
