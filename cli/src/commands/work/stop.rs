//! How a worker is stopped: by signals, in stages.

use crate::output::note;
use std::io;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

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
}

impl Stop {
    /// Follows SIGTERM and SIGINT from now on.
    ///
    /// # Errors
    /// The system lets no handler be set.
    pub(super) fn on_signals(grace: Duration) -> io::Result<Self> {
        let mut signals = Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        };
        let (stage, stop) = watch::channel(Stage::default());
        tokio::spawn(async move {
            signals.next().await;
            stage.send_replace(Stage::Stopping);
            note("stopping: no more jobs are taken; a second signal kills what runs");
            if tokio::time::timeout(grace, signals.next()).await.is_err() {
                stage.send_replace(Stage::Ending);
                signals.next().await;
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
        }
    }
}
