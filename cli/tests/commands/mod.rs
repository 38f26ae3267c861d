//! The commands.

mod queues;
mod work;
