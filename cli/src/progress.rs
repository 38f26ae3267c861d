//! How far a command that takes long is: a line on standard error, if that is a terminal.

use crate::output;
use indicatif::{ProgressBar, ProgressStyle};

/// A line that is drawn anew as the command goes on, and goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Of so many steps, bytes or jobs; of an unknown number without it.
    pub(crate) fn new(total: Option<u64>) -> Self {
        let (bar, template) = match total {
            Some(total) => (ProgressBar::new(total), "{wide_bar} {percent:>3} %  {msg}  {eta} left"),
            None => (ProgressBar::new_spinner(), "{spinner} {msg}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// So many steps are done, and with them so many jobs.
    pub(crate) fn at(&self, steps: u64, jobs: u64) {
        let milliseconds = self.0.elapsed().as_millis().max(1);
        let rate = u128::from(jobs) * 1000 / milliseconds;
        self.0.set_position(steps);
        self.0.set_message(format!("{jobs} jobs, {rate}/s"));
    }

    /// Tells something above the line.
    pub(crate) fn note(&self, text: impl AsRef<str>) {
        self.0.suspend(|| output::note(text));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
