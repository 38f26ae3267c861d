//! A Redis server for one test.

use presque_host::redis_server::RedisServer;
use redis::{Client, Cmd, Connection, FromRedisValue};
use tempfile::TempDir;

/// A server, and a connection to it.
pub(crate) struct Redis {
    // Before its folder: fields are dropped in this order.
    server: RedisServer,
    connection: Connection,
    _dir: TempDir,
}

impl Redis {
    pub(crate) fn start() -> Self {
        let dir = TempDir::with_prefix("presque-host-test-").unwrap();
        let server = RedisServer::start(dir.path()).unwrap();
        let connection = Client::open(server.url()).unwrap().get_connection().unwrap();
        Self {
            server,
            connection,
            _dir: dir,
        }
    }

    /// `redis://HOST:PORT`.
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// The variable that names it.
    pub(crate) fn variable(&self) -> String {
        format!("redis_url={}", self.url())
    }

    pub(crate) fn run<T: FromRedisValue>(&mut self, command: &[&str]) -> T {
        let mut cmd = Cmd::new();
        cmd.arg(command);
        cmd.query(&mut self.connection).unwrap()
    }

    /// How many connections there are besides this one.
    pub(crate) fn others(&mut self) -> usize {
        let all: String = self.run(&["CLIENT", "LIST"]);
        all.lines().count() - 1
    }
}
