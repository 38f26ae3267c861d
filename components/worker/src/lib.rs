//! Workers register and are looked at: `/w/{queue}`.

use presque::dialect::presque::worker;
use presque::spin;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve(request, worker::handle).await
}
