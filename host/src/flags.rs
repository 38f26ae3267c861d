//! The command line.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Headings of the help, for what few need to set.
const LIMITS: &str = "Limits";
const LOG: &str = "Log";

/// Serves a Spin application (`spin.toml`) as Spin does: the same routes, variables and instances.
#[derive(Clone, Debug, Parser)]
#[command(name = "presque-host", version)]
pub struct Flags {
    /// The manifest, or its folder [default: spin.toml].
    #[arg(short, long, value_name = "PATH")]
    pub from: Option<PathBuf>,

    /// Where to listen. Port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3000")]
    pub listen: String,

    /// Listen beyond this machine although the application asks nobody for a key: whoever reaches it may do everything.
    #[arg(long)]
    pub open: bool,

    /// What the flag above is called where it is offered, for messages.
    #[arg(skip = "--open")]
    pub open_flag: &'static str,

    /// Serve only this component; may be given more than once.
    #[arg(short, long = "component", alias = "component-id", value_name = "ID")]
    pub components: Vec<String>,

    /// Set a variable of the application: name=value, name=@file or @file.toml; may be given more than once. It takes
    /// precedence over `SPIN_VARIABLE_<NAME>` in the environment, that over the file `.env`, and that over the manifest's
    /// default.
    #[arg(long = "variable", value_name = "NAME=VALUE")]
    pub variables: Vec<String>,

    /// The Redis (or Valkey) server to use: redis://user:password@host:port/database, of which all but the host may be
    /// left out; rediss:// for TLS. Several have commas between: nodes of a cluster, or servers of which one takes changes. Without
    /// it, and without the variable `redis_url`, a private server is started and keeps its data in the state folder.
    #[arg(long, value_name = "URL", env = "REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,

    /// Where compiled components and the private Redis keep their data [default: .presque beside the manifest].
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,

    /// How many requests an instance serves before it is dropped: a number, or a range such as 1..8 to draw from.
    #[arg(long, help_heading = LIMITS, value_name = "N", default_value = "128")]
    pub max_instance_reuse_count: Range<usize>,

    /// How many requests an instance serves at the same time: a number or a range. A component has up to 1000 instances.
    #[arg(long, help_heading = LIMITS, value_name = "N", default_value = "16")]
    pub max_instance_concurrent_reuse_count: Range<usize>,

    /// How long an idle instance is kept: seconds, or with a unit (s, ms, us, ns); a time or a range.
    #[arg(long, help_heading = LIMITS, value_name = "TIME", default_value = "1s")]
    pub idle_instance_timeout: Range<Duration>,

    /// How long a component may take to begin its response (else the response is 500), and then to end its streams (else
    /// they are cut off). No limit by default.
    #[arg(long, help_heading = LIMITS, value_name = "TIME")]
    pub request_timeout: Option<Range<Duration>>,

    /// How long a request's body may take to arrive, beside a second for each 64 KiB of it: then the response is 408. Large
    /// bodies wait for so long while others take up the memory that there is for bodies (128 MiB): then it is 503.
    #[arg(long, help_heading = LIMITS, value_name = "TIME", default_value = "30s", value_parser = parse_duration)]
    pub request_body_timeout: Duration,

    /// How many connections are served at a time. More wait until one ends. It is less where the process may not have three
    /// times as many file descriptors.
    #[arg(long, help_heading = LIMITS, value_name = "N", default_value = "5000")]
    pub max_connections: usize,

    /// How long requests under way may take to finish when the server is asked to stop.
    #[arg(long, help_heading = LIMITS, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    pub shutdown_timeout: Duration,

    /// How the log is written.
    #[arg(long, help_heading = LOG, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// What is logged: error, warn, info, debug or trace, or a filter such as `presque_host=debug`.
    #[arg(long, help_heading = LOG, value_name = "FILTER", default_value = "info")]
    pub log_level: String,

    /// Log at each request how much memory its instance has, and how many Wasm instructions it may still run: wasmtime's fuel,
    /// which is made so large that it does not end. For the benchmark. Code that counts is compiled for it, and slower.
    #[arg(long, hide = true)]
    pub log_fuel: bool,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// A value, or a range whose end is left out, to draw from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range<T> {
    start: T,
    end: T,
}

impl Range<usize> {
    pub(crate) fn draw(&self) -> usize {
        fastrand::usize(self.start..self.end)
    }
}

impl Range<Duration> {
    pub(crate) fn draw(&self) -> Duration {
        let span = (self.end - self.start).as_secs_f64();
        self.start + Duration::from_secs_f64(fastrand::f64() * span)
    }
}

impl FromStr for Range<usize> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| match text.trim().parse() {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(format!("{text:?} is not a whole number above 0")),
        };
        let (start, end) = match text.split_once("..") {
            Some((start, end)) => (number(start)?, number(end)?),
            None => (number(text)?, number(text)? + 1),
        };
        ordered(start, end, text)
    }
}

impl FromStr for Range<Duration> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once("..") {
            Some((start, end)) => {
                // `1..8s` is in seconds throughout.
                let unit = end.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
                let bare = start.trim().bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
                let start = if bare {
                    format!("{start}{unit}")
                } else {
                    start.to_owned()
                };
                ordered(parse_duration(&start)?, parse_duration(end)?, text)
            }
            None => parse_duration(text).map(|time| Self { start: time, end: time }),
        }
    }
}

fn ordered<T: PartialOrd>(start: T, end: T, text: &str) -> Result<Range<T>, String> {
    if start < end {
        Ok(Range { start, end })
    } else {
        Err(format!("the range {text} is empty: its start must be below its end"))
    }
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = text.strip_prefix(digits).unwrap_or_default().trim();
    let scale = match unit {
        "" | "s" => 1.0,
        "ms" => 1e-3,
        "us" | "μs" => 1e-6,
        "ns" => 1e-9,
        _ => return Err(format!("{text:?} has no known unit: use s, ms, us or ns")),
    };
    let number: f64 = digits
        .parse()
        .map_err(|_| format!("{text:?} is not a time such as 1s or 250ms"))?;
    Duration::try_from_secs_f64(number * scale).map_err(|_| format!("{text:?} is not a time such as 1s or 250ms"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Flags::command().debug_assert();
    }

    #[test]
    fn a_count_is_a_number_or_a_range_without_its_end() {
        let one: Range<usize> = "7".parse().unwrap();
        assert_eq!((one.draw(), one.draw()), (7, 7));
        let some: Range<usize> = "1..3".parse().unwrap();
        assert!((0..100).all(|_| (1..3).contains(&some.draw())));
        for wrong in ["0", "-1", "x", "3..3", "4..3", "1..", ""] {
            assert!(wrong.parse::<Range<usize>>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_has_a_unit_and_seconds_without_one() {
        for (text, millis) in [("2", 2000), ("2s", 2000), ("250ms", 250), ("0.5s", 500), ("1500us", 1)] {
            let range: Range<Duration> = text.parse().unwrap();
            assert_eq!(range.draw().as_millis(), millis, "{text}");
        }
        let range: Range<Duration> = "100..200ms".parse().unwrap();
        assert!((0..100).all(|_| (100..200).contains(&range.draw().as_millis())));
        for wrong in ["", "s", "1m", "-1s", "2s..1s", "1e400"] {
            assert!(wrong.parse::<Range<Duration>>().is_err(), "{wrong}");
        }
    }
}
