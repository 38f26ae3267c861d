//! What an instance is given: WASI, HTTP, and the platform's Redis and variables.

mod redis;
mod variables;

use crate::caller::Caller;
use crate::memory::Memory;
use crate::outbound::AllowedHosts;
use crate::output::Output;
use std::collections::BTreeMap;
use std::sync::Arc;
use wasmtime::component::{GuestTaskId, HasData, Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error as HttpError, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView, p3,
};

#[allow(missing_docs, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "presque:host/platform",
        imports: { default: trappable },
        with: { "spin:redis/redis.connection": super::redis::Connection },
    });
}

/// What one component may do, and its variables. The same for all its instances.
#[derive(Debug)]
pub(crate) struct Grants {
    /// The component's id.
    pub(crate) component: Arc<str>,
    pub(crate) allowed_hosts: AllowedHosts,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) environment: BTreeMap<String, String>,
}

/// The state behind one instance.
pub(crate) struct Platform {
    grants: Arc<Grants>,
    table: ResourceTable,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    hooks: Hooks,
    pub(crate) memory: Memory,
    /// Redis connections that are open now.
    connections: usize,
    /// Whom the tasks serve that are under way, and some that have ended: an id is used again.
    callers: BTreeMap<GuestTaskId, Caller>,
}

impl Platform {
    pub(crate) fn new(grants: Arc<Grants>) -> Self {
        let mut wasi = WasiCtxBuilder::new();
        // What a component prints is for whoever runs it. No file, no socket, no argument is given.
        wasi.stdout(Output::new(grants.component.clone(), "stdout"));
        wasi.stderr(Output::new(grants.component.clone(), "stderr"));
        for (name, value) in &grants.environment {
            wasi.env(name, value);
        }
        Self {
            grants,
            table: ResourceTable::new(),
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            hooks: Hooks,
            memory: Memory::default(),
            connections: 0,
            callers: BTreeMap::new(),
        }
    }

    /// Notes whom a task serves.
    pub(crate) fn serve(&mut self, task: GuestTaskId, caller: Caller) {
        self.callers.insert(task, caller);
    }
}

/// Links all that this host provides. A component that imports anything else fails when it is loaded.
pub(crate) fn add_to_linker(linker: &mut Linker<Platform>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi::p3::add_to_linker(linker)?;
    p3::add_to_linker(linker)?;
    bindings::Platform::add_to_linker::<_, PlatformData>(linker, |platform| platform)
}

/// Says how the interfaces below get at an instance's [`Platform`].
struct PlatformData;

impl HasData for PlatformData {
    type Data<'a> = &'a mut Platform;
}

impl WasiView for Platform {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for Platform {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.hooks,
            table: &mut self.table,
            ctx: &mut self.http,
        }
    }
}

/// The default rules for headers, and no outgoing HTTP: no host is ever allowed for it here.
struct Hooks;

/// What a component writes at once goes out as one chunk up to this size, which a call of a component cannot exceed. Readers
/// of streams take a chunk for a message.
const CHUNK_BYTES: usize = 128 * 1024 * 1024;

type Outgoing = (
    http::Response<WasiBody>,
    Box<dyn Future<Output = Result<(), HttpError>> + Send>,
);

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        _request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _done: Box<dyn Future<Output = Result<(), HttpError>> + Send>,
    ) -> Box<dyn Future<Output = Result<Outgoing, HttpError>> + Send> {
        Box::new(async { Err(HttpError::HttpRequestDenied) })
    }

    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK_BYTES
    }
}
