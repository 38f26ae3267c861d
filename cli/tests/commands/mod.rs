//! The commands.

mod bench;
mod dead;
mod delete;
mod doctor;
mod exit;
mod export;
mod job;
mod key;
mod pull;
mod push;
mod queue;
mod queues;
mod resume;
mod tail;
mod top;
mod up;
mod work;

pub(crate) use up::FILES;
