//! What is counted, or measured by Redis itself, and so does not depend on who else uses the machine, or hardly.

mod calls;
mod cluster;
mod depth;
mod footprint;
mod redis_time;
mod requests;
mod show;
mod stall;

pub(crate) use cluster::Divided;
pub(crate) use depth::Depth;
pub(crate) use footprint::Footprint;
pub(crate) use redis_time::RedisTime;
pub(crate) use requests::Request;
pub(crate) use stall::Stall;

use crate::flags::{Flags, Part};
use crate::measure::in_time;
use crate::paths::Paths;
use crate::progress::Progress;
use crate::redis::Redis;
use crate::servers::{Kind, Server, Subjects};
use anyhow::{Context, Result};
use serde::Serialize;
use std::time::Duration;

/// The parts of the benchmark that belong here.
pub(crate) const PARTS: [Part; 6] = [
    Part::Requests,
    Part::Footprint,
    Part::RedisTime,
    Part::Stall,
    Part::Depth,
    Part::Cluster,
];

/// How long a part may take for each round, and for each job of those that wait.
const PATIENCE: Duration = Duration::from_secs(600);
const PATIENCE_WITH_JOB: Duration = Duration::from_millis(1);

/// Whether a part uses a server that runs anyhow. The others start their own.
pub(crate) fn takes_part(part: Part, kind: Kind) -> bool {
    match kind {
        Kind::Presque => matches!(part, Part::RedisTime | Part::Stall | Part::Depth),
        Kind::Bare => part == Part::RedisTime,
        _ => false,
    }
}

/// What was found, each if it was wanted.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Exact {
    pub(crate) requests: Vec<Request>,
    pub(crate) footprint: Option<Footprint>,
    pub(crate) redis_time: Vec<RedisTime>,
    pub(crate) stall: Option<Stall>,
    pub(crate) depth: Option<Depth>,
    pub(crate) divided: Option<Divided>,
}

/// How many steps there are for the progress.
pub(crate) fn steps(flags: &Flags) -> u64 {
    PARTS.iter().filter(|part| flags.wants(**part)).count() as u64
}

/// Measures what is wanted.
pub(crate) async fn measure(
    flags: &Flags,
    paths: &Paths,
    subjects: &Subjects,
    redis: &Redis,
    progress: &Progress,
) -> Result<Exact> {
    let mut exact = Exact::default();
    let patience = PATIENCE * flags.rounds + PATIENCE_WITH_JOB * flags.jobs;
    for part in PARTS.into_iter().filter(|part| flags.wants(*part)) {
        progress.begin(&part.to_string());
        let measured = async {
            match part {
                Part::Requests => exact.requests = requests::measure(&flags.payloads, paths, redis).await?,
                Part::Footprint => exact.footprint = Some(footprint::measure(paths, redis).await?),
                Part::RedisTime => {
                    let presque = of_kind(subjects, Kind::Presque)?;
                    let bare = of_kind(subjects, Kind::Bare)?;
                    exact.redis_time = redis_time::measure(flags.rounds, presque, bare, redis).await?;
                }
                Part::Stall => {
                    let presque = of_kind(subjects, Kind::Presque)?;
                    exact.stall = Some(stall::measure(flags.rounds, presque, redis).await?);
                }
                Part::Cluster => exact.divided = Some(cluster::measure(flags.rounds, paths).await?),
                _ => {
                    let presque = of_kind(subjects, Kind::Presque)?;
                    exact.depth = Some(depth::measure(flags.jobs as usize, flags.rounds, presque, redis).await?);
                }
            }
            anyhow::Ok(())
        };
        in_time(patience, measured).await.with_context(|| part.to_string())?;
        progress.step();
    }
    Ok(exact)
}

fn of_kind(subjects: &Subjects, kind: Kind) -> Result<&Server> {
    let server = subjects.servers.iter().find(|server| server.kind == kind);
    server.with_context(|| format!("{kind} does not run"))
}
