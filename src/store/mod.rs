//! The queue over Redis: nearly every operation is one script, one round trip.
//!
//! Where an operation has many arguments they are a type, and so is its outcome. They stand beside the Lua script that does
//! the work. Nobody else knows a script's wire form, and nobody but `redis/keys.rs` builds a key. All keys of a queue share
//! one hash tag and are declared to Redis, so the store also runs on a cluster. Time is the Redis server's.
//!
//! The rooms, from the top down:
//!
//! - `subscribers/`, `workers/`: readers that stay; workers of both kinds;
//! - `jobs/`: insert, claim, ack, nack, extend, fetch, search, act on those that match;
//! - `queues/`: settings, counts, the catalog, waiting, health;
//! - `lua/`: what several scripts share, one noun a file;
//! - `redis/`: the way to Redis, keys, scripts, and [`Store`] itself.

mod jobs;
mod queues;
mod redis;
mod subscribers;
mod workers;

pub use jobs::{
    Ack, Acked, Act, ActOn, ActPlace, Acted, Action, Claim, Claimed, Cursor, DeadGroup, DeadGroups, DeadJobs,
    DeathReason, Extend, Extended, FailureReport, Fetch, Fetched, Filter, Idempotency, Insert, InsertBatch, Inserted,
    InsertedBatch, InsertedJob, Job, JobError, JobPage, ListJobs, MAX_RECEIPTS, MAX_SLICE, Nack, NackKind, Nacked,
    NewJob, Newest, NextJob, Peeked, Purged, Redriven, Removed, Search, SearchPage, SearchPlace,
};
pub use queues::{
    Condition, Configured, Counts, Delete, Description, EffectiveSettings, Fsync, Health, History, Known, Largest,
    LastMinute, MAX_LOOKED_AT, Minute, NameList, Persistence, Summary, Totals, WAIT_BOUNDS, Waits,
};
pub use redis::{
    Address, Command, Connector, Effect, Node, Redis, RedisError, Replication, Reply, Router, Store, Unavailable,
    queue_key_suffixes,
};
pub use subscribers::{Delivery, DeliveryId, Inbox, Subscriber, SubscriberKind};
pub use workers::{QueueWorkers, SeenWorker, Worker};
