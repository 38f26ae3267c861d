//! The instance's connections to Redis.

use super::log;
use crate::store::{Address, Command, Connector, Node, RedisError, Reply, Unavailable};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use spin_sdk::redis::{self, RedisParameter, RedisResult};
use spin_sdk::time;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// A connection that has been quiet for longer is asked whether it still lives, before it is given a command that
/// must not be sent twice. A busy one is never asked.
const PING_AFTER_IDLE: Duration = Duration::from_millis(500);

/// How long a request waits before it checks again whether another one has opened the connection.
///
/// It cannot be woken by that other one: the SDK is built without wake-ups between tasks, which would cost every wait
/// of every request a stream. Opening takes less than a millisecond on a local network.
const OPENING_PAUSE: Duration = Duration::from_micros(200);

/// How long opening a connection, or asking whether one lives, may take. Other commands have no limit of their own, since a
/// timer for each cost 15 % of the throughput when measured: the platform's `--request-timeout` is for that.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A command that blocks may answer so much later than it was asked to.
const BLOCKING_GRACE: Duration = Duration::from_secs(2);

/// How many connections for commands that block are kept when nobody uses them.
const MAX_IDLE: usize = 16;

/// The instance's way to one server: one connection that all requests share, and one for each command that blocks, or that must stand
/// behind another. Each is opened when it is first needed, and opened again after it broke, or led to a server that is not the right
/// one any more.
pub struct Connection {
    server: Address,
    /// With the login. A secret.
    address: String,
    shared: RefCell<Option<Rc<Open>>>,
    /// Connections of commands of their own, which none uses now.
    idle: RefCell<Vec<Open>>,
    /// Set while a request opens the connection, so that concurrent ones open one between them.
    opening: Cell<bool>,
}

/// An open connection.
struct Open {
    handle: redis::Connection,
    last_reply: Cell<Instant>,
}

impl Open {
    fn new(handle: redis::Connection) -> Self {
        Self {
            handle,
            last_reply: Cell::new(Instant::now()),
        }
    }

    async fn execute(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        let parameters = args.iter().map(|arg| RedisParameter::Binary(arg.to_vec()));
        let results = self.handle.execute(name, parameters).await?;
        self.last_reply.set(Instant::now());
        Ok(results.into_iter().map(Reply::from).collect())
    }

