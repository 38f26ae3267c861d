//! The commands.

mod bench;
mod doctor;
mod job;
mod key;
mod queue;
mod queues;
mod tail;
mod top;
mod work;
