//! The hosts, with a proxy before each, and how they break.

use super::QUEUES;
use super::environment::port_of;
use super::rng::Rng;
use crate::support::{Cut, Host, HostOptions, Proxy};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::block_in_place;

const HOSTS: usize = 2;

/// How many clients wait for jobs and vanish.
const WAITS: usize = 20;

/// What can break on the side of the clients.
#[derive(Clone, Copy, Debug)]
pub enum HostFault {
    Killed,
    /// Clients go away while they wait for jobs.
    WaitsVanished,
    /// Requests are carried out, and clients do not hear of it.
    AnswersCut,
    ClientConnectionsCut,
}

/// Hosts on the same Redis.
pub struct Hosts {
    redis_url: String,
    args: Vec<String>,
    /// Each with the proxy before it.
    hosts: Vec<(Option<Host>, Proxy)>,
}

impl Hosts {
    /// Starts them, each with these arguments.
    pub fn start(redis_url: String, args: &[&str]) -> Self {
        let mut hosts = Self {
            redis_url,
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            hosts: Vec::new(),
        };
        for _ in 0..HOSTS {
            let host = hosts.start_host();
            let proxy = Proxy::before(port_of(&host));
            hosts.hosts.push((Some(host), proxy));
        }
        hosts
    }

    pub fn endpoints(&self) -> Vec<String> {
        let endpoint = |(_, proxy): &(_, Proxy)| format!("http://127.0.0.1:{}", proxy.port());
        self.hosts.iter().map(endpoint).collect()
    }

    /// Breaks one of them for so long, and says how.
    pub async fn break_and_mend(&mut self, fault: HostFault, broken: Duration, rng: &mut Rng) -> &'static str {
        let number = usize::try_from(rng.within(0..HOSTS as u64)).unwrap();
        match fault {
            HostFault::Killed => {
                block_in_place(|| self.hosts[number].0.take().expect("a host").kill());
                tokio::time::sleep(broken).await;
                let started = block_in_place(|| self.start_host());
                let (host, proxy) = &mut self.hosts[number];
                proxy.lead_to(port_of(&started));
                *host = Some(started);
                "host killed"
            }
            HostFault::WaitsVanished => {
                let waits = wait_for_jobs(self.hosts[number].1.port()).await;
                tokio::time::sleep(broken).await;
                drop(waits);
                "waiting clients gone"
            }
            HostFault::AnswersCut => {
                cut_for(&self.hosts[number].1, broken).await;
                "answers of a host cut off"
            }
            HostFault::ClientConnectionsCut => {
                self.hosts[number].1.drop_connections();
                "connections to a host dropped"
            }
        }
    }

    fn start_host(&self) -> Host {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        Host::start(HostOptions {
            redis_url: Some(self.redis_url.clone()),
            args: &args,
            ..HostOptions::default()
        })
    }
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

/// Cuts off what comes back through a proxy for so long.
pub async fn cut_for(proxy: &Proxy, time: Duration) {
    proxy.cut(Cut::Replies);
    tokio::time::sleep(time).await;
    proxy.cut(Cut::Nothing);
}
