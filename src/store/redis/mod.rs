//! The ground floor of the store: the way to Redis, the keys, the scripts, and what is packed in Redis' strings.

mod client;
mod error;
mod keys;
mod layout;
mod packed;
mod reply;
mod router;
mod script;
mod store;

pub use client::{Redis, Reply};
pub use error::{Effect, RedisError, Unavailable};
pub use keys::queue_key_suffixes;
pub(super) use keys::{
    CATALOG, JOBS, META, OVERVIEW, QueueKeys, SEEN, WAKEUP, WORKERS, hex, worker_record, workers_below,
};
pub(super) use layout::{Layout, Turn, place};
pub(super) use packed::{
    Execution, ExecutionError, ExecutionRelease, Options, PackedSettings, millis, pack, pack_backoff, pack_hold,
    pack_or_empty, pack_unique_key, unpack_backoff, unpack_hold, unpack_unique_key,
};
pub(super) use reply::ReplyReader;
pub use router::{Address, Command, Connector, Node, Replication, Router};
pub(super) use script::{Script, scripts};
pub use store::Store;
