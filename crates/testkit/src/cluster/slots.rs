//! Moving slots from one primary to another.

use super::{Cluster, Node};

/// A slot that is being moved. While it is, the old node answers `ASK` for keys that it has no more, the new one serves who says
/// `ASKING`, and where a command's keys are on both, it is `TRYAGAIN`.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// The slot.
    pub slot: u16,
    /// The node that has it now.
    pub from: Node,
    /// The node that is to have it.
    pub to: Node,
}

impl Cluster {
    /// Moves a slot with all its keys to another primary. Returns when all nodes that answer know.
    pub async fn migrate_slot(&self, slot: u16, to: Node) {
        let migration = self.begin_migration(slot, to).await;
        self.move_keys(migration, &self.keys_to_move(migration).await).await;
        self.finish_migration(migration).await;
    }

    /// Begins to move a slot to another primary, and moves no key.
    pub async fn begin_migration(&self, slot: u16, to: Node) -> Migration {
        let from = self.primary_of_slot(slot).await;
        assert_ne!(from, to, "it has slot {slot} already");
        let [from_id, to_id] = [from, to].map(|node| &self.nodes[node.0].id);
        self[to]
            .run(&format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}"))
            .await;
        self[from]
            .run(&format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}"))
            .await;
        Migration { slot, from, to }
    }

    /// The keys of the slot that the old node still has.
    pub async fn keys_to_move(&self, migration: Migration) -> Vec<Vec<u8>> {
        let slot = migration.slot.to_string();
        let words = ["CLUSTER", "GETKEYSINSLOT", &slot, "1000000"];
        self[migration.from].query(&words).await
    }

    /// Moves these keys.
    pub async fn move_keys(&self, migration: Migration, keys: &[impl AsRef<[u8]>]) {
        if keys.is_empty() {
            return;
        }
        let port = self[migration.to].server.port().to_string();
        let words = ["MIGRATE", "127.0.0.1", &port, "", "0", "10000", "KEYS"].map(str::as_bytes);
        let keys = keys.iter().map(AsRef::as_ref);
        let words: Vec<&[u8]> = words.into_iter().chain(keys).collect();
        self[migration.from].query::<()>(&words).await;
    }

    /// Gives the slot to the new node. The old one must have no key of it. Returns when all nodes that answer know.
    pub async fn finish_migration(&self, Migration { slot, from, to }: Migration) {
        let command = format!("CLUSTER SETSLOT {slot} NODE {}", self.nodes[to.0].id);
        // The new one first: else nobody would have it for a moment.
        for node in [to, from] {
            self[node].run(&command).await;
        }
        self.settled().await;
    }
}
