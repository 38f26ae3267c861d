//! The binding to the Spin platform. Nothing else knows `spin-sdk`.
//!
//! A component is a few lines: it gives its requests to [`serve`] together with a handler. The deployment sets the
//! component's variables:
//!
//! - `redis_url`: `redis://host[:port]` (or `rediss://`, for TLS), nothing more: a server, or a node of a cluster. Or several, with
//!   commas between. `allowed_outbound_hosts` must have all that may be connected to, so all nodes of a cluster;
//! - `redis_user`, `redis_password`, `redis_database`: empty means the default user, none, and database 0. A user and a
//!   password may have any characters. `redis_user` need not exist;
//! - `redis_wait_replicas`, `redis_wait_timeout_ms`: [`Replication`]; none, and a second, unless they exist;
//! - `max_job_bytes`: [`Limits::max_job_bytes`];
//! - `max_wait_seconds`: [`Limits::max_wait`]; none, unless it exists;
//! - `keys`, `allowed_origins`, `allowed_hosts`: see [`Gate::new`]. Empty: everybody may do everything, no other site's pages
//!   may, and any host's name is right.
//!
//! A component that serves the RestMQ dialect may have more, for each of the [`Access`] groups `rest_producer`,
//! `rest_consumer` and `comet_consumer`: one of the group's name, `user:password`, and `…_hosts_allow` and `…_hosts_deny`.
//! [`Group::new`] says what they mean. A group without them is open.

mod connection;
mod response;
mod stream;

pub use connection::{Connection, Platform};
pub use response::Answer;
pub use stream::serve_comet;

use crate::dialect::restmq::{Access, Group};
use crate::gate::{Attempts, Gate, client_address};
use crate::queue::{Limits, Timestamp};
use crate::store::{Address, Replication, Router, Store};
use crate::web::{self, Response, empty};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri};
use spin_sdk::{time, variables};
use std::cell::RefCell;
use std::io::Write;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime};

/// How long replicas are waited for, in milliseconds, unless the deployment says otherwise.
const DEFAULT_WAIT_MS: u32 = 1000;
const WAIT_MS: RangeInclusive<u32> = 1..=60_000;

/// How many seconds `max_wait_seconds` may be: up to a day.
const MAX_WAIT_SECONDS: RangeInclusive<u64> = 1..=86_400;

/// What handlers work with here.
pub type Context = web::Context<Rc<Router<Platform>>>;

