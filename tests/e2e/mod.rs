//! The built components on the host, over HTTP.

mod cost;
mod faults;
mod order;
mod queue;
