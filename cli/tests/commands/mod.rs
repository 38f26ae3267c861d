//! The commands.

mod queues;
