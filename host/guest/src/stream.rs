//! A response without an end.

use bytes::Bytes;
use futures_util::stream;
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use spin_sdk::wasip3::http::types;
use spin_sdk::wasip3::http_compat::BodyWriter;
use spin_sdk::wasip3::wit_bindgen::StreamResult;
use std::time::Duration;

/// `tick` and a line end every 10 ms. Says on stderr when nobody reads it any more.
pub(crate) fn ticks() -> impl Body<Data = Bytes, Error = anyhow::Error> {
    StreamBody::new(stream::unfold(Reported, |reported| async {
        spin_sdk::time::sleep(Duration::from_millis(10)).await;
        Some((Ok(Frame::data(Bytes::from_static(b"tick\n"))), reported))
    }))
}

/// Reports its end.
struct Reported;

impl Drop for Reported {
    fn drop(&mut self) {
        crate::say("the reader is gone");
    }
}

/// Says `hello` and a line end, and then only asks whether anybody reads it: with writes of no bytes. Says on stderr when
/// nobody does any more, and that it went on after that.
pub(crate) fn probed() -> types::Response {
    let (mut body, contents, trailers) = BodyWriter::new();
    let (response, _) = types::Response::new(types::Headers::new(), Some(contents), trailers);
    spin_sdk::wasip3::wit_bindgen::spawn(async move {
        body.stream_writer.write_all(b"hello\n".to_vec()).await;
        while body.stream_writer.write(Vec::new()).await.0 != StreamResult::Dropped {
            spin_sdk::time::sleep(Duration::from_millis(10)).await;
        }
        crate::say("the reader is gone");
        spin_sdk::time::sleep(Duration::from_millis(10)).await;
        crate::say("and what follows was done");
    });
    response
}
