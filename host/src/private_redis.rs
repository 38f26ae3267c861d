//! The Redis that is started where nothing says which one to use. When it ends by itself it is started again.

use anyhow::{Context, Result, bail};
use presque_redis_server::{Password, RedisServer};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// How often it is started again in a row, before it is given up.
const RESTARTS: u32 = 5;
/// The pause before the first of these; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// When it has run for so long, its next end is the first of a row.
const RUNS_WELL: Duration = Duration::from_secs(60);
/// The time between two looks at its process.
const LOOK: Duration = Duration::from_millis(50);

/// A private Redis and the thread that watches it. Dropping it ends both.
pub(crate) struct PrivateRedis {
    url: String,
    /// Dropped to end it.
    stop: Option<mpsc::Sender<()>>,
    ended: Option<oneshot::Receiver<()>>,
    watch: Option<JoinHandle<Result<()>>>,
}

impl PrivateRedis {
    /// Starts it with its data in `dir`. Blocks until it answers.
    pub(crate) fn start(dir: &Path, password: Password) -> Result<Self> {
        let server = RedisServer::start_with_password(dir, password)?;
        let url = server.url();
        tracing::info!(
            url,
            pid = server.pid(),
            password = %server.password_file().display(),
            "started a private Redis"
        );
        let (stop, stopped) = mpsc::channel();
        let (alive, ended) = oneshot::channel();
        let watch = thread::Builder::new()
            .name("private-redis".into())
            .spawn(move || {
                // Dropped with this thread, which tells that Redis is gone.
                let _alive = alive;
                watch(server, &stopped)
            })
            .context("cannot start a thread for it")?;
        Ok(Self {
            url,
            stop: Some(stop),
            ended: Some(ended),
            watch: Some(watch),
        })
    }

    /// `redis://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Resolves when it has ended and is not started again. To be asked for once.
    pub(crate) fn ended(&mut self) -> impl Future<Output = ()> + use<> {
        let ended = self.ended.take();
        async {
            if let Some(ended) = ended {
                // Nothing is ever sent.
                let _ = ended.await;
            }
        }
    }

    /// Ends it, and waits for that, but not for data that it still loads after an end by itself.
    ///
    /// # Errors
    /// It did not end well, or has been given up before: then why.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        self.stop = None;
        match self.watch.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => bail!("the thread of the private Redis panicked"),
        }
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.end();
    }
}

/// Starts the server again whenever it ends, until it is to stop.
fn watch(mut server: RedisServer, stop: &Receiver<()>) -> Result<()> {
    let mut restarts = 0;
    let mut started = Instant::now();
    while !is_stopped(stop, LOOK) {
        let Some(status) = server.has_ended()? else { continue };
        if started.elapsed() > RUNS_WELL {
            restarts = 0;
        }
        let mut why = format!("ended ({status})");
        // It can fail to start, as when the disk is full: that counts, too.
        loop {
            if restarts == RESTARTS {
                let log = server.log();
                bail!(
                    "the private Redis {why}; it was started {RESTARTS} times in a row and is given up; the end of {}:\n{}",
                    log.display(),
                    server.last_lines()
                );
            }
            let pause = FIRST_PAUSE * 2_u32.pow(restarts);
            restarts += 1;
            tracing::error!(log = %server.log().display(), "the private Redis {why}; it is started again in {pause:?}");
            // Where this is told to stop, the server has ended already, and the log says how.
            if is_stopped(stop, pause) {
                return Ok(());
            }
            match server.restart_unless(|| is_stopped(stop, Duration::ZERO)) {
                Ok(true) => break,
                Ok(false) => return Ok(()),
                Err(error) => why = format!("cannot be started ({})", first_line(&error)),
            }
        }
        tracing::info!(pid = server.pid(), "started the private Redis again, with its data");
        started = Instant::now();
    }
    server.stop()
}

fn is_stopped(stop: &Receiver<()>, within: Duration) -> bool {
    stop.recv_timeout(within) != Err(RecvTimeoutError::Timeout)
}

/// An error's text without the lines of the log that it may have.
fn first_line(error: &anyhow::Error) -> String {
    let text = format!("{error:#}");
    text.lines().next().unwrap_or_default().to_owned()
}
