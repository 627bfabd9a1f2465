//! A grayscale policy as wasmtime alone would run it: typed calls from instances of a pool, and no limit, log or deadline.

#![allow(clippy::all, reason = "generated in part")]

use berth_judge::builtin::Builtin;
use berth_model::policy::{GrayDevice, GrayTask};
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
    component::{Component, HasSelf, Linker},
};

use wit::{
    GrayscalePre,
    exports::berth::policy::gray::{Attribute, Device, Task, Verdict},
};

#[allow(missing_docs, reason = "generated")]
mod wit {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "berth:policy/grayscale",
        ownership: Borrowing { duplicate_if_necessary: false },
    });
}

/// A host that has no lists, and keeps no log.
struct Nobody;

impl wit::berth::policy::log::Host for Nobody {
    fn write(&mut self, _: wit::berth::policy::log::Level, _: String) {}
    fn fatal(&mut self, _: String) {}
}

impl wit::berth::policy::cohort::Host for Nobody {
    fn contains(&mut self, _: String, _: String) -> bool {
        false
    }
}

/// A component, linked.
pub struct Bare {
    program: GrayscalePre<Nobody>,
    config: String,
}

/// An instance that is configured.
pub struct Instance {
    store: Store<Nobody>,
    world: wit::Grayscale,
}

/// An engine with the same pool as that of a host.
pub fn engine() -> wasmtime::Result<Engine> {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(64)
        .total_core_instances(64)
        .total_memories(64)
        .total_tables(64)
        .max_memory_size(128 << 20)
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(64 << 10)
        .max_unused_warm_slots(64)
        .pagemap_scan(wasmtime::Enabled::Auto);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config)
}

impl Bare {
    pub fn new(engine: &Engine, policy: &Builtin, config: String) -> super::Result<Self> {
        let component = Component::from_binary(engine, &berth_judge::admit(policy.wasm)?.0)?;
        component.initialize_copy_on_write_image()?;
        let mut linker = Linker::new(engine);
        wit::Grayscale::add_to_linker::<_, HasSelf<Nobody>>(&mut linker, |nobody| nobody)?;
        Ok(Self { program: GrayscalePre::new(linker.instantiate_pre(&component)?)?, config })
    }

    pub fn fresh(&self) -> wasmtime::Result<Instance> {
        let mut store = Store::new(self.program.engine(), Nobody);
        let world = self.program.instantiate(&mut store)?;
        let configured = world.berth_policy_configure().call_configure(&mut store, &self.config)?;
        configured.map_err(wasmtime::Error::msg)?;
        Ok(Instance { store, world })
    }
}

impl Instance {
    /// Whether the policy admits the device.
    pub fn decide(&mut self, device: &GrayDevice, task: &GrayTask) -> wasmtime::Result<bool> {
        let attributes: Vec<_> =
            device.attributes.iter().map(|one| Attribute { name: &one.name, value: &one.value }).collect();
        let device = Device {
            guid: &device.guid,
            device_id: device.device_id.as_deref(),
            account: device.account.as_deref(),
            platform: &device.platform,
            os_version: &device.os_version,
            host_app: &device.host_app,
            host_version: &device.host_version,
            sdk_version: &device.sdk_version,
            network: &device.network,
            attributes: &attributes,
        };
        let task = Task {
            id: &task.id,
            mini_app_id: &task.mini_app_id,
            version: &task.version,
            online: &task.online,
            current: task.current.as_deref(),
            started: task.started,
            now: task.now,
            attributes: &[],
        };
        let verdict = self.world.berth_policy_gray().call_decide(&mut self.store, device, task)?;
        Ok(matches!(verdict.map_err(wasmtime::Error::msg)?, Verdict::Admit))
    }
}
