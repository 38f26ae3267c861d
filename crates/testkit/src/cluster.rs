//! A real Redis Cluster of a test's own.

mod faults;
mod form;
mod slots;
#[cfg(test)]
mod tests;
mod view;

use crate::{Commands, Redis};
use std::collections::BTreeMap;
use std::ops::Index;

pub use slots::Migration;
use view::View;

/// How many primaries there are. Each has a third of the slots, and one replica.
const PRIMARIES: usize = 3;

/// A cluster of three primaries and three replicas, with `appendfsync always`. Ends with its value.
///
/// A primary that does not answer for two seconds is replaced by its replica, in about four. Slots that nobody serves leave the
/// others alone (`cluster-require-full-coverage no`): a queue lives in one slot, so that is what presque's users should set, and
/// a test can tell queues that must go on from those that cannot. Redis' default is `yes`:
/// [`Cluster::run_on_all`] can set it.
pub struct Cluster {
    nodes: Vec<Member>,
}

/// A node's server, and what is known of it.
struct Member {
    redis: Redis,
    /// By which the cluster knows it.
    id: String,
    /// It was neither killed nor paused.
    answers: bool,
}

/// Names a node of a cluster: `cluster[node]` is its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(usize);

impl Node {
    /// Its place among [`Cluster::nodes`].
    pub fn index(self) -> usize {
        self.0
    }
}

impl Index<Node> for Cluster {
    type Output = Redis;

    fn index(&self, node: Node) -> &Redis {
        &self.nodes[node.0].redis
    }
}

impl Cluster {
    /// The address of one of its first primaries: `redis://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        self[Node(0)].url()
    }

    /// The addresses of all nodes.
    pub fn urls(&self) -> Vec<String> {
        self.nodes().map(|node| self[node].url()).collect()
    }

    /// What the addresses of all nodes are like, as in `allowed_outbound_hosts` of a manifest.
    pub fn nodes_pattern(&self) -> String {
        "redis://127.0.0.1:*".to_owned()
    }

    /// All nodes: first those that were primaries at first, then their replicas in the same order.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + use<> {
        (0..self.nodes.len()).map(Node)
    }

    /// The nodes that were neither killed nor paused.
    fn answering(&self) -> impl Iterator<Item = Node> {
        self.nodes().filter(|node| self.nodes[node.0].answers)
    }

    /// One of those.
    fn any(&self) -> Node {
        self.answering().next().expect("a node that answers")
    }

    /// Which slot a key is in.
    pub async fn slot_of(&self, key: impl AsRef<[u8]>) -> u16 {
        let words = [b"CLUSTER".as_slice(), b"KEYSLOT", key.as_ref()];
        self[self.any()].query(&words).await
    }

    /// The node that serves a key, as one of those sees it that answer. After a fault they need not agree: see
    /// [`Cluster::settled`].
    pub async fn primary_of(&self, key: impl AsRef<[u8]>) -> Node {
        self.primary_of_slot(self.slot_of(key).await).await
    }

    /// The node that serves a slot, as [`Cluster::primary_of`].
    pub async fn primary_of_slot(&self, slot: u16) -> Node {
        let view = self.view(self.any()).await;
        let line = view.lines.iter().find(|line| line.has_slot(slot));
        self.by_id(&line.unwrap_or_else(|| panic!("nobody serves slot {slot}")).id)
    }

    /// The replica of a primary, as one of the nodes sees it that answer.
    pub async fn replica_of(&self, primary: Node) -> Node {
        let id = &self.nodes[primary.0].id;
        let view = self.view(self.any()).await;
        let line = view.lines.iter().find(|line| line.primary.as_ref() == Some(id));
        self.by_id(&line.unwrap_or_else(|| panic!("{primary:?} has no replica")).id)
    }

    fn by_id(&self, id: &str) -> Node {
        let at = self.nodes.iter().position(|member| member.id == id);
        Node(at.unwrap_or_else(|| panic!("no node is {id}")))
    }

    /// What a node knows of all.
    async fn view(&self, node: Node) -> View {
        View::parse(&self[node].query::<String>(&["CLUSTER", "NODES"]).await)
    }

    /// Runs a command, whose words have spaces between them, on each node that answers.
    pub async fn run_on_all(&self, command: &str) {
        for node in self.answering() {
            self[node].run(command).await;
        }
    }

    /// How often each command ran, as [`Redis::commands`], on all nodes that answer together. What replicas repeat counts, too.
    pub async fn commands(&self) -> Commands {
        let mut sum = Commands::new();
        for node in self.answering() {
            add(&mut sum, self[node].commands().await);
        }
        sum
    }

    /// How many clients wait in commands that block, on each node that answers.
    pub async fn waiting(&self) -> Vec<u64> {
        let mut waiting = Vec::new();
        for node in self.answering() {
            let clients = self[node].info("clients", "blocked_clients").await;
            waiting.push(
                clients
                    .and_then(|clients| clients.trim().parse().ok())
                    .expect("a number"),
            );
        }
        waiting
    }

    /// How often each error was answered, as [`Redis::error_stats`], by all nodes that answer together: that `CROSSSLOT` is not
    /// among them says that no command's keys were in two slots.
    pub async fn error_stats(&self) -> BTreeMap<String, i64> {
        let mut sum = BTreeMap::new();
        for node in self.answering() {
            add(&mut sum, self[node].error_stats().await);
        }
        sum
    }
}

fn add(sum: &mut BTreeMap<String, i64>, counts: BTreeMap<String, i64>) {
    for (name, count) in counts {
        *sum.entry(name).or_default() += count;
    }
}
