//! The built components on the host, over HTTP.

mod batch;
mod browser;
mod cluster;
mod control;
mod cost;
mod dashboard;
mod deploy;
mod docs;
mod examples;
mod faults;
mod gate;
mod headers;
mod instructions;
mod large;
mod metrics;
mod order;
mod partitions;
mod queue;
mod races;
mod random;
mod restmq;
mod status;
mod v1;
mod worker;
