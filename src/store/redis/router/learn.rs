//! Learning where slots are.

use super::route::Target;
use super::slots::Slots;
use super::{Address, Connector, Node, Router, State};
use crate::store::redis::RedisError;
use futures_util::future::{Either, select};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// How long a request waits before it checks again whether another one has learned the map of slots.
const LEARNING_PAUSE: Duration = Duration::from_micros(500);

/// How long a node may take to tell where slots are. One that is paused accepts the question and says nothing.
const PATIENCE: Duration = Duration::from_secs(2);

impl<C: Connector> Router<C> {
    /// Learns where slots are, unless another request has since this target was chosen. `owner` is said to have a slot. The target, which may
    /// be away, is asked last.
    pub(super) async fn learn(&self, owner: Option<&Address>, target: &Target) {
        let is_newer = |state: &State<C::Node>| match (&state.slots, &target.slots) {
            (Some(slots), Some(used)) => !Arc::ptr_eq(slots, used),
            (slots, _) => slots.is_some(),
        };
        let (is_first, known) = {
            let mut state = self.state();
            if is_newer(&state) {
                return;
            }
            (!std::mem::replace(&mut state.is_learning, true), state.slots.clone())
        };
        if !is_first {
            while self.state().is_learning {
                self.connector.pause(LEARNING_PAUSE).await;
            }
            return;
        }
        let _learning = Learning(self);
        let primaries = known.iter().flat_map(|slots| slots.primaries());
        let others = primaries
            .chain(&self.seeds)
            .filter(|address| **address != target.address);
        for address in owner.into_iter().chain(others).chain([&target.address]) {
            let node = self.node(address);
            let (asked, late) = (
                pin!(node.command("CLUSTER", &[b"SLOTS"])),
                pin!(self.connector.pause(PATIENCE)),
            );
            let Either::Left((reply, _)) = select(asked, late).await else {
                continue;
            };
            match reply.map(|reply| Slots::read(&reply, address)) {
                Ok(Some(slots)) => {
                    self.use_slots(slots);
                    return;
                }
                // Without the map each command asks its way.
                Err(error @ (RedisError::Forbidden(_) | RedisError::Refused(_))) => {
                    self.connector.log(&error.to_string());
                }
                Ok(None) | Err(_) => {}
            }
        }
    }

    fn use_slots(&self, slots: Slots) {
        let mut state = self.state();
        let primaries = slots.primaries();
        // What was a primary may be away for good.
        state.nodes.retain(|(address, _)| primaries.contains(&address));
        state.only_server = None;
        state.slots = Some(Arc::new(slots));
    }
}

/// Marks that the map is being learned, until it is dropped.
struct Learning<'a, C: Connector>(&'a Router<C>);

impl<C: Connector> Drop for Learning<'_, C> {
    fn drop(&mut self) {
        self.0.state().is_learning = false;
    }
}
