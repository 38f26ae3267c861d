//! Whether a queue hands out its jobs: `/control/{queue}`.

use presque::dialect::beside;
use presque::spin;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve(request, beside::control).await
}
