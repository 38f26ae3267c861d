//! How much memory an instance has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use wasmtime::ResourceLimiter;

/// An instance with more memory than this serves no further request. The memory of an instance never shrinks, so one large
/// body would stay with it for as long as it lives.
const MAX_KEPT: usize = 4 * 1024 * 1024;

/// How many bytes of memory an instance has. Clones count the same instance.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(Arc<AtomicUsize>);

impl Memory {
    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// Whether it is so much that the instance should end.
    pub(crate) fn is_large(&self) -> bool {
        self.bytes() > MAX_KEPT
    }
}

/// Limits nothing: it is told when the memory grows.
impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.0.fetch_add(desired.saturating_sub(current), Relaxed);
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}
