//! An HTTP client with one connection, and no more than the benchmark needs: it shares the cores with what it measures.

use anyhow::Result;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::cell::Cell;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::net::TcpStream;
use tokio_util::io::{InspectReader, InspectWriter};

/// A connection that is kept.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
    traffic: Rc<Cell<Traffic>>,
}

/// How many bytes went over a connection, with heads.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let traffic = Rc::new(Cell::new(Traffic::default()));
        let counter = |count: fn(&mut Traffic, u64)| {
            let traffic = traffic.clone();
            move |bytes: &[u8]| {
                let mut sum = traffic.get();
                count(&mut sum, bytes.len() as u64);
                traffic.set(sum);
            }
        };
        let stream = InspectWriter::new(stream, counter(|traffic, bytes| traffic.sent += bytes));
        let stream = InspectReader::new(stream, counter(|traffic, bytes| traffic.received += bytes));
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        // Its errors are those of the requests on it.
        tokio::task::spawn_local(connection);
        Ok(Self {
            sender,
            host: address.to_string().parse()?,
            traffic,
        })
    }

    /// What went over it until now.
    pub(crate) fn traffic(&self) -> Traffic {
        self.traffic.get()
    }

    /// Sends one request, and reads its whole response.
    pub(crate) async fn send(&mut self, method: Method, target: &str, body: Bytes) -> Result<(StatusCode, Bytes)> {
        let (head, body) = self.open_response(method, target, body).await?.into_parts();
        Ok((head.status, body.collect().await?.to_bytes()))
    }

    /// Sends one request, and returns when the head of its response is there.
    pub(crate) async fn open_response(
        &mut self,
        method: Method,
        target: &str,
        body: Bytes,
    ) -> Result<http::Response<Incoming>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = target.parse()?;
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.sender.ready().await?;
        Ok(self.sender.send_request(request).await?)
    }
}
