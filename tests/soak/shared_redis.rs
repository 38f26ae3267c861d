//! A Redis that several hosts use, with a proxy before each of them.

use super::QUEUES;
use super::environment::{BROKEN, Environment, port_of};
use super::rng::Rng;
use crate::support::{Cut, Host, HostOptions, Proxy, Redis};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::block_in_place;

const HOSTS: usize = 2;

/// How many clients wait for jobs and vanish.
const WAITS: usize = 20;

/// The Redis, and the hosts.
pub struct SharedRedis {
    pub redis: Redis,
    /// Between the hosts and Redis.
    redis_proxy: Proxy,
    /// Each with the proxy before it.
    hosts: Vec<(Option<Host>, Proxy)>,
}

/// What can break.
#[derive(Clone, Copy, Debug)]
enum Fault {
    HostKilled,
    RedisKilled,
    /// Redis cannot write to its disk, and ends.
    DiskFull,
    /// Redis has no memory for more jobs.
    RedisFull,
    /// Redis becomes a replica, which accepts no writes, as in a failover.
    PrimaryDemoted,
    ScriptsForgotten,
    /// Clients go away while they wait for jobs.
    WaitsVanished,
    /// Commands are carried out, and hosts do not hear of it.
    RedisRepliesCut,
    RedisConnectionsCut,
    /// Requests are carried out, and clients do not hear of it.
    AnswersCut,
    ClientConnectionsCut,
}

/// Each as often as it stands here.
const FAULTS: [Fault; 14] = [
    Fault::HostKilled,
    Fault::HostKilled,
    Fault::RedisKilled,
    Fault::RedisKilled,
    Fault::DiskFull,
    Fault::RedisFull,
    Fault::PrimaryDemoted,
    Fault::ScriptsForgotten,
    Fault::WaitsVanished,
    Fault::RedisRepliesCut,
    Fault::RedisRepliesCut,
    Fault::RedisConnectionsCut,
    Fault::AnswersCut,
    Fault::ClientConnectionsCut,
];

impl SharedRedis {
    pub async fn start() -> Self {
        let redis = Redis::start();
        let redis_proxy = Proxy::before(redis.server.port());
        let mut hosts = Vec::new();
        for _ in 0..HOSTS {
            let host = start_host(&redis_proxy);
            let proxy = Proxy::before(port_of(&host));
            hosts.push((Some(host), proxy));
        }
        Self {
            redis,
            redis_proxy,
            hosts,
        }
    }
}

impl Environment for SharedRedis {
    fn endpoints(&self) -> Vec<String> {
        let endpoint = |(_, proxy): &(_, Proxy)| format!("http://127.0.0.1:{}", proxy.port());
        self.hosts.iter().map(endpoint).collect()
    }

    async fn break_and_mend(&mut self, rng: &mut Rng) -> &'static str {
        let fault = *rng.pick(&FAULTS);
        let broken = rng.millis(BROKEN);
        let number = usize::try_from(rng.within(0..HOSTS as u64)).unwrap();
        let (host, proxy) = &mut self.hosts[number];
        match fault {
            Fault::HostKilled => {
                block_in_place(|| host.take().expect("a host").kill());
                tokio::time::sleep(broken).await;
                let started = block_in_place(|| start_host(&self.redis_proxy));
                proxy.lead_to(port_of(&started));
                *host = Some(started);
                "host killed"
            }
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
            Fault::WaitsVanished => {
                let waits = wait_for_jobs(proxy.port()).await;
                tokio::time::sleep(broken).await;
                drop(waits);
                "waiting clients gone"
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
            Fault::AnswersCut => {
                cut_for(proxy, broken).await;
                "answers of a host cut off"
            }
            Fault::ClientConnectionsCut => {
                proxy.drop_connections();
                "connections to a host dropped"
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

/// Clients that each wait for jobs. They vanish when this is dropped.
async fn wait_for_jobs(port: u16) -> Vec<TcpStream> {
    let mut waits = Vec::new();
    for queue in QUEUES.repeat(WAITS / QUEUES.len()) {
        let body = r#"{"wait":20,"lease":1}"#;
        let request = format!(
            "POST /v1/queues/{queue}/claims HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        // The host may be away.
        let Ok(mut client) = TcpStream::connect(("127.0.0.1", port)).await else {
            continue;
        };
        if client.write_all(request.as_bytes()).await.is_ok() {
            waits.push(client);
        }
    }
    waits
}

async fn cut_for(proxy: &Proxy, time: Duration) {
    proxy.cut(Cut::Replies);
    tokio::time::sleep(time).await;
    proxy.cut(Cut::Nothing);
}

fn start_host(redis_proxy: &Proxy) -> Host {
    Host::start(HostOptions {
        redis_url: Some(redis_proxy.url()),
        ..HostOptions::default()
    })
}
