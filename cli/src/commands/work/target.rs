//! Who does the jobs.

use super::Work;
use super::causes::Causes;
use super::command::Runner;
use super::outcome::Outcome;
use super::post::Poster;
use crate::api::ClaimedJob;
use anyhow::Result;

/// Who does the jobs.
pub(super) enum Target {
    Command(Runner),
    Url(Poster),
}

impl Target {
    /// What the options say.
    ///
    /// # Errors
    /// They say nothing, or what they say cannot be used.
    pub(super) fn of(options: &mut Work) -> Result<Self> {
        let mut command = std::mem::take(&mut options.command).into_iter();
        Ok(match (options.to.take(), command.next()) {
            (None, Some(program)) => {
                let is_patient = !(options.once || options.until_empty);
                Self::Command(Runner::new(
                    program,
                    command.collect(),
                    options.retry_after,
                    is_patient,
                )?)
            }
            (Some(url), _) => Self::Url(Poster::new(url, options.retry_after)?),
            (None, None) => anyhow::bail!("give a command, or --to"),
        })
    }

    pub(super) async fn run(&self, job: &ClaimedJob, causes: &mut Causes<'_>) -> Outcome {
        match self {
            Self::Command(runner) => runner.run(job, causes).await,
            Self::Url(poster) => poster.run(job, causes).await,
        }
    }

    /// Whether it can do no job, and does not wait until it can.
    pub(super) fn gives_up(&self) -> bool {
        matches!(self, Self::Command(runner) if runner.gives_up())
    }
}
