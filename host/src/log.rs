//! The log, on standard error. Each line is one write.

use crate::flags::LogFormat;
use anyhow::{Context, Error, Result};
use std::io::IsTerminal;
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
        .with_writer(std::io::stderr);
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