    /// Asks whether it still lives, where it was quiet.
    async fn check(&self) -> Result<(), RedisError> {
        if self.last_reply.get().elapsed() <= PING_AFTER_IDLE {
            return Ok(());
        }
        match with_timeout(CONNECT_TIMEOUT, self.execute("PING", &[])).await {
            // To be told that one may not ask is an answer, too.
            Ok(_) | Err(RedisError::Forbidden(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Connects to the servers of a deployment.
pub struct Platform {
    /// What stands in an address before the server, and behind it. A secret: it holds the password.
    login: [String; 2],
}

impl Platform {
    /// `scheme` is `redis` or `rediss`. The platform's client wants a password where there is a user.
    pub(super) fn new(scheme: &str, user: &str, password: &str, database: u32) -> Self {
        let escaped = |text| utf8_percent_encode(text, NON_ALPHANUMERIC);
        let login = match (user, password) {
            ("", "") => format!("{scheme}://"),
            (user, password) => format!("{scheme}://{}:{}@", escaped(user), escaped(password)),
        };
        Self {
            login: [login, format!("/{database}")],
        }
    }
}

impl Connector for Platform {
    type Node = Connection;

    fn node(&self, address: &Address) -> Connection {
        let [before, behind] = &self.login;
        Connection::new(address, format!("{before}{address}{behind}"))
    }

    async fn pause(&self, duration: Duration) {
        time::sleep(duration).await;
    }

    fn log(&self, line: &str) {
        log(line);
    }
}

impl Connection {
    fn new(server: &Address, address: String) -> Self {
        Self {
            server: server.clone(),
            address,
            shared: RefCell::new(None),
            idle: RefCell::new(Vec::new()),
            opening: Cell::new(false),
        }
    }

    /// A connection that was alive a moment ago. What fails in here has sent no command, so it is tried twice.
    async fn checked(&self) -> Result<Rc<Open>, RedisError> {
        let mut result = self.get_or_open().await;
        if result.is_err() {
            result = self.get_or_open().await;
        }
        result.map_err(RedisError::without_effect)
    }

    async fn get_or_open(&self) -> Result<Rc<Open>, RedisError> {
        if let Some(shared) = self.shared() {
            return match shared.check().await {
                Ok(()) => Ok(shared),
                Err(error) => {
                    self.forget(&shared);
                    Err(error)
                }
            };
        }
        if self.opening.get() {
            while self.opening.get() {
                time::sleep(OPENING_PAUSE).await;
            }
            // What failed for one fails for all that waited for it: else each would try in turn.
            return self
                .shared()
                .ok_or_else(|| RedisError::Unreachable("it could not be opened".into()));
        }
        let _opening = Opening::begin(&self.opening);
        let opened = Rc::new(self.open().await?);
        self.shared.replace(Some(opened.clone()));
        Ok(opened)
    }

    async fn open(&self) -> Result<Open, RedisError> {
        let opening = async {
            match redis::Connection::open(&self.address).await {
                Ok(handle) => Ok(Open::new(handle)),
                Err(redis::Error::InvalidAddress) => Err(RedisError::Unreachable(format!(
                    "components may not connect to {}: redis_nodes must match it",
                    self.server
                ))),
                Err(error) => Err(error.into()),
            }
        };
        with_timeout(CONNECT_TIMEOUT, opening).await
    }

    /// Opens a connection for commands that block, unless the server has few slots left: those are for the connections that
    /// requests share, without which nothing works.
    async fn open_blocking(&self) -> Result<Open, RedisError> {
        let connection = self.open().await?;
        let info = with_timeout(CONNECT_TIMEOUT, connection.execute("INFO", &[b"clients"])).await;
        match info {
            Ok(info) if has_few_slots(&info) => {
                let text = "what is left is kept for requests that do not wait".to_owned();
                Err(RedisError::Unavailable(Unavailable::TooManyClients, text))
            }
            Err(error) if error.asks_for_new_connection() => Err(error),
            // A user who may not ask, or a server that does not say, has no such limit here.
            Ok(_) | Err(_) => Ok(connection),
        }
    }

    fn shared(&self) -> Option<Rc<Open>> {
        self.shared.borrow().clone()
    }

    /// Drops a connection that should not be used again, unless another request has replaced it already.
    fn forget(&self, broken: &Rc<Open>) {
        self.shared.borrow_mut().take_if(|shared| Rc::ptr_eq(shared, broken));
    }

    /// Runs a command on a connection of its own: one that is idle, or a new one.
    ///
    /// The connection is kept when the reply is there. When the request ends before that it is dropped with it, and with
    /// the command that still blocks it.
    async fn run_blocking(&self, name: &str, args: &[&[u8]], max_wait: Duration) -> Result<Vec<Reply>, RedisError> {
        let idle = self.idle.borrow_mut().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => self.open_blocking().await.map_err(RedisError::without_effect)?,
        };
        // A connection can fall silent without breaking, where a network forgets it.
        let result = with_timeout(max_wait + BLOCKING_GRACE, connection.execute(name, args)).await;
        self.keep(connection, &result);
        result
    }

    /// A connection that no other command uses, and that was alive a moment ago.
    async fn idle_or_new(&self) -> Result<Open, RedisError> {
        let idle = self.idle.borrow_mut().pop();
        if let Some(connection) = idle {
            match connection.check().await {
                Ok(()) => return Ok(connection),
                Err(_) => self.idle.borrow_mut().clear(),
            }
        }
        self.open().await.map_err(RedisError::without_effect)
    }

    /// Keeps a connection of its own for another command, unless it broke.
    fn keep(&self, connection: Open, result: &Result<Vec<Reply>, RedisError>) {
        let mut idle = self.idle.borrow_mut();
        match result {
            // What broke one has broken the others too, most likely. The shared one is asked when it is used; but one that leads to the
            // wrong server answers.
            Err(error) if error.asks_for_new_connection() => {
                idle.clear();
                if matches!(error, RedisError::Unavailable(..)) {
                    self.shared.take();
                }
            }
            // The command still blocks it.
            Err(RedisError::Interrupted) => {}
            _ if idle.len() < MAX_IDLE => idle.push(connection),
            _ => {}
        }
    }
}

/// Whether fewer than an eighth of the connections that a server allows are free, by its `INFO clients`.
fn has_few_slots(info: &[Reply]) -> bool {
    let [Reply::Bytes(info)] = info else { return false };
    let number = |name: &str| {
        let lines = str::from_utf8(info).ok()?.lines();
        let value = lines.filter_map(|line| line.strip_prefix(name)).next()?;
        value.parse::<u64>().ok()
    };
    let (used, allowed) = (number("connected_clients:"), number("maxclients:"));
    used.zip(allowed)
        .is_some_and(|(used, allowed)| (allowed - used.min(allowed)) * 8 < allowed)
}

/// The work's result, or an error when it takes longer.
async fn with_timeout<T, E: From<redis::Error>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let mut work = pin!(work);
    let mut timer = pin!(time::sleep(limit));
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(result),
        Poll::Pending => {
            let late = || Err(redis::Error::Other(format!("no answer within {limit:?}")).into());
            timer.as_mut().poll(cx).map(|()| late())
        }
    })
    .await
}

/// Marks that a connection is being opened, until it is dropped.
struct Opening<'a>(&'a Cell<bool>);

