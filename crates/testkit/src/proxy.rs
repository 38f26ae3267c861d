//! A proxy before Redis, or before a host, that cuts connections where a network would.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU16, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// What becomes of the traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cut {
    /// All of it is carried.
    Nothing,
    /// What is asked reaches the server, and the connection breaks when the server has answered.
    Replies,
}

/// A proxy before one server. It runs on a thread of its own: a test that blocks, as while a host starts, does not stop it.
/// Ends with its value.
pub struct Proxy {
    port: u16,
    server: Arc<AtomicU16>,
    cut: Arc<AtomicU8>,
    orders: mpsc::UnboundedSender<Order>,
}

/// What is done to every connection there is.
enum Order {
    /// It breaks. The sender is dropped when all of them are closed.
    Drop(std::sync::mpsc::Sender<()>),
    /// It stays open, and nothing comes through any more.
    Silence,
}

impl Proxy {
    /// A proxy before the server on this port of 127.0.0.1.
    pub fn before(server_port: u16) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a socket that does not block");
        let port = listener.local_addr().expect("an address").port();
        let cut = Arc::new(AtomicU8::new(Cut::Nothing as u8));
        let server = Arc::new(AtomicU16::new(server_port));
        let (orders, received) = mpsc::unbounded_channel();
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let serving = serve(listener, server.clone(), cut.clone(), received);
        std::thread::spawn(move || runtime.block_on(serving));
        Self {
            port,
            server,
            cut,
            orders,
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
        self.orders.send(Order::Silence).expect("the proxy runs");
    }

    /// Breaks every connection there is, and returns when they are closed.
    pub fn drop_connections(&self) {
        let (sender, closed) = std::sync::mpsc::channel();
        self.orders.send(Order::Drop(sender)).expect("the proxy runs");
        closed.recv().expect_err("the sender is dropped");
    }
}

/// Carries connections until nobody can give orders any more.
async fn serve(
    listener: std::net::TcpListener,
    server: Arc<AtomicU16>,
    cut: Arc<AtomicU8>,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let listener = TcpListener::from_std(listener).expect("a listener");
    let silences = watch::Sender::new(());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.expect("a connection");
                let (cut, port, mut silenced) = (cut.clone(), server.load(Ordering::SeqCst), silences.subscribe());
                connections.spawn(async move {
                    // While there is no server, connections end at once.
                    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else {
                        return;
                    };
                    let mut carrying = std::pin::pin!(carry(client, server, cut));
                    tokio::select! {
                        _ = &mut carrying => return,
                        _ = silenced.changed() => {}
                    }
                    // Both ends stay open.
                    std::future::pending().await
                });
            }
            order = orders.recv() => match order {
                Some(Order::Drop(_closed)) => connections.shutdown().await,
                Some(Order::Silence) => silences.send_replace(()),
                None => return,
            }
        }
        // Those that have ended are not kept.
        while connections.try_join_next().is_some() {}
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
