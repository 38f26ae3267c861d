//! presque: a job queue over HTTP, with Redis for storage.
//!
//! This is the handler library. A handler is an async function from an [`http::Request`] and a [`Context`](web::Context) to
//! a response, or to a stream. The same code runs in a WebAssembly component, where Redis is reached through the platform,
//! and natively, where any [`Redis`](store::Redis) will do.
//!
//! From the top down, each room uses only those below it:
//!
//! - `spin` (feature `spin`): binds a handler to the Spin platform;
//! - [`dialect`]: what a request means, one module per wire protocol;
//! - [`web`]: what every dialect needs of HTTP;
//! - [`store`]: the queue's operations over Redis, one script each;
//! - [`queue`]: what a job queue is. Pure rules, no I/O.

pub mod dialect;
pub mod queue;
#[cfg(feature = "spin")]
pub mod spin;
pub mod store;
pub mod web;
