//! What the command line says. `cargo xtask bench` reads it with this file, too, before it builds anything: so there is nothing
//! here but clap.

use clap::builder::RangedU64ValueParser;
use clap::{Parser, ValueEnum};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// Measures presque beside the bare component, a native server and others, on this machine and one Redis. It uses the
/// loopback only, and ends by itself.
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
pub(crate) struct Flags {
    /// Measure what `up` and the tests use, which is built quickly, and not the fastest host, whose first build takes many
    /// minutes.
    #[arg(long)]
    pub(crate) native: bool,

    /// How often each measurement is repeated. The servers take turns within a round.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// For how many seconds each server is sent jobs in a round. Taking them out takes about as long again.
    #[arg(long, value_name = "SECONDS", default_value = "0.5", value_parser = seconds)]
    pub(crate) seconds: Duration,

    /// Only these parts of the benchmark; may be given more than once.
    #[arg(long, value_name = "NAME", value_enum)]
    pub(crate) only: Vec<Part>,

    /// Leave this out, though it is installed; may be given more than once.
    #[arg(long, value_name = "NAME", value_enum)]
    pub(crate) without: Vec<Installed>,

    /// Numbers of connections, with commas: from 1 to 1000.
    #[arg(long, value_name = "N,...", default_value = "1,16,64", value_delimiter = ',',
          value_parser = RangedU64ValueParser::<usize>::new().range(1..=1000))]
    pub(crate) connections: Vec<usize>,

    /// Sizes of payloads in bytes, with commas: from 32 to 4000000; batches of 100 take up to 40000.
    #[arg(long, value_name = "BYTES,...", default_value = "100,10000", value_delimiter = ',',
          value_parser = RangedU64ValueParser::<usize>::new().range(32..=4_000_000))]
    pub(crate) payloads: Vec<usize>,

    /// How many jobs a second are inserted where the time until a waiting worker has each is measured.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: u32,

    /// How many jobs wait where very many do.
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1000..=20_000_000))]
    pub(crate) jobs: u32,

    /// When Redis puts what it was told on disk. `always` is what presque's private Redis does.
    #[arg(long, value_enum, default_value_t = Fsync::Always)]
    pub(crate) fsync: Fsync,

    /// Measure presque with this setting, too: it takes turns with the others, on the same Redis; may be given more than once.
    #[arg(long, value_name = "FSYNC", value_enum)]
    pub(crate) also_fsync: Vec<Fsync>,

    /// Another build of the host to measure beside this one; may be given more than once.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) also: Vec<PathBuf>,

    /// Write the report as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("{text:?} is not a number"))?;
    if !(0.01..=60.0).contains(&seconds) {
        return Err("must be from 0.01 to 60".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// The parts of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// One job a request.
    Single,
    /// 100 jobs a request.
    Batch,
    /// Insert, claim and ack under `/v1`.
    V1,
    /// The same with 100 jobs a request.
    V1Many,
    /// Claims that acknowledge the job of the claim before.
    Turn,
    /// The same with 100 jobs a request.
    TurnMany,
    /// Messages to many readers.
    FanOut,
    /// How long a job waits for a worker that waits for it.
    Pickup,
    /// What each request costs, counted.
    Requests,
    /// What the host and its instances take of the machine.
    Footprint,
    /// Redis' own time for each operation.
    RedisTime,
    /// How long others wait while a batch of very many jobs is inserted.
    Stall,
    /// Very many jobs that wait.
    Depth,
    /// What a cluster of three primaries divides, and what it costs to wait for a replica.
    Cluster,
}

/// What is measured if it is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Installed {
    /// presque on Spin.
    Spin,
    /// Webdis.
    Webdis,
    /// BullMQ.
    Bullmq,
}

/// The setting `appendfsync` of Redis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Fsync {
    /// Before it answers.
    Always,
    /// Once a second.
    Everysec,
    /// When the system likes to.
    No,
}

/// Writes what the command line calls a value.
fn name(value: &impl ValueEnum, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let value = value.to_possible_value();
    f.write_str(value.as_ref().map_or("", |value| value.get_name()))
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        name(self, f)
    }
}

impl fmt::Display for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        name(self, f)
    }
}

impl fmt::Display for Fsync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        name(self, f)
    }
}
