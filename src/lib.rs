//! presque: a job queue over HTTP, with Redis for storage.
//!
//! This is the handler library. A handler is an async function from an [`http::Request`] and a [`Context`](web::Context) to
//! a response, or to a stream. The same code runs in a WebAssembly component, where Redis is reached through the platform,
//! and natively, where any [`Redis`](store::Redis) will do.
//!
//! ```
//! use presque::dialect::v1;
//! use presque::gate::Caller;
//! use presque::queue::Limits;
//! use presque::store::{Redis, RedisError, Reply, Store};
//! use presque::web::Context;
//! use std::time::Duration;
//!
//! /// A way to Redis: here to one that is away.
//! struct Away;
//!
//! impl Redis for Away {
//!     async fn command(&self, _name: &str, _args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
//!         Err(RedisError::Unreachable("away".into()))
//!     }
//!
//!     async fn blocking(&self, name: &str, args: &[&[u8]], _: Duration) -> Result<Vec<Reply>, RedisError> {
//!         self.command(name, args).await
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), http::Error> {
//! let context = Context {
//!     store: Store::new(Away),
//!     limits: Limits::default(),
//!     caller: Caller::unrestricted(),
//! };
//! let request = http::Request::get("/v1/queues").body(String::new())?;
//! let response = v1::handle(request, &context).await;
//! assert_eq!(response.status(), 503);
//! # Ok(())
//! # }
//! ```
//!
//! From the top down, each room uses only those below it:
//!
//! - `spin` (feature `spin`): binds a handler to the Spin platform;
//! - [`dialect`]: what a request means, one module per wire protocol;
//! - [`web`]: what every dialect needs of HTTP;
//! - [`gate`]: who may do what;
//! - [`store`]: the queue's operations over Redis, one script each;
//! - [`queue`]: what a job queue is. Pure rules, no I/O.

pub mod dialect;
pub mod gate;
pub mod queue;
#[cfg(feature = "spin")]
pub mod spin;
pub mod store;
pub mod web;