thread_local! {
    /// Made at the instance's first request and shared by all it serves.
    static SETTINGS: RefCell<Option<Rc<Settings>>> = const { RefCell::new(None) };
    /// Who may use RestMQ's routes. Made likewise, in components that serve them.
    static ACCESS: RefCell<Option<Rc<Access>>> = const { RefCell::new(None) };
    static ATTEMPTS: RefCell<Attempts> = RefCell::new(Attempts::default());
    /// Why the deployment's settings cannot be used, as the log was told last.
    static WRONG: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What an instance has for all of its requests.
struct Settings {
    redis: Rc<Router<Platform>>,
    limits: Limits,
    gate: Gate,
}

impl Settings {
    /// Settings with which nothing can be done, where the deployment's cannot be used. The log tells why, beginning with a
    /// variable's name.
    fn closed(why: &str) -> Rc<Self> {
        // They are read again with each request: what is wrong may be a provider that is away. The log needs one line.
        if WRONG.replace(why.to_owned()) != why {
            log(&format!("cannot serve: the component's variable {why}"));
        }
        Rc::new(Self {
            redis: Rc::new(Router::new(Platform::new("redis", "", "", 0), Vec::new(), None)),
            limits: Limits::default(),
            gate: Gate::closed(),
        })
    }
}

/// Responds to a request with a handler of this library.
///
/// The instance's variables are read at its first request, and at each while they cannot be used; and its one Redis connection is opened when it is first
/// needed; later and concurrent requests share both. With variables that cannot be used, handlers get a caller who is
/// denied everything ([`Denied::NotConfigured`](crate::gate::Denied::NotConfigured)), and the component's log has the reason.
pub async fn serve<B, H>(request: Request<B>, handler: H) -> Answer
where
    H: AsyncFnOnce(Request<B>, &Context) -> Response,
{
    let settings = settings().await.unwrap_or_else(|why| Settings::closed(&why));
    respond(&settings, request, handler).await
}

async fn respond<B, H>(settings: &Settings, request: Request<B>, handler: H) -> Answer
where
    H: AsyncFnOnce(Request<B>, &Context) -> Response,
{
    let visit = Visit::enter(settings, &request);
    let mut response = match visit.is_preflight {
        true => empty(StatusCode::NO_CONTENT),
        // On the heap: what is nested any deeper the compiler cannot lay out.
        false => Box::pin(handler(request, &visit.context)).await,
    };
    visit.finish(response.status(), response.headers_mut()).await;
    Answer(response)
}

/// Responds to a request as [`serve`] does, with a handler for routes that RestMQ has too.
pub async fn serve_legacy<B, H>(request: Request<B>, handler: H) -> Answer
where
    H: AsyncFnOnce(Request<B>, &Context, &Access) -> Response,
{
    let (settings, access) = settings_and_access().await;
    respond(&settings, request, async |request, context: &Context| {
        handler(request, context, &access).await
    })
    .await
}

/// A request that has come to the gate.
struct Visit {
    context: Context,
    /// What else was found there: see [`Entry`](crate::gate::Entry).
    headers: Vec<(HeaderName, HeaderValue)>,
    is_preflight: bool,
    is_by_script: bool,
    warning: Option<String>,
    /// Whence it came, where that matters.
    address: Option<IpAddr>,
}

impl Visit {
    fn enter<B>(settings: &Settings, request: &Request<B>) -> Self {
        let entry = settings.gate.enter(request, now);
        Self {
            context: Context {
                store: Store::new(settings.redis.clone()),
                limits: settings.limits,
                caller: entry.caller,
            },
            headers: entry.headers,
            is_preflight: entry.is_preflight,
            is_by_script: entry.is_by_script,
            address: entry.warning.as_ref().and_then(|_| client_address(request.headers())),
            warning: entry.warning,
        }
    }

    /// Adds the gate's headers to a response, tells the log what an operator may want to know, and takes the longer the more
    /// often a client has tried wrong keys.
    async fn finish(&self, status: StatusCode, headers: &mut HeaderMap) {
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        if status == StatusCode::UNAUTHORIZED && self.is_by_script {
            web::drop_basic_challenge(headers);
        }
        if let Some(what) = self.context.caller.audit() {
            log(&format!("audit: {what}: {}", status.as_u16()));
        }
        if let (StatusCode::UNAUTHORIZED, Some(warning)) = (status, &self.warning) {
            let delay = ATTEMPTS.with_borrow_mut(|attempts| attempts.note(self.address, Instant::now()));
            let from = self
                .address
                .map_or_else(|| "an unknown address".to_owned(), |address| address.to_string());
            log(&format!("a request from {from} was refused: {warning}"));
            time::sleep(delay).await;
        }
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Timestamp::from_millis(0).plus(since.unwrap_or_default())
}

async fn settings() -> Result<Rc<Settings>, String> {
    if let Some(settings) = SETTINGS.with_borrow(Clone::clone) {
        return Ok(settings);
    }
    let max_job_bytes = variable("max_job_bytes").await?;
    let max_job_bytes = max_job_bytes
        .parse()
        .ok()
        .filter(|bytes| *bytes <= Limits::MAX_JOB_BYTES)
        .ok_or_else(|| {
            format!("max_job_bytes must be a whole number of bytes up to 67108864, not {max_job_bytes:?}")
        })?;
    let keys = variable("keys").await?;
    let origins = variable("allowed_origins").await?;
    let hosts = variable("allowed_hosts").await?;
    let made = Rc::new(Settings {
        redis: Rc::new(way_to_redis().await?),
        limits: Limits {
            max_job_bytes,
            max_wait: max_wait(&variable_if_any("max_wait_seconds").await?)?,
        },
        gate: Gate::new(&keys, &origins, &hosts)?,
    });
    // Another request may have been faster while this one waited: there is one connection an instance.
    Ok(SETTINGS.with_borrow_mut(|settings| settings.get_or_insert(made).clone()))
}

fn max_wait(seconds: &str) -> Result<Option<Duration>, String> {
    if seconds.is_empty() {
        return Ok(None);
    }
    let number = seconds.parse().ok().filter(|number| MAX_WAIT_SECONDS.contains(number));
    let wrong = || format!("max_wait_seconds must be a whole number of seconds from 1 to 86400, not {seconds:?}");
    Ok(Some(Duration::from_secs(number.ok_or_else(wrong)?)))
}

/// What a component has that serves RestMQ's routes.
async fn settings_and_access() -> (Rc<Settings>, Rc<Access>) {
    let both = async { Ok::<_, String>((settings().await?, access().await?)) };
    both.await
        .unwrap_or_else(|why| (Settings::closed(&why), Rc::new(Access::default())))
}

async fn access() -> Result<Rc<Access>, String> {
    if let Some(access) = ACCESS.with_borrow(Clone::clone) {
        return Ok(access);
    }
    let made = Rc::new(Access {
        producer: group("rest_producer").await?,
        consumer: group("rest_consumer").await?,
        comet: group("comet_consumer").await?,
    });
    Ok(ACCESS.with_borrow_mut(|access| access.get_or_insert(made).clone()))
}

async fn group(name: &str) -> Result<Group, String> {
    let login = variable_if_any(name).await?;
    let allow = variable_if_any(&format!("{name}_hosts_allow")).await?;
    let deny = variable_if_any(&format!("{name}_hosts_deny")).await?;
    Group::new(&login, &allow, &deny).map_err(|error| format!("{name}: {error}"))
}

/// Writes a line to the component's log. One that cannot be written is no reason to panic, as `eprintln` would.
fn log(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

async fn variable(name: &str) -> Result<String, String> {
    let value = variables::get(name).await;
    value.map_err(|error| format!("{name} cannot be read: {error}"))
}

/// A variable that the component need not have: then it is empty.
async fn variable_if_any(name: &str) -> Result<String, String> {
    match variables::get(name).await {
        Err(variables::Error::Undefined(_)) => Ok(String::new()),
        value => value.map_err(|error| format!("{name} cannot be read: {error}")),
    }
}

async fn way_to_redis() -> Result<Router<Platform>, String> {
    let (scheme, seeds) = read_urls(&variable("redis_url").await?)?;
    let user = variable_if_any("redis_user").await?;
    let password = variable("redis_password").await?;
    if !user.is_empty() && password.is_empty() {
        // The platform's client would log in as nobody.
        return Err("redis_user is set and redis_password is not: a user needs a password".to_owned());
    }
    let database: u32 = number("redis_database", 0).await?;
    let replicas: u32 = number("redis_wait_replicas", 0).await?;
    let timeout = number("redis_wait_timeout_ms", DEFAULT_WAIT_MS).await?;
    if !WAIT_MS.contains(&timeout) {
        return Err("redis_wait_timeout_ms must be from 1 to 60000".to_owned());
    }
    let replication = Replication {
        replicas,
        timeout: Duration::from_millis(timeout.into()),
    };
    let platform = Platform::new(scheme, &user, &password, database);
    Ok(Router::new(platform, seeds, (replicas > 0).then_some(replication)))
}

/// A variable that is a whole number; this one where it is empty, or the component has no such variable.
async fn number<N: FromStr>(name: &str, default: N) -> Result<N, String> {
    match variable_if_any(name).await?.as_str() {
        "" => Ok(default),
        text => text
            .parse()
            .map_err(|_| format!("{name} must be a whole number, not {text:?}")),
    }
}

/// The scheme and the servers of `redis_url`.
fn read_urls(urls: &str) -> Result<(&'static str, Vec<Address>), String> {
    let wrong = || {
        "redis_url must be redis://host[:port], without user, password or database; or several such, with commas between, \
         all redis:// or all rediss://"
            .to_owned()
    };
    let (mut scheme, mut seeds) = (None, Vec::new());
    for url in urls.split(',') {
        let uri: Uri = url.trim().parse().map_err(|_| wrong())?;
        let its_scheme = match uri.scheme_str() {
            Some("redis") => "redis",
            Some("rediss") => "rediss",
            _ => return Err(wrong()),
        };
        if *scheme.get_or_insert(its_scheme) != its_scheme || uri.path_and_query().is_some_and(|rest| rest != "/") {
            return Err(wrong());
        }
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        seeds.push(
            authority
                .and_then(|authority| Address::parse(authority.as_str()))
                .ok_or_else(wrong)?,
        );
    }
    Ok((scheme.unwrap_or("redis"), seeds))
}
