//! A Redis that several hosts use.

use super::environment::{BROKEN, Environment};
use super::hosts::{HostFault, Hosts, cut_for};
use super::rng::Rng;
use crate::support::{Proxy, Redis};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::task::block_in_place;

/// The Redis, and the hosts.
pub struct SharedRedis {
    pub redis: Redis,
    /// Between the hosts and Redis.
    redis_proxy: Proxy,
    hosts: Hosts,
}

/// What can break.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Host(HostFault),
    RedisKilled,
    /// Redis cannot write to its disk, and ends.
    DiskFull,
    /// Redis has no memory for more jobs.
    RedisFull,
    /// Redis becomes a replica, which accepts no writes, as in a failover.
    PrimaryDemoted,
    ScriptsForgotten,
    /// Commands are carried out, and hosts do not hear of it.
    RedisRepliesCut,
    RedisConnectionsCut,
}

/// Each as often as it stands here.
const FAULTS: [Fault; 14] = [
    Fault::Host(HostFault::Killed),
    Fault::Host(HostFault::Killed),
    Fault::RedisKilled,
    Fault::RedisKilled,
    Fault::DiskFull,
    Fault::RedisFull,
    Fault::PrimaryDemoted,
    Fault::ScriptsForgotten,
    Fault::Host(HostFault::WaitsVanished),
    Fault::RedisRepliesCut,
    Fault::RedisRepliesCut,
    Fault::RedisConnectionsCut,
    Fault::Host(HostFault::AnswersCut),
    Fault::Host(HostFault::ClientConnectionsCut),
];

impl SharedRedis {
    pub async fn start() -> Self {
        let redis = Redis::start();
        let redis_proxy = Proxy::before(redis.server.port());
        let hosts = Hosts::start(redis_proxy.url(), &[]);
        Self {
            redis,
            redis_proxy,
            hosts,
        }
    }
}

impl Environment for SharedRedis {
    fn endpoints(&self) -> Vec<String> {
        self.hosts.endpoints()
    }

    async fn break_and_mend(&mut self, rng: &mut Rng) -> &'static str {
        let fault = *rng.pick(&FAULTS);
        let broken = rng.millis(BROKEN);
        match fault {
            Fault::Host(fault) => self.hosts.break_and_mend(fault, broken, rng).await,
            Fault::RedisKilled => {
                block_in_place(|| self.redis.server.kill()).expect("it is killed");
                tokio::time::sleep(broken).await;
                block_in_place(|| self.redis.server.restart()).expect("it starts again");
                "Redis killed"
            }
            Fault::DiskFull => {
                fill_disk(&self.redis);
                tokio::time::sleep(broken).await;
                block_in_place(|| {
                    // Without a write it still runs.
                    self.redis.server.kill()?;
                    self.redis.server.restart()
                })
                .expect("it starts again");
                "disk of Redis full"
            }
            Fault::RedisFull => {
                self.redis.run("CONFIG SET maxmemory 1").await;
                tokio::time::sleep(broken).await;
                self.redis.run("CONFIG SET maxmemory 0").await;
                "memory of Redis full"
            }
            Fault::PrimaryDemoted => {
                // Nobody listens there, so its data stays as it is.
                self.redis.run("REPLICAOF 127.0.0.1 1").await;
                tokio::time::sleep(broken).await;
                self.redis.run("REPLICAOF NO ONE").await;
                "primary demoted"
            }
            Fault::ScriptsForgotten => {
                self.redis.run("SCRIPT FLUSH").await;
                "scripts of Redis flushed"
            }
            Fault::RedisRepliesCut => {
                cut_for(&self.redis_proxy, broken).await;
                "replies of Redis cut off"
            }
            Fault::RedisConnectionsCut => {
                self.redis_proxy.drop_connections();
                "connections to Redis dropped"
            }
        }
    }
}

/// Lets no file of the server grow any more.
fn fill_disk(redis: &Redis) {
    let pid = Pid::from_raw(redis.server.pid().cast_signed());
    let limit = Rlimit {
        current: Some(1),
        maximum: Some(1),
    };
    prlimit(pid, Resource::Fsize, limit).expect("the limit is set");
}
