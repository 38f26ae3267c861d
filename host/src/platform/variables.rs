//! `spin:variables`: the variables that the manifest maps to this component.

use super::bindings::spin::variables::variables::{Error, Host, HostWithStore};
use super::{Platform, PlatformData};
use wasmtime::component::Accessor;

impl Host for &mut Platform {}

impl<T> HostWithStore<T> for PlatformData {
    async fn get(accessor: &Accessor<T, Self>, name: String) -> wasmtime::Result<Result<String, Error>> {
        Ok(accessor.with(|mut access| {
            let variables = &access.get().grants.variables;
            variables.get(&name).cloned().ok_or(Error::Undefined(name))
        }))
    }
}
