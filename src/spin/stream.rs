//! Answers that go on, over the platform's streams.

use super::{Connection, context, log};
use crate::web::{Answer, Chunks, Context, Gone, Stream};
use http::Request;
use spin_sdk::http::IntoResponse;
use spin_sdk::time;
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Response};
use spin_sdk::wasip3::http_compat::BodyWriter;
use spin_sdk::wasip3::wit_bindgen::{StreamResult, spawn};
use std::rc::Rc;
use std::time::Duration;

/// Answers a request as [`serve`](super::serve) does, with a handler whose answer may go on.
///
/// # Errors
/// The platform's, when it refuses the answer's head. It then answers 500 itself.
pub async fn serve_stream<B, H, S>(request: Request<B>, handler: H) -> Result<Response, ErrorCode>
where
    H: AsyncFnOnce(Request<B>, &Context<Connection>) -> Answer<S>,
    S: Stream + 'static,
{
    let context = match context().await {
        Ok(context) => context,
        Err(why) => return super::not_usable(&why).into_response(),
    };
    match handler(request, &context).await {
        Answer::Whole(response) => response.into_response(),
        Answer::Stream(head, stream) => go_on(head, stream, context),
    }
}

/// Begins the answer. The rest is a task of its own, which lives for as long as somebody reads, and a little longer.
fn go_on<S: Stream + 'static>(
    head: http::Response<()>,
    stream: S,
    context: Rc<Context<Connection>>,
) -> Result<Response, ErrorCode> {
    let headers = head
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    let headers = Fields::from_list(&headers.collect::<Vec<_>>())
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let (body, contents, trailers) = BodyWriter::new();
    let (response, _sent) = Response::new(headers, Some(contents), trailers);
    if response.set_status_code(head.status().as_u16()).is_err() {
        log("a status that the platform does not know");
    }
    spawn(async move {
        let mut chunks = Writer(body);
        stream.run(&context, &mut chunks).await;
        let BodyWriter {
            stream_writer,
            result_writer,
            ..
        } = chunks.0;
        drop(stream_writer);
        // Without this word the platform would take the end for a broken one.
        let _ = result_writer.write(Ok(None)).await;
    });
    Ok(response)
}

struct Writer(BodyWriter);

impl Chunks for Writer {
    /// One write, which the platform makes one chunk: Spin up to a mebibyte, the host of this project up to 128.
    async fn send(&mut self, chunk: Vec<u8>) -> Result<(), Gone> {
        let unsent = self.0.stream_writer.write_all(chunk).await;
        if unsent.is_empty() { Ok(()) } else { Err(Gone) }
    }

    /// A write of no bytes: the platform tells of it what it tells of every write, and sends nothing.
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
