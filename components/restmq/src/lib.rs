//! The RestMQ dialect. In `spin.toml` it has the paths that are RestMQ's alone, in `restmq.toml` all of them.

use presque::spin;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve_restmq(request).await
}
