//! Which machine it is.

use crate::paths::Paths;
use crate::redis::Redis;
use anyhow::Result;
use serde::Serialize;
use std::fs;
use std::process::Command;

/// What a figure depends on, besides the code.
#[derive(Debug, Serialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    memory_bytes: u64,
    system: String,
    redis: String,
    /// The profile that the programs were built with.
    pub(crate) profile: String,
    /// The commit that the workspace is at, empty where git does not tell.
    commit: String,
}

impl Machine {
    pub(crate) async fn look(paths: &Paths, redis: &Redis) -> Result<Self> {
        let info = redis.info().await?;
        let line = |file: &str, name: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let value = text.lines().find_map(|line| line.strip_prefix(name));
            value
                .unwrap_or_default()
                .trim_start_matches([':', ' ', '\t'])
                .to_owned()
        };
        let memory = line("/proc/meminfo", "MemTotal");
        let kilobytes: u64 = memory.trim_end_matches(" kB").parse().unwrap_or_default();
        let mut git = Command::new("git");
        git.args(["describe", "--always", "--dirty"]).current_dir(&paths.root);
        let commit = git.output().map(|output| output.stdout).unwrap_or_default();
        Ok(Self {
            processor: line("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism()?.get(),
            memory_bytes: kilobytes * 1024,
            system: info.text("os")?,
            redis: info.text("redis_version")?,
            profile: paths.profile(),
            commit: String::from_utf8_lossy(&commit).trim().to_owned(),
        })
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let memory = self.memory_bytes / (1024 * 1024 * 1024);
        writeln!(
            f,
            "{} cores of {}, {memory} GiB, {}",
            self.cores, self.processor, self.system
        )?;
        write!(
            f,
            "Redis {}, presque {} built with profile {}",
            self.redis, self.commit, self.profile
        )
    }
}
