//! The log, on standard error. Each write is of whole lines.

use crate::flags::LogFormat;
use anyhow::{Context, Error, Result};
use http::{Method, Uri};
use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// The target of what components print.
pub(crate) const COMPONENT: &str = "component";
/// The target of why the command ends.
const FATAL: &str = "fatal";
/// Both are in the log, whatever else is.
const ALWAYS: [&str; 2] = ["component=info", "fatal=error"];

/// Starts the log of this process. To be called once.
pub(crate) fn start(format: LogFormat, filter: &str) -> Result<()> {
    let mut filter = EnvFilter::try_new(filter)
        .map_err(|error| anyhow::anyhow!("--log-level {filter} is not a log filter: {error}"))?;
    for directive in ALWAYS {
        filter = filter.add_directive(directive.parse().context("a log filter of our own")?);
    }
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(|| Writer);
    let started = match format {
        LogFormat::Text => log.with_target(false).try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_target(false).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))?;
    if format == LogFormat::Json {
        std::panic::set_hook(Box::new(|panic| tracing::error!(target: FATAL, "{panic}")));
    }
    Ok(())
}

/// Tells why the command ends.
pub(crate) fn fatal(format: LogFormat, error: &Error) {
    if format == LogFormat::Json && tracing::dispatcher::has_been_set() {
        tracing::error!(target: FATAL, "{error:#}");
    } else {
        eprintln!("error: {error:#}");
    }
}

thread_local! {
    /// The lines that this thread writes together; `None` if it writes each at once.
    static TOGETHER: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Where the lines of a thread go.
struct Writer;

impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        TOGETHER.with_borrow_mut(|together| match together {
            Some(lines) => lines.write(line),
            None => io::stderr().write(line),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is in the log about a request.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) status: u16,
    /// The one that answered, if it was one.
    pub(crate) component: Option<Arc<str>>,
    pub(crate) micros: u64,
    pub(crate) client: SocketAddr,
}

impl Request {
    fn write(&self) {
        let Self { method, status, .. } = self;
        let path = self.uri.path();
        let component = self.component.as_deref().unwrap_or("-");
        tracing::info!(%method, path, status, component, micros = self.micros, client = %self.client, "request");
    }
}

/// The lines about requests. A thread of its own makes them, and writes many at a time: to make and write a line takes longer
/// than much else that a request needs, and one who writes must wait for others who do.
#[derive(Clone)]
pub(crate) struct Requests(SyncSender<Option<Request>>);

impl Requests {
    /// How many may wait for the thread. When it is behind, because nobody reads the log, requests wait for it.
    const MAX_WAITING: usize = 16 * 1024;
    /// How many lines are written together at most.
    const MAX_TOGETHER: usize = 512;
    /// How often the thread looks for requests. To wake it for each would take longer than to write its line.
    const PAUSE: Duration = Duration::from_millis(10);

    /// Starts the thread.
    pub(crate) fn start() -> io::Result<(Self, JoinHandle<()>)> {
        let (sender, receiver) = sync_channel(Self::MAX_WAITING);
        let thread = std::thread::Builder::new().name("log".into());
        let thread = thread.spawn(move || while Self::write(&receiver) {})?;
        Ok((Self(sender), thread))
    }

    /// Notes that a request was answered, if such lines are in the log.
    pub(crate) fn note(&self, request: impl FnOnce() -> Request) {
        if tracing::enabled!(tracing::Level::INFO) {
            // There is nobody to write it when the process is about to end.
            let _ = self.0.send(Some(request()));
        }
    }

    /// Returns when all that was noted is written. What is noted later is not.
    pub(crate) fn end(&self, thread: JoinHandle<()>) {
        let _ = self.0.send(None);
        // A panic there was told.
        let _ = thread.join();
    }

    /// Writes what is there. Returns whether there will be more.
    fn write(receiver: &Receiver<Option<Request>>) -> bool {
        TOGETHER.set(Some(Vec::new()));
        let mut goes_on = true;
        let mut is_empty = false;
        for _ in 0..Self::MAX_TOGETHER {
            match receiver.try_recv() {
                Ok(Some(request)) => request.write(),
                Ok(None) | Err(TryRecvError::Disconnected) => goes_on = false,
                Err(TryRecvError::Empty) => is_empty = true,
            }
            if is_empty || !goes_on {
                break;
            }
        }
        let lines = TOGETHER.take().unwrap_or_default();
        // Nobody can be told where the log cannot be written.
        let _ = io::stderr().write_all(&lines);
        if is_empty {
            std::thread::sleep(Self::PAUSE);
        }
        goes_on
    }
}
