//! Streams, over those of the platform.

use super::response::{Answer, fields, set_status};
use super::{Context, Visit, settings_and_access};
use crate::dialect::restmq::{ChunkSink, CometResponse, Gone, Subscription, handle_comet};
use crate::web::empty;
use http::{Request, StatusCode};
use spin_sdk::http::IntoResponse;
use spin_sdk::time;
use spin_sdk::wasip3::http::types::{ErrorCode, Response};
use spin_sdk::wasip3::http_compat::BodyWriter;
use spin_sdk::wasip3::wit_bindgen::{StreamResult, spawn};
use std::time::Duration;

/// Responds to a request to RestMQ's `/c/{queue}`, whose response is a stream.
///
/// # Errors
/// The platform's, when it refuses the head of a stream. It then responds with 500 itself.
pub async fn serve_comet<B: http_body::Body + 'static>(request: Request<B>) -> Result<Response, ErrorCode> {
    let (settings, access) = settings_and_access().await;
    let visit = Visit::enter(&settings, &request);
    let response = match visit.is_preflight {
        true => CometResponse::Whole(empty(StatusCode::NO_CONTENT)),
        false => handle_comet(request, &visit.context, &access).await,
    };
    match response {
        CometResponse::Whole(mut response) => {
            visit.finish(response.status(), response.headers_mut()).await;
            Answer(response).into_response()
        }
        CometResponse::Stream(mut head, subscription) => {
            visit.finish(head.status(), head.headers_mut()).await;
            stream(&head, subscription, visit.context)
        }
    }
}

/// Begins a stream. The rest is a task of its own, which lives for as long as somebody reads, and a little longer.
fn stream(head: &http::Response<()>, subscription: Subscription, context: Context) -> Result<Response, ErrorCode> {
    let (body, contents, trailers) = BodyWriter::new();
    let (response, _sent) = Response::new(fields(head.headers())?, Some(contents), trailers);
    set_status(&response, head.status());
    spawn(async move {
        let mut chunks = Writer(body);
        subscription.run(&context.store, &mut chunks).await;
        let BodyWriter {
            stream_writer,
            result_writer,
            ..
        } = chunks.0;
        drop(stream_writer);
        // Without this the platform would take the end for a broken one.
        let _ = result_writer.write(Ok(None)).await;
    });
    Ok(response)
}

struct Writer(BodyWriter);

impl ChunkSink for Writer {
    /// One write becomes one chunk: up to 1 MiB on Spin, up to 128 MiB on the host of this project.
    async fn send(&mut self, chunk: Vec<u8>) -> Result<(), Gone> {
        let unsent = self.0.stream_writer.write_all(chunk).await;
        if unsent.is_empty() { Ok(()) } else { Err(Gone) }
    }

    /// A write of no bytes: the platform sends nothing, and says whether the reader is gone, as for every write.
    async fn probe(&mut self) -> Result<(), Gone> {
        let (result, _) = self.0.stream_writer.write(Vec::new()).await;
        if result == StreamResult::Dropped {
            Err(Gone)
        } else {
            Ok(())
        }
    }

    async fn sleep(duration: Duration) {
        time::sleep(duration).await;
    }
}
