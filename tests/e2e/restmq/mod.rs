//! The RestMQ dialect over HTTP.

mod browser;
mod comet;
mod xmlrpc;
