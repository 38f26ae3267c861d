//! A host with a Redis of its own, which it starts again when that is killed.

use super::environment::{BROKEN, Environment, port_of};
use super::rng::Rng;
use crate::support::{Host, HostOptions, Proxy, Redis};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::task::block_in_place;

/// How often a host's Redis is killed before the host itself ends: when Redis has ended six times in a row, its host gives
/// it up.
const KILLS: usize = 4;

/// The host with the proxy before it, and the folder that both it and its Redis keep their state in.
pub struct PrivateRedis {
    host: Option<Host>,
    proxy: Proxy,
    state: TempDir,
    /// How often this host's Redis was killed.
    kills: usize,
}

impl PrivateRedis {
    pub async fn start() -> Self {
        let state = tempfile::tempdir().expect("a temporary folder");
        let host = start_host(&state);
        let proxy = Proxy::before(port_of(&host));
        Self {
            host: Some(host),
            proxy,
            state,
            kills: 0,
        }
    }

    /// Ends the host, and opens the data of its Redis.
    pub async fn into_redis(mut self) -> Redis {
        self.stop_host().await;
        Redis::on_state(self.state)
    }

    /// Asks the host to stop. It must end well, whatever was done to its Redis before.
    async fn stop_host(&mut self) {
        let mut host = self.host.take().expect("a host");
        host.signal(Signal::TERM);
        let status = host.ended().await;
        assert!(status.success(), "the host: {status}, {}", host.log());
    }

    /// The process of the host's Redis, as soon as the host has started it again after the last kill.
    async fn redis_process(&mut self) -> Pid {
        let host = self.host.as_mut().expect("a host");
        let started = ["started ", " private Redis", "pid="];
        let line = host.log_lines(&started, 1 + self.kills).await.pop().expect("a line");
        let (_, rest) = line.split_once("pid=").expect("a process");
        let pid = rest.split_whitespace().next().and_then(|pid| pid.parse().ok());
        pid.and_then(Pid::from_raw).expect("a process")
    }
}

impl Environment for PrivateRedis {
    fn endpoints(&self) -> Vec<String> {
        vec![format!("http://127.0.0.1:{}", self.proxy.port())]
    }

    async fn break_and_mend(&mut self, rng: &mut Rng) -> &'static str {
        if self.kills < KILLS && rng.happens(900) {
            let redis = self.redis_process().await;
            kill_process(redis, Signal::KILL).expect("it is killed");
            self.kills += 1;
            self.redis_process().await;
            return "private Redis killed";
        }
        let how = if rng.happens(500) {
            self.stop_host().await;
            "host with its Redis stopped"
        } else {
            let host = self.host.take().expect("a host");
            block_in_place(|| host.kill());
            "host with its Redis killed"
        };
        tokio::time::sleep(rng.millis(BROKEN)).await;
        let started = block_in_place(|| start_host(&self.state));
        self.proxy.lead_to(port_of(&started));
        self.host = Some(started);
        self.kills = 0;
        how
    }
}

fn start_host(state: &TempDir) -> Host {
    Host::start(HostOptions {
        state: Some(state.path()),
        // The log tells the process of Redis.
        args: &["--log-level", "warn,presque_host::private_redis=info"],
        ..HostOptions::default()
    })
}
