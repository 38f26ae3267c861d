//! What is counted, or measured by Redis itself, and so does not depend on who else uses the machine, or hardly.

mod calls;
mod depth;
mod footprint;
mod redis_time;
mod requests;
mod show;
mod stall;

pub(crate) use depth::Depth;
pub(crate) use footprint::Footprint;
pub(crate) use redis_time::RedisTime;
pub(crate) use requests::Request;
pub(crate) use stall::Stall;

use crate::Flags;
use crate::progress::Progress;
use crate::redis::Redis;
use crate::servers::{Kind, Paths, Server, Subjects};
use crate::workloads::{DEPTH, FOOTPRINT, REDIS_TIME, REQUESTS, STALL};
use anyhow::{Context, Result};
use serde::Serialize;

/// The parts of the benchmark that belong here.
const PARTS: [&str; 5] = [REQUESTS, FOOTPRINT, REDIS_TIME, STALL, DEPTH];

/// What was found, each if it was wanted.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Exact {
    pub(crate) requests: Vec<Request>,
    pub(crate) footprint: Option<Footprint>,
    pub(crate) redis_time: Vec<RedisTime>,
    pub(crate) stall: Option<Stall>,
    pub(crate) depth: Option<Depth>,
}

/// How many steps there are for the progress.
pub(crate) fn steps(flags: &Flags) -> u64 {
    PARTS.iter().filter(|part| flags.wants(part)).count() as u64
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
    let presque = of_kind(subjects, Kind::Presque)?;
    for part in PARTS.into_iter().filter(|part| flags.wants(part)) {
        progress.begin(part);
        let measured = async {
            match part {
                REQUESTS => exact.requests = requests::measure(&flags.payloads, paths, redis).await?,
                FOOTPRINT => exact.footprint = Some(footprint::measure(paths, redis).await?),
                REDIS_TIME => {
                    let bare = of_kind(subjects, Kind::Bare)?;
                    exact.redis_time = redis_time::measure(flags.rounds, presque, bare, redis).await?;
                }
                STALL => exact.stall = Some(stall::measure(flags.rounds, presque, redis).await?),
                _ => exact.depth = Some(depth::measure(flags.jobs as usize, flags.rounds, presque, redis).await?),
            }
            anyhow::Ok(())
        };
        measured.await.context(part)?;
        progress.step();
    }
    Ok(exact)
}

fn of_kind(subjects: &Subjects, kind: Kind) -> Result<&Server> {
    let server = subjects.servers.iter().find(|server| server.kind == kind);
    server.with_context(|| format!("{kind} does not run"))
}
