//! What all this runs on: a Redis, hosts before it, a proxy before each of them; and how they break.

use super::ledger::{Event, Journal};
use super::rng::Rng;
use crate::support::{Cut, Host, HostOptions, Proxy, Redis};
use std::ops::Range;
use std::time::{Duration, Instant};
use tokio::task::block_in_place;

const HOSTS: usize = 2;

/// How long nothing breaks, in milliseconds, and how long things stay broken.
const WHOLE: Range<u64> = 100..900;
const BROKEN: Range<u64> = 10..250;

/// The environment. All of its processes end with it.
pub struct Environment {
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
    ScriptsForgotten,
    /// Commands are carried out, and hosts do not hear of it.
    RedisRepliesCut,
    RedisConnectionsCut,
    /// Requests are carried out, and clients do not hear of it.
    AnswersCut,
    ClientConnectionsCut,
}

/// Each as often as it stands here.
const FAULTS: [Fault; 10] = [
    Fault::HostKilled,
    Fault::HostKilled,
    Fault::RedisKilled,
    Fault::RedisKilled,
    Fault::ScriptsForgotten,
    Fault::RedisRepliesCut,
    Fault::RedisRepliesCut,
    Fault::RedisConnectionsCut,
    Fault::AnswersCut,
    Fault::ClientConnectionsCut,
];

impl Environment {
    pub async fn start() -> Self {
        let redis = Redis::start();
        let redis_proxy = Proxy::before(redis.server.port()).await;
        let mut hosts = Vec::new();
        for _ in 0..HOSTS {
            let host = start_host(&redis_proxy);
            let proxy = Proxy::before(port_of(&host)).await;
            hosts.push((Some(host), proxy));
        }
        Self {
            redis,
            redis_proxy,
            hosts,
        }
    }

    /// The servers' addresses, which stay the same whatever becomes of the servers.
    pub fn endpoints(&self) -> Vec<String> {
        let endpoint = |(_, proxy): &(_, Proxy)| format!("http://127.0.0.1:{}", proxy.port());
        self.hosts.iter().map(endpoint).collect()
    }

    /// Breaks one thing after another for so long, and mends each.
    pub async fn break_for(&mut self, time: Duration, mut rng: Rng, journal: &Journal) {
        let start = Instant::now();
        while start.elapsed() < time {
            // How long things stay whole, or broken, is what this is about: nothing is waited for here.
            tokio::time::sleep(rng.millis(WHOLE)).await;
            let fault = *rng.pick(&FAULTS);
            let how = self.break_and_mend(fault, &mut rng).await.to_owned();
            journal(Event::Fault { how });
        }
    }

    async fn break_and_mend(&mut self, fault: Fault, rng: &mut Rng) -> &'static str {
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

fn port_of(host: &Host) -> u16 {
    let (_, port) = host.address().rsplit_once(':').expect("a port");
    port.parse().expect("a port")
}
