//! An HTTP client with one connection.

use super::patiently;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A connection, which is closed when this and the responses are dropped.
pub(crate) struct Client {
    sender: SendRequest<Body>,
    address: String,
}

/// A response that has been read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

pub(crate) fn empty() -> Body {
    Empty::new().boxed_unsync()
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed_unsync()
}

/// A body that is sent piece by piece, and ends when the sender is dropped.
pub(crate) fn sender() -> (mpsc::UnboundedSender<&'static str>, Body) {
    let (sender, receiver) = mpsc::unbounded_channel::<&'static str>();
    let pieces = futures_util::stream::unfold(receiver, |mut receiver| async {
        let piece = receiver.recv().await?;
        Some((Ok(Frame::data(Bytes::from_static(piece.as_bytes()))), receiver))
    });
    (sender, StreamBody::new(pieces).boxed_unsync())
}

impl Client {
    pub(super) async fn connect(address: &str) -> Self {
        let connecting = async {
            let stream = TcpStream::connect(address).await.unwrap();
            // A piece of a body must not wait for the one before it to be acknowledged.
            stream.set_nodelay(true).unwrap();
            handshake(TokioIo::new(stream)).await.unwrap()
        };
        let (sender, connection) = patiently("a connection", connecting).await;
        // Its error comes to the request, too.
        tokio::spawn(connection);
        Self {
            sender,
            address: address.to_owned(),
        }
    }

    /// Sends a request and waits for the head of its response.
    pub(crate) async fn send(&mut self, method: &str, path: &str, body: Body) -> hyper::Result<Response<Incoming>> {
        self.send_with(method, path, &[], body).await
    }

    pub(crate) async fn send_with(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> hyper::Result<Response<Incoming>> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("host", &self.address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).unwrap();
        let what = format!("a response to {method} {path}");
        let exchange = async {
            self.sender.ready().await?;
            self.sender.send_request(request).await
        };
        patiently(&what, exchange).await
    }

    /// Sends a request and reads the response to its end.
    pub(crate) async fn ask(&mut self, method: &str, path: &str, body: Body) -> Answer {
        Answer::read(self.send(method, path, body).await.unwrap()).await
    }
}

impl Answer {
    pub(crate) async fn read(response: Response<Incoming>) -> Self {
        let (parts, body) = response.into_parts();
        let body = patiently("the end of a body", body.collect()).await.unwrap();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_bytes().into()).unwrap(),
        }
    }
}
