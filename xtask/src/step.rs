//! One line when a step begins, one when it is done.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

/// Does `work` as a part of the step `name`: says what it does, and how long it took.
pub(crate) fn timed<T>(name: &str, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {name}: {what}");
    let start = Instant::now();
    let value = work()?;
    let took = start.elapsed();
    if took >= Duration::from_secs(1) {
        eprintln!("    done in {}", human(took));
    }
    Ok(value)
}

/// Does `work` as the step `name`, and puts that name before its errors too.
pub(crate) fn step<T>(name: &str, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    timed(name, what, work).with_context(|| name.to_owned())
}

/// Ends an error with what the user can do.
pub(crate) fn advise<T>(result: Result<T>, advice: &str) -> Result<T> {
    result.map_err(|error| anyhow!("{error:#}. {advice}"))
}

/// A line that belongs to the step under way.
pub(crate) fn note(text: &str) {
    eprintln!("    {text}");
}

/// A duration as a person says it.
pub(crate) fn human(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::human;
    use std::time::Duration;

    #[test]
    fn a_short_time_has_tenths_and_a_long_one_has_minutes() {
        assert_eq!(human(Duration::from_millis(8_240)), "8.2 s");
        assert_eq!(human(Duration::from_secs(125)), "2 min 5 s");
    }
}
