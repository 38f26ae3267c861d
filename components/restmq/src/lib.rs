//! The RestMQ dialect, all but `/c/`. In `spin.toml` it has the paths that are RestMQ's alone, in `restmq.toml` all of them.

use presque::dialect::restmq;
use presque::spin;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve_legacy(request, restmq::handle).await
}
