//! What all this runs on: a Redis, hosts before it, a proxy before each of them; and how they break.

use super::book::{Event, Journal};
use super::chance::Chance;
use crate::support::{Cut, Host, HostOptions, Proxy, Redis};
use std::ops::Range;
use std::time::{Duration, Instant};
use tokio::task::block_in_place;

const HOSTS: usize = 2;

/// How long nothing breaks, in milliseconds, and how long things stay broken.
const WHOLE: Range<u64> = 100..900;
const BROKEN: Range<u64> = 10..250;

/// The stage. All of its processes end with it.
pub struct Stage {
    pub redis: Redis,
    /// Between the hosts and Redis.
    cable: Proxy,
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

impl Stage {
    pub async fn set() -> Self {
        let redis = Redis::start();
        let cable = Proxy::before(redis.server.port()).await;
        let mut hosts = Vec::new();
        for _ in 0..HOSTS {
            let host = start_host(&cable);
            let door = Proxy::before(port_of(&host)).await;
            hosts.push((Some(host), door));
        }
        Self { redis, cable, hosts }
    }

    /// The servers' addresses, which stay the same whatever becomes of the servers.
    pub fn doors(&self) -> Vec<String> {
        let door = |(_, door): &(_, Proxy)| format!("http://127.0.0.1:{}", door.port());
        self.hosts.iter().map(door).collect()
    }

    /// Breaks one thing after another for so long, and mends each.
    pub async fn break_for(&mut self, time: Duration, mut chance: Chance, journal: &Journal) {
        let start = Instant::now();
        while start.elapsed() < time {
            // How long things stay whole, or broken, is what this is about: nothing is waited for here.
            tokio::time::sleep(chance.millis(WHOLE)).await;
            let fault = *chance.pick(&FAULTS);
            let how = self.break_and_mend(fault, &mut chance).await.to_owned();
            journal(Event::Broke { how });
        }
    }

    async fn break_and_mend(&mut self, fault: Fault, chance: &mut Chance) -> &'static str {
        let broken = chance.millis(BROKEN);
        let number = usize::try_from(chance.within(0..HOSTS as u64)).unwrap();
        let (host, door) = &mut self.hosts[number];
        match fault {
            Fault::HostKilled => {
                block_in_place(|| host.take().expect("a host").kill());
                tokio::time::sleep(broken).await;
                let started = block_in_place(|| start_host(&self.cable));
                door.lead_to(port_of(&started));
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
                cut_for(&self.cable, broken).await;
                "replies of Redis cut off"
            }
            Fault::RedisConnectionsCut => {
                self.cable.drop_connections();
                "connections to Redis dropped"
            }
            Fault::AnswersCut => {
                cut_for(door, broken).await;
                "answers of a host cut off"
            }
            Fault::ClientConnectionsCut => {
                door.drop_connections();
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

fn start_host(cable: &Proxy) -> Host {
    Host::start(HostOptions {
        redis_url: Some(cable.url()),
        ..HostOptions::default()
    })
}

fn port_of(host: &Host) -> u16 {
    let (_, port) = host.address().rsplit_once(':').expect("a port");
    port.parse().expect("a port")
}
