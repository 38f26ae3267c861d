//! A cluster that several hosts use.

use super::environment::{BROKEN, Environment};
use super::hosts::{HostFault, Hosts, cut_for};
use super::rng::Rng;
use crate::support::{Cluster, Node, Proxy, eventually};
use std::ops::Range;
use tokio::task::block_in_place;

/// How long a node does nothing, in milliseconds. Others take it for gone after 2000.
const PAUSED: Range<u64> = 200..4000;

/// What keys of the queues have in their braces: one queue has several partitions.
const TAGS: [&str; 4] = ["kept", "gone", "gone%/1", "gone%/2"];
const PARTITIONS: u8 = 3;

/// The cluster, and the hosts.
pub struct SharedCluster {
    pub cluster: Cluster,
    /// One before each node, in their order. The nodes tell all others that these are their addresses.
    proxies: Vec<Proxy>,
    hosts: Hosts,
}

/// What can break.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Host(HostFault),
    /// A primary ends, and its replica takes over.
    PrimaryKilled,
    /// A primary does nothing for a while. When that is long, its replica has taken over when it goes on.
    PrimaryPaused,
    /// A primary and its replica change their roles, as before an update.
    RolesChanged,
    /// The slot of a queue goes to another primary.
    SlotMoved,
    ScriptsForgotten,
    /// Commands are carried out, and hosts do not hear of it; nor do replicas of what they should repeat.
    RepliesCut,
    ConnectionsCut,
}

/// Each as often as it stands here.
const FAULTS: [Fault; 12] = [
    Fault::PrimaryKilled,
    Fault::PrimaryKilled,
    Fault::PrimaryPaused,
    Fault::PrimaryPaused,
    Fault::RolesChanged,
    Fault::SlotMoved,
    Fault::SlotMoved,
    Fault::SlotMoved,
    Fault::ScriptsForgotten,
    Fault::RepliesCut,
    Fault::ConnectionsCut,
    Fault::Host(HostFault::Killed),
];

impl SharedCluster {
    /// Starts both. So many replicas must have a change before it is told of.
    pub async fn start(replicas: u32) -> Self {
        let cluster = Cluster::start().await;
        let proxies: Vec<_> = cluster
            .nodes()
            .map(|node| Proxy::before(cluster[node].server.port()))
            .collect();
        for (node, proxy) in cluster.nodes().zip(&proxies) {
            announce(&cluster, node, proxy).await;
        }
        let urls: Vec<_> = proxies.iter().map(Proxy::url).collect();
        let replicas = format!("redis_wait_replicas={replicas}");
        let nodes = format!("redis_nodes={}", cluster.nodes_pattern());
        let hosts = Hosts::start(urls.join(","), &["--variable", &nodes, "--variable", &replicas]);
        Self {
            cluster,
            proxies,
            hosts,
        }
    }

    /// The primary of a queue, or of one of its partitions, and its slot.
    async fn primary(&self, rng: &mut Rng) -> (Node, u16) {
        let tag = *rng.pick(&TAGS);
        let slot = self.cluster.slot_of(format!("presque:{{{tag}}}:meta")).await;
        (self.cluster.primary_of_slot(slot).await, slot)
    }

    /// Moves a slot a few keys at a time, while requests come that make new ones.
    async fn move_slowly(&self, slot: u16, to: Node) {
        let migration = self.cluster.begin_migration(slot, to).await;
        loop {
            let keys = self.cluster.keys_to_move(migration).await;
            if keys.is_empty() {
                break;
            }
            self.cluster.move_keys(migration, &keys[..keys.len().min(2)]).await;
        }
        self.cluster.finish_migration(migration).await;
    }

    /// Waits until each primary has its replica, so that the next fault finds one.
    async fn healed(&self) {
        eventually("each primary has a replica", async || {
            for node in self.cluster.nodes() {
                let info: String = self.cluster[node].query(&["INFO", "replication"]).await;
                if info.contains("role:master") && !info.contains("state=online") || info.contains("link_status:down") {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }
}

/// Lets a node tell others that it is where its proxy is.
async fn announce(cluster: &Cluster, node: Node, proxy: &Proxy) {
    cluster[node]
        .run(&format!("CONFIG SET cluster-announce-port {}", proxy.port()))
        .await;
}

impl Environment for SharedCluster {
    fn endpoints(&self) -> Vec<String> {
        self.hosts.endpoints()
    }

    fn partitions(&self) -> u8 {
        PARTITIONS
    }

    async fn break_and_mend(&mut self, rng: &mut Rng) -> &'static str {
        let fault = *rng.pick(&FAULTS);
        let broken = rng.millis(BROKEN);
        let (primary, slot) = self.primary(rng).await;
        let what = match fault {
            Fault::Host(fault) => return self.hosts.break_and_mend(fault, broken, rng).await,
            Fault::PrimaryKilled => {
                let replica = self.cluster.replica_of(primary).await;
                block_in_place(|| self.cluster.kill(primary));
                self.cluster.promoted(replica).await;
                block_in_place(|| self.cluster.restart(primary));
                announce(&self.cluster, primary, &self.proxies[primary.index()]).await;
                "primary killed, its replica promoted"
            }
            Fault::PrimaryPaused => {
                let replica = self.cluster.replica_of(primary).await;
                self.cluster.pause(primary);
                tokio::time::sleep(rng.millis(PAUSED)).await;
                self.cluster.resume(primary);
                match self.cluster.primary_of_slot(slot).await == replica {
                    true => "primary paused, its replica promoted",
                    false => "primary paused",
                }
            }
            Fault::RolesChanged => {
                let replica = self.cluster.replica_of(primary).await;
                self.cluster.failover(replica).await;
                "roles of a primary and its replica changed"
            }
            Fault::SlotMoved => {
                let other = self.cluster.primary_of_slot((slot + 8192) % 16_384).await;
                if other != primary {
                    self.move_slowly(slot, other).await;
                }
                "slot of a queue moved"
            }
            Fault::ScriptsForgotten => {
                self.cluster.run_on_all("SCRIPT FLUSH").await;
                "scripts of all nodes flushed"
            }
            Fault::RepliesCut => {
                cut_for(&self.proxies[primary.index()], broken).await;
                "replies of a node cut off"
            }
            Fault::ConnectionsCut => {
                self.proxies[primary.index()].drop_connections();
                "connections to a node dropped"
            }
        };
        self.cluster.settled().await;
        self.healed().await;
        what
    }
}
