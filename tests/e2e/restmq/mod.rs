//! The RestMQ dialect over HTTP.

mod browser;
mod xmlrpc;
