//! Making a cluster of servers, and waiting until it is one.

use super::view::Line;
use super::{Cluster, Member, Node, PRIMARIES};
use crate::wait::until_complete;
use crate::{Redis, until};
use presque_redis_server::Settings;
use std::thread;

/// What `redis-cli --cluster create` does not set, and a test wants.
const LINES: [&str; 5] = [
    // In milliseconds: for how long a node may not answer before others take it for gone.
    "cluster-node-timeout 2000",
    "cluster-require-full-coverage no",
    // A replica stays with its primary, and replaces it, however old its data are.
    "cluster-allow-replica-migration no",
    "cluster-replica-validity-factor 0",
    // Else a primary waits five seconds for further replicas before it sends its data.
    "repl-diskless-sync-delay 0",
];

const SLOTS: usize = 16_384;

impl Cluster {
    /// Starts the servers, makes a cluster of them, and returns when that serves all slots and each replica has its primary's
    /// data. That takes a little more than two seconds, for so long a new primary serves nobody.
    pub async fn start() -> Self {
        let servers = thread::scope(|scope| {
            let starts: Vec<_> = (0..2 * PRIMARIES).map(|_| scope.spawn(start_node)).collect();
            let join = |start: thread::ScopedJoinHandle<'_, Redis>| start.join().expect("a node");
            starts.into_iter().map(join).collect::<Vec<_>>()
        });
        let mut nodes = Vec::new();
        for redis in servers {
            let id = redis.query(&["CLUSTER", "MYID"]).await;
            nodes.push(Member {
                redis,
                id,
                answers: true,
            });
        }
        let cluster = Self { nodes };
        cluster.meet().await;
        for replica in cluster.nodes().skip(PRIMARIES) {
            let primary = &cluster.nodes[replica.0 - PRIMARIES].id;
            until("the replica knows its primary", async || {
                let view = cluster.view(replica).await;
                view.of(primary).is_some_and(|line| line.is_well)
            })
            .await;
            cluster[replica].query::<()>(&["CLUSTER", "REPLICATE", primary]).await;
        }
        cluster.settled().await;
        cluster
    }

    /// Gives the primaries their slots, and lets all nodes know each other.
    async fn meet(&self) {
        for node in self.nodes() {
            // Else all begin with the same one, and agree on others before they serve.
            self[node]
                .run(&format!("CLUSTER SET-CONFIG-EPOCH {}", node.0 + 1))
                .await;
            if node.0 < PRIMARIES {
                let [first, end] = [node.0, node.0 + 1].map(|part| part * SLOTS / PRIMARIES);
                self[node]
                    .run(&format!("CLUSTER ADDSLOTSRANGE {first} {}", end - 1))
                    .await;
            }
        }
        for node in self.nodes() {
            // They would hear of each other, some time later.
            for other in self.nodes().filter(|other| other.0 < node.0) {
                let server = &self[other].server;
                let bus = server.bus_port().expect("a node of a cluster");
                self[node]
                    .run(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", server.port()))
                    .await;
            }
        }
    }

    /// Waits until the nodes that answer agree on who serves what by which claim, know that all of them are well, and each replica
    /// gets what its primary writes, if that answers.
    pub async fn settled(&self) {
        until_complete("the cluster is settled", async || self.unsettled().await).await;
    }

    /// What a cluster that is not settled lacks, for a reader of a failed test.
    async fn unsettled(&self) -> Option<String> {
        let mut agreed: Option<(Node, Vec<Line>)> = None;
        for node in self.answering() {
            if !self.is_ok(node).await {
                return Some(format!("{node:?} does not serve"));
            }
            let mut view = self.view(node).await;
            view.lines
                .retain(|line| self.answering().any(|node| self.nodes[node.0].id == line.id));
            view.lines.sort();
            if view.lines.len() != self.answering().count() || !view.lines.iter().all(|line| line.is_well) {
                return Some(format!("{node:?} misses nodes: {:?}", view.lines));
            }
            let primary = view.of(&self.nodes[node.0].id).and_then(|line| line.primary.as_ref());
            if primary.is_some_and(|primary| view.of(primary).is_some()) && !self[node].is_replicating().await {
                return Some(format!("{node:?} does not get what its primary writes"));
            }
            match &agreed {
                None => agreed = Some((node, view.lines)),
                Some((_, agreed)) if *agreed == view.lines => {}
                Some((other, agreed)) => {
                    return Some(format!("{other:?} sees {agreed:?}, {node:?} sees {:?}", view.lines));
                }
            }
        }
        None
    }

    /// Whether a node serves.
    async fn is_ok(&self, node: Node) -> bool {
        let info: String = self[node].query(&["CLUSTER", "INFO"]).await;
        info.lines().any(|line| line == "cluster_state:ok")
    }
}

fn start_node() -> Redis {
    Redis::start_as(Settings {
        is_cluster_node: true,
        lines: LINES.map(str::to_owned).to_vec(),
        ..Settings::default()
    })
}