impl<'a> Opening<'a> {
    fn begin(mark: &'a Cell<bool>) -> Self {
        mark.set(true);
        Self(mark)
    }
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Node for Connection {
    async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        let shared = self.checked().await?;
        let result = shared.execute(name, args).await;
        if result.as_ref().is_err_and(RedisError::asks_for_new_connection) {
            self.forget(&shared);
            self.idle.borrow_mut().clear();
        }
        result
    }

    async fn in_a_row(&self, commands: &[Command<'_>]) -> Vec<Result<Vec<Reply>, RedisError>> {
        let connection = match self.idle_or_new().await {
            Ok(connection) => connection,
            Err(error) => return vec![Err(error)],
        };
        let mut results = Vec::with_capacity(commands.len());
        for (name, args) in commands {
            let result = connection.execute(name, args).await;
            let has_failed = result.is_err();
            results.push(result);
            if has_failed {
                break;
            }
        }
        if let Some(last) = results.last() {
            self.keep(connection, last);
        }
        results
    }

    /// What blocks here is a wait for a token that wakes, which may be sent again without harm: a connection that broke
    /// while it was idle is only found out by sending.
    async fn blocking(&self, name: &str, args: &[&[u8]], max_wait: Duration) -> Result<Vec<Reply>, RedisError> {
        let start = Instant::now();
        let mut result = self.run_blocking(name, args, max_wait).await;
        let broke_early = start.elapsed() < max_wait;
        let may_go_better =
            |error: &RedisError| matches!(error, RedisError::Unreachable(_)) || error.asks_for_new_connection();
        if broke_early && result.as_ref().is_err_and(may_go_better) {
            result = self.run_blocking(name, args, max_wait).await;
        }
        result
    }
}

impl From<RedisResult> for Reply {
    fn from(result: RedisResult) -> Self {
        match result {
            RedisResult::Nil => Self::Nil,
            RedisResult::Status(status) => Self::Status(status),
            RedisResult::Int64(number) => Self::Int(number),
            RedisResult::Binary(bytes) => Self::Bytes(bytes),
        }
    }
}

impl From<redis::Error> for RedisError {
    fn from(error: redis::Error) -> Self {
        match error {
            redis::Error::Other(text) => Self::from_text(text),
            error => Self::Unexpected(error.to_string()),
        }
    }
}
