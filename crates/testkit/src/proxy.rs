//! A proxy before Redis, or before a host, that cuts connections where a network would.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What becomes of the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cut {
    /// All of it is carried.
    Nothing,
    /// What is asked reaches the server, and the connection breaks when the server has answered.
    Replies,
}

/// A proxy before one server. Ends with its value.
pub struct Proxy {
    port: u16,
    server: Arc<AtomicU16>,
    cut: Arc<AtomicU8>,
    /// Counts up to break all connections there are.
    drops: watch::Sender<u64>,
    /// Counts up to let all connections there are fall silent.
    silences: watch::Sender<u64>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// A proxy before the server on this port of 127.0.0.1.
    pub async fn before(server_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let cut = Arc::new(AtomicU8::new(Cut::Nothing as u8));
        let ((drops, _), (silences, _)) = (watch::channel(0), watch::channel(0));
        let (cutting, dropping, silencing) = (cut.clone(), drops.clone(), silences.clone());
        let server = Arc::new(AtomicU16::new(server_port));
        let serving = server.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // While there is no server, connections end at once.
                let port = serving.load(Ordering::SeqCst);
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else {
                    continue;
                };
                let cut = cutting.clone();
                let (mut dropped, mut silenced) = (dropping.subscribe(), silencing.subscribe());
                tokio::spawn(async move {
                    let mut carrying = std::pin::pin!(carry(client, server, cut));
                    tokio::select! {
                        _ = &mut carrying => return,
                        _ = dropped.changed() => return,
                        _ = silenced.changed() => {}
                    }
                    // It is still open, and nothing comes through any more.
                    let _ = dropped.changed().await;
                });
            }
        });
        Self {
            port,
            server,
            cut,
            drops,
            silences,
            task,
        }
    }

    /// Its own address, where the server is a Redis.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its own port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// New connections go to another server from now on.
    pub fn lead_to(&self, server_port: u16) {
        self.server.store(server_port, Ordering::SeqCst);
    }

    /// Cuts this, from now on.
    pub fn cut(&self, what: Cut) {
        self.cut.store(what as u8, Ordering::SeqCst);
    }

    /// Lets every connection there is fall silent, as a network does that forgets them. New ones are carried.
    pub fn silence_connections(&self) {
        self.silences.send_modify(|count| *count += 1);
    }

    /// Breaks every connection there is.
    pub fn drop_connections(&self) {
        self.drops.send_modify(|count| *count += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Carries bytes both ways until one side ends, or a reply is to be cut off.
async fn carry(mut client: TcpStream, mut server: TcpStream, cut: Arc<AtomicU8>) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = client.split();
    let (mut from_server, mut to_server) = server.split();
    let up = tokio::io::copy(&mut from_client, &mut to_server);
    let down = async {
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = from_server.read(&mut buffer).await?;
            if count == 0 || cut.load(Ordering::SeqCst) == Cut::Replies as u8 {
                return Ok(());
            }
            to_client.write_all(&buffer[..count]).await?;
        }
    };
    tokio::select! {
        result = up => result.map(drop),
        result = down => result,
    }
}
