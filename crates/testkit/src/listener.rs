//! A client that reads an answer chunk by chunk, as it comes: what a chunk is, only the bytes on the wire tell.

use crate::{Host, patiently};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// An answer that is under way. Ends with its value.
pub struct Listener {
    stream: BufReader<TcpStream>,
    /// The lines before the body, in lower case.
    pub head: Vec<String>,
}

impl Listener {
    /// Asks for a path. Returns when the answer's head is there.
    pub async fn open(host: &Host, target: &str, headers: &[(&str, &str)]) -> Self {
        Self::at(host.address(), target, headers).await
    }

    /// The same of what serves at `HOST:PORT`.
    pub async fn at(address: &str, target: &str, headers: &[(&str, &str)]) -> Self {
        let mut stream = TcpStream::connect(address).await.expect("a connection");
        let mut request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        stream.write_all(request.as_bytes()).await.expect("the request is sent");
        let mut listener = Self {
            stream: BufReader::new(stream),
            head: Vec::new(),
        };
        loop {
            match listener.line().await {
                line if line.is_empty() => return listener,
                line => listener.head.push(line.to_lowercase()),
            }
        }
    }

    /// The next chunk, `None` at the proper end.
    pub async fn chunk(&mut self) -> Option<String> {
        let size = self.line().await;
        let size = usize::from_str_radix(&size, 16).unwrap_or_else(|_| panic!("not a chunk's size: {size:?}"));
        let mut chunk = vec![0; size + 2];
        patiently("a chunk", self.stream.read_exact(&mut chunk))
            .await
            .expect("a chunk");
        assert!(chunk.ends_with(b"\r\n"));
        chunk.truncate(size);
        (size > 0).then(|| String::from_utf8(chunk).expect("text"))
    }

    /// So many chunks.
    pub async fn chunks(&mut self, count: usize) -> Vec<String> {
        let mut chunks = Vec::with_capacity(count);
        for _ in 0..count {
            chunks.push(self.chunk().await.expect("more chunks"));
        }
        chunks
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        patiently("a line", self.stream.read_line(&mut line))
            .await
            .expect("a line");
        assert!(line.ends_with("\r\n"), "the answer broke off: {line:?}");
        line.trim_end().to_owned()
    }
}
