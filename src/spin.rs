//! The binding to the Spin platform. Nothing else knows `spin-sdk`.
//!
//! A component is a few lines: it gives its requests to [`serve`] together with a handler. The deployment sets the
//! component's variables:
//!
//! - `redis_url`: `redis://host[:port]`, nothing more, so that it can stand in `allowed_outbound_hosts`;
//! - `redis_password`, `redis_database`: empty means none, and database 0;
//! - `max_job_bytes`: [`Limits::job_bytes`].

use crate::http::{Context, Response, with_body};
use crate::queue::Limits;
use crate::store::{Redis, RedisError, Reply, Store};
use http::{Request, StatusCode, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use spin_sdk::redis::{self, RedisParameter, RedisResult};
use spin_sdk::{time, variables};
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::Write;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// A connection that has been quiet for longer is asked whether it still lives, before it is given a command that
/// must not be sent twice. A busy one is never asked.
const QUIET: Duration = Duration::from_millis(500);

/// How long a request waits before it looks again whether another one has opened the connection.
///
/// It cannot be woken by that other one: the SDK is built without wake-ups between tasks, which would cost every wait
/// of every request a stream. Opening takes less than a millisecond on a local network.
const OPENING_PAUSE: Duration = Duration::from_micros(200);

/// How long opening a connection, or asking whether one lives, may take. Commands have no limit of their own, since a
/// timer for each cost 15 % of the throughput when measured: the platform's `--request-timeout` is for that.
const OPENING_LIMIT: Duration = Duration::from_secs(5);

thread_local! {
    /// Made at the instance's first request and shared by all it serves.
    static CONTEXT: RefCell<Option<Rc<Context<Connection>>>> = const { RefCell::new(None) };
}

/// Answers a request with a handler of this library.
///
/// The instance's variables are read at its first request, and its one Redis connection is opened when it is first
/// needed; later and concurrent requests share both. Variables that cannot be used give a 503, with the reason in the
/// component's log.
pub async fn serve<B, H>(request: Request<B>, handler: H) -> Response
where
    H: AsyncFnOnce(Request<B>, &Context<Connection>) -> Response,
{
    match context().await {
        Ok(context) => handler(request, &context).await,
        Err(why) => {
            log(&format!("cannot serve: {why}"));
            let text = "{\"error\":\"the settings of this server are not usable\"}";
            with_body(StatusCode::SERVICE_UNAVAILABLE, text)
        }
    }
}

async fn context() -> Result<Rc<Context<Connection>>, String> {
    if let Some(context) = CONTEXT.with_borrow(Clone::clone) {
        return Ok(context);
    }
    let url = variable("redis_url").await?;
    let password = variable("redis_password").await?;
    let database = variable("redis_database").await?;
    let job_bytes = variable("max_job_bytes").await?;
    let job_bytes = job_bytes
        .parse()
        .ok()
        .filter(|bytes| *bytes <= Limits::MOST_JOB_BYTES)
        .ok_or_else(|| format!("max_job_bytes must be a whole number of bytes up to 67108864, not {job_bytes:?}"))?;
    let made = Rc::new(Context {
        store: Store::new(Connection::new(address(&url, &password, &database)?)),
        limits: Limits { job_bytes },
    });
    // Another request may have been faster while this one waited: there is one connection an instance.
    Ok(CONTEXT.with_borrow_mut(|context| context.get_or_insert(made).clone()))
}

/// Writes a line to the component's log. One that cannot be written is no reason to panic, as `eprintln` would.
fn log(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

async fn variable(name: &str) -> Result<String, String> {
    let value = variables::get(name).await;
    value.map_err(|error| format!("the component's variable {name} cannot be read: {error}"))
}

/// The address that a connection is opened with. A secret: it holds the password.
fn address(url: &str, password: &str, database: &str) -> Result<String, String> {
    let wrong = || "redis_url must be redis://host[:port], without user, password or database".to_owned();
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let (Some(scheme @ ("redis" | "rediss")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(wrong());
    };
    if authority.as_str().contains('@') || uri.path_and_query().is_some_and(|rest| rest != "/") {
        return Err(wrong());
    }
    let database: u32 = match database {
        "" => 0,
        number => number
            .parse()
            .map_err(|_| format!("redis_database must be a number, not {number:?}"))?,
    };
    let password = match password {
        "" => String::new(),
        password => format!(":{}@", utf8_percent_encode(password, NON_ALPHANUMERIC)),
    };
    Ok(format!("{scheme}://{password}{authority}/{database}"))
}

/// The instance's connection to Redis, opened when first needed and opened again after it broke.
pub struct Connection {
    address: String,
    kept: RefCell<Option<Rc<Kept>>>,
    /// Set while a request opens the connection, so that concurrent ones open one between them.
    opening: Cell<bool>,
}

struct Kept {
    handle: redis::Connection,
    last_reply: Cell<Instant>,
}

impl Connection {
    fn new(address: String) -> Self {
        Self {
            address,
            kept: RefCell::new(None),
            opening: Cell::new(false),
        }
    }

    /// A connection that was alive a moment ago. What fails in here has sent no command, so it is tried twice.
    async fn alive(&self) -> Result<Rc<Kept>, RedisError> {
        let mut result = self.kept_or_opened().await;
        if result.is_err() {
            result = self.kept_or_opened().await;
        }
        result.map_err(|error| RedisError::Unreachable(error.to_string()))
    }

    async fn kept_or_opened(&self) -> Result<Rc<Kept>, redis::Error> {
        if let Some(kept) = self.kept() {
            if kept.last_reply.get().elapsed() > QUIET
                && let Err(error) = within(OPENING_LIMIT, kept.handle.execute("PING", [])).await
            {
                self.forget(&kept);
                return Err(error);
            }
            return Ok(kept);
        }
        if self.opening.get() {
            while self.opening.get() {
                time::sleep(OPENING_PAUSE).await;
            }
            // What failed for one fails for all that waited for it: else each would try in turn.
            return self
                .kept()
                .ok_or_else(|| redis::Error::Other("it could not be opened".into()));
        }
        let _opening = Opening::begin(&self.opening);
        let opened = Rc::new(Kept {
            handle: within(OPENING_LIMIT, redis::Connection::open(&self.address)).await?,
            last_reply: Cell::new(Instant::now()),
        });
        self.kept.replace(Some(opened.clone()));
        Ok(opened)
    }

    fn kept(&self) -> Option<Rc<Kept>> {
        self.kept.borrow().clone()
    }

    /// Drops a broken connection, unless another request has replaced it already.
    fn forget(&self, broken: &Rc<Kept>) {
        self.kept.borrow_mut().take_if(|kept| Rc::ptr_eq(kept, broken));
    }

    async fn run(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        let kept = self.alive().await?;
        let parameters = args.iter().map(|arg| RedisParameter::Binary(arg.to_vec()));
        match kept.handle.execute(name, parameters).await {
            Ok(results) => {
                kept.last_reply.set(Instant::now());
                Ok(results.into_iter().map(Reply::from).collect())
            }
            Err(error) => {
                let error = RedisError::from(error);
                if matches!(error, RedisError::Lost(_)) {
                    self.forget(&kept);
                }
                Err(error)
            }
        }
    }
}

/// The work's result, or an error when it takes longer.
async fn within<T>(limit: Duration, work: impl Future<Output = Result<T, redis::Error>>) -> Result<T, redis::Error> {
    let mut work = pin!(work);
    let mut timer = pin!(time::sleep(limit));
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(result) => Poll::Ready(result),
        Poll::Pending => {
            let late = || Err(redis::Error::Other(format!("no answer within {limit:?}")));
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

impl Redis for Connection {
    async fn command(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        let result = self.run(name, args).await;
        match &result {
            Ok(_) | Err(RedisError::NoScript) => {}
            Err(error) => log(&error.to_string()),
        }
        result
    }
    async fn blocking(&self, name: &str, args: &[&[u8]]) -> Result<Vec<Reply>, RedisError> {
        self.run(name, args).await
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
