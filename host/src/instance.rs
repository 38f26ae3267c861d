//! How instances of a component are made, reused and dropped: as Spin does it.

use crate::caller::Caller;
use crate::flags::Range;
use crate::memory::Memory;
use crate::platform::{Grants, Platform};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use wasmtime::component::GuestTaskId;
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};

/// At most this many instances of one component live at a time.
pub(crate) const MAX_INSTANCES: u32 = 1000;

/// Why no instance is made.
#[derive(Debug)]
pub(crate) struct TooManyInstances;

impl fmt::Display for TooManyInstances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the component has {MAX_INSTANCES} instances, as many as it may have")
    }
}

impl std::error::Error for TooManyInstances {}

/// The clock that interrupts a busy guest ticks this often.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// A request that has not expired in its instance's own event loop by then has an instance that is stuck.
const STUCK: Duration = Duration::from_secs(1);

/// How long instances live. A range is drawn from anew for each instance.
#[derive(Clone, Debug)]
pub(crate) struct Reuse {
    pub(crate) requests: Range<usize>,
    pub(crate) concurrent: Range<usize>,
    pub(crate) idle: Range<Duration>,
    pub(crate) request_timeout: Option<Range<Duration>>,
}

/// What is needed to make instances of one component.
pub(crate) struct Maker {
    pub(crate) component: Arc<str>,
    pub(crate) engine: Engine,
    pub(crate) pre: ProxyPre<Platform>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) reuse: Reuse,
    pub(crate) log_fuel: bool,
    /// Places for instances. Those of one component are no other's.
    pub(crate) places: Arc<Semaphore>,
}

impl HandlerState for Maker {
    type StoreData = Platform;
    type WorkerExpiration = Expiration;
    type WorkerState = Life;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Platform, Expiration, Life>> {
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| wasmtime::Error::new(TooManyInstances))?;
        let mut store = Store::new(&self.engine, Platform::new(self.grants.clone()));
        let memory = store.data().memory.clone();
        store.limiter(|platform| &mut platform.memory);
        // A busy guest gives way to the others at each tick.
        store.set_epoch_deadline(1);
        if self.log_fuel {
            store.set_fuel(u64::MAX)?;
        }
        store.epoch_deadline_async_yield_and_update(1);
        let proxy = self.pre.instantiate_async(&mut store).await?;
        let request_timeout = self.reuse.request_timeout.as_ref().map(Range::<Duration>::draw);
        Ok(Instance {
            store,
            proxy,
            view: Platform::http,
            expiration: Expiration::new(self.reuse.idle.draw(), request_timeout),
            state: Life {
                component: self.component.clone(),
                requests: self.reuse.requests.draw(),
                concurrent: self.reuse.concurrent.draw(),
                request_timeout,
                log_fuel: self.log_fuel,
                memory,
                _place: place,
            },
        })
    }
}

/// What one instance takes on.
pub(crate) struct Life {
    component: Arc<str>,
    requests: usize,
    concurrent: usize,
    request_timeout: Option<Duration>,
    log_fuel: bool,
    memory: Memory,
    _place: OwnedSemaphorePermit,
}

impl WorkerState for Life {
    type StoreData = Platform;
    type RequestData = Caller;

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.requests || self.memory.is_large() {
            ShouldAccept::Never
        } else if concurrent >= self.concurrent {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        mut store: StoreContextMut<'_, Platform>,
        caller: Caller,
        task: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        store.data_mut().serve(task, caller);
        if self.log_fuel
            && let Ok(fuel) = store.get_fuel()
        {
            let memory = self.memory.bytes();
            tracing::info!(component = &*self.component, memory, fuel, "request begins");
        }
        match self.request_timeout {
            Some(timeout) => Box::pin(tokio::time::sleep(timeout)),
            None => Box::pin(std::future::pending()),
        }
    }

    fn drop(&self, store: Store<Platform>, result: wasmtime::Result<()>) {
        if self.log_fuel
            && let Ok(fuel) = store.get_fuel()
        {
            tracing::info!(component = &*self.component, fuel, "an instance ended");
        }
        if let Err(error) = result {
            let component = &*self.component;
            // Its first cause is a line. What stands before that is the way there.
            tracing::error!(component, "an instance ended: {}", error.root_cause());
            tracing::debug!(component, "an instance ended: {error:?}");
        }
    }
}

/// When an instance is dropped: idle for too long, stuck in a request, or not done with what came after.
pub(crate) struct Expiration {
    idle: Duration,
    request: Option<Duration>,
    timer: Pin<Box<Sleep>>,
}

impl Expiration {
    fn new(idle: Duration, request: Option<Duration>) -> Self {
        Self {
            idle,
            request,
            timer: Box::pin(tokio::time::sleep(idle)),
        }
    }
}

impl WorkerExpiration for Expiration {
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>, status: WorkerStatus, start: Instant) -> Poll<()> {
        let this = self.get_mut();
        let allowed = match status {
            WorkerStatus::Idle => Some(this.idle),
            WorkerStatus::Requests => this.request.map(|timeout| timeout + STUCK),
            // Streams, and a request that was answered for its component. As in Spin they have as long again.
            WorkerStatus::PostReturn => this.request,
        };
        let Some(end) = allowed.and_then(|allowed| start.checked_add(allowed)) else {
            return Poll::Pending;
        };
        let end = tokio::time::Instant::from_std(end);
        if this.timer.deadline() != end {
            this.timer.as_mut().reset(end);
        }
        this.timer.as_mut().poll(cx)
    }
}
