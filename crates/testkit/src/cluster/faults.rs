//! What can happen to nodes.

use super::{Cluster, Node};
use crate::until;
use std::time::{Duration, Instant};

/// A failover that was asked for has succeeded within five seconds, or is given up.
const FAILOVER: Duration = Duration::from_secs(6);

impl Cluster {
    /// Kills a node's server (SIGKILL), and waits until it is gone. A primary's replica takes its slots some seconds later:
    /// see [`Cluster::promoted`].
    pub fn kill(&mut self, node: Node) {
        let member = &mut self.nodes[node.0];
        member.answers = false;
        member.redis.server.kill().expect("the node is killed");
    }

    /// Starts a node's server anew, on its data and its ports. Returns when it answers. It may serve nobody yet: see
    /// [`Cluster::settled`].
    pub fn restart(&mut self, node: Node) {
        let member = &mut self.nodes[node.0];
        member.redis.server.restart().expect("the node starts");
        member.answers = true;
    }

    /// Lets a node do nothing (SIGSTOP), as if the network had lost it. It keeps its connections.
    pub fn pause(&mut self, node: Node) {
        let member = &mut self.nodes[node.0];
        member.answers = false;
        member.redis.server.pause().expect("the node is paused");
    }

    /// Lets a node that was paused go on. It may take itself for a primary for a moment, although it was replaced.
    pub fn resume(&mut self, node: Node) {
        let member = &mut self.nodes[node.0];
        member.redis.server.resume().expect("the node goes on");
        member.answers = true;
    }

    /// Lets a replica and its primary, which must answer, change roles without a loss. Returns when all nodes that answer know.
    pub async fn failover(&self, replica: Node) {
        let mut asked: Option<Instant> = None;
        until("the replica is promoted", async || {
            if self.serves(replica).await {
                return true;
            }
            // One that does not succeed in time is given up without a word.
            if asked.is_none_or(|asked| asked.elapsed() > FAILOVER) {
                self[replica].run("CLUSTER FAILOVER").await;
                asked = Some(Instant::now());
            }
            false
        })
        .await;
        self.settled().await;
    }

    /// Waits until a replica has become a primary, and all nodes that answer know.
    pub async fn promoted(&self, replica: Node) {
        until("the replica is promoted", async || self.serves(replica).await).await;
        self.settled().await;
    }

    /// Whether a node is a primary with slots, as it sees itself.
    async fn serves(&self, node: Node) -> bool {
        let view = self.view(node).await;
        let line = view.of(&self.nodes[node.0].id);
        line.is_some_and(|line| line.primary.is_none() && !line.slots.is_empty())
    }
}
