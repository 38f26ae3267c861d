//! A response without an end.

use bytes::Bytes;
use futures_util::stream;
use http_body::{Body, Frame};
use http_body_util::StreamBody;
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
