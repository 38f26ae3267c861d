//! How a worker is stopped: by signals, in stages.

use super::tell::note;
use rustix::process::Signal as Number;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

/// How long after the first signal others mean the same: `timeout` of coreutils sends one to the command and one to its group.
const SAME: Duration = Duration::from_secs(1);

/// How far the end of the worker has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// It is not asked to end.
    #[default]
    Working,
    /// It takes no more jobs.
    Stopping,
    /// The time of grace is over: what runs is asked to end.
    Ending,
    /// What runs is killed.
    Killing,
}

/// Tells when the worker is to stop. Clones tell the same.
#[derive(Clone, Debug)]
pub(super) struct Stop(watch::Receiver<Stage>);

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Nobody's, where it is ignored, as under `nohup`.
    hangup: Option<Signal>,
}

impl Stop {
    /// Follows SIGTERM, SIGINT and SIGHUP from now on.
    ///
    /// # Errors
    /// The system lets no handler be set.
    pub(super) fn on_signals(grace: Duration) -> io::Result<Self> {
        let mut signals = Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: match is_ignored(Number::HUP) {
                true => None,
                false => Some(signal(SignalKind::hangup())?),
            },
        };
        // To have handlers is enough. Where a parent ignores the end of children, the system would not tell how commands ended.
        let held = signal(SignalKind::child())?;
        // A worker that stands still would lose its leases while its commands go on, as they have groups of their own.
        let suspended = signal(SignalKind::from_raw(Number::TSTP.as_raw()))?;
        let (stage, stop) = watch::channel(Stage::default());
        tokio::spawn(async move {
            let _held = (held, suspended);
            signals.next().await;
            let asked = Instant::now();
            stage.send_replace(Stage::Stopping);
            note("stopping: no more jobs are taken; a second signal kills what runs");
            if timeout(grace, signals.another(asked)).await.is_err() {
                stage.send_replace(Stage::Ending);
                signals.another(asked).await;
            }
            stage.send_replace(Stage::Killing);
        });
        Ok(Self(stop))
    }

    /// The stage now.
    pub(super) fn stage(&self) -> Stage {
        *self.0.borrow()
    }

    /// Whether no more jobs are to be begun.
    pub(super) fn is_stopping(&self) -> bool {
        self.stage() >= Stage::Stopping
    }

    /// Waits until this stage has come, or a later one.
    pub(super) async fn reached(&self, stage: Stage) {
        if self.0.clone().wait_for(|now| *now >= stage).await.is_err() {
            // The last stage has come already, or the runtime ends.
            std::future::pending::<()>().await;
        }
    }
}

impl Signals {
    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            () = async {
                match &mut self.hangup {
                    Some(hangup) => _ = hangup.recv().await,
                    None => std::future::pending().await,
                }
            } => {}
        }
    }

    /// One that is meant as another than the first.
    async fn another(&mut self, first: Instant) {
        loop {
            self.next().await;
            if first.elapsed() >= SAME {
                return;
            }
        }
    }
}

/// Whether this process was started with this signal ignored, as far as the system tells.
fn is_ignored(signal: Number) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    ignored.is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}
