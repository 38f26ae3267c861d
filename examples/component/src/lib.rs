//! A component of one's own: presque's `/v1` with a header on every response, and one more route.

use presque::dialect::v1;
use presque::spin;
use presque::web::json::{Style, object};
use presque::web::{with_body, with_header};
use spin_sdk::http::{HeaderName, IntoResponse, Request, StatusCode};
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve(request, async |request, context| {
        let response = match request.uri().path().strip_prefix("/hello/") {
            Some(name) => with_body(
                StatusCode::OK,
                object(Style::Compact, |o| {
                    o.text("hello", name);
                }),
            ),
            None => v1::handle(request, context).await,
        };
        with_header(response, HeaderName::from_static("x-powered-by"), "presque")
    })
    .await
}
