//! What is going on, for who waits.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

/// A bar on a terminal; elsewhere a line for each part.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// For so many steps.
    pub(crate) fn new(steps: u64) -> Result<Self> {
        let bar = ProgressBar::new(steps);
        bar.set_style(ProgressStyle::with_template(
            "{elapsed} of about {duration} {wide_bar} {msg}",
        )?);
        Ok(Self(bar))
    }

    /// Says which part begins.
    pub(crate) fn begin(&self, part: &str) {
        if self.0.is_hidden() {
            eprintln!("==> {part}");
        }
        self.0.set_message(part.to_owned());
    }

    /// A step is done.
    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
