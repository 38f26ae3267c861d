//! RestMQ's messages as they come, for as long as somebody reads: `/c/{queue}`.
//!
//! A component of its own: an instance lives until its last reader goes. So readers share instances with each other alone, and
//! keep none from serving other requests.

use presque::spin;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve_comet(request).await
}
