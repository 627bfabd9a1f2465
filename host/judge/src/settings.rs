//! The settings of wasmtime: of the compiler, and of the pools.

use std::hash::{DefaultHasher, Hash, Hasher};

use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig, Result};

use super::{Limits, PolicyKind, deep::GUEST_STACK};

/// The settings that affect machine code. They are the same for every engine, so that code compiled once runs in all.
fn code() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    // The same question must get the same answer on every machine.
    config.cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true);
    config.wasm_memory64(false);
    config
}

/// The engine that only compiles.
pub fn compiler() -> Result<wasmtime::Engine> {
    wasmtime::Engine::new(&code())
}

/// The engine of auditors and guards, whose evaluations are few, large and long: memory is allocated when it is needed.
pub fn audit() -> Result<wasmtime::Engine> {
    let mut config = code();
    config.max_wasm_stack(GUEST_STACK).async_stack_size(GUEST_STACK);
    wasmtime::Engine::new(&config)
}

/// The engine of grayscale policies, whose evaluations are many, small and short: each runs in one of `slots`
/// preallocated slots.
pub fn grayscale(slots: u32) -> Result<wasmtime::Engine> {
    let largest = Limits::largest_of(PolicyKind::Grayscale);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots)
        // A component made by another language's linker has dozens of core modules; they are counted, not reserved.
        .total_core_instances(slots.saturating_mul(64))
        .max_core_instances_per_component(64)
        .total_memories(slots.saturating_mul(2))
        .max_memories_per_component(2)
        .max_memories_per_module(2)
        .max_memory_size(usize::try_from(largest.memory_bytes)?)
        .total_tables(slots.saturating_mul(8))
        .max_tables_per_component(8)
        .max_tables_per_module(8)
        .table_elements(usize::try_from(largest.table_elements)?)
        // A small guest dirties few pages: zeroing them is cheaper than giving them back to the system.
        .linear_memory_keep_resident(256 * 1024)
        .table_keep_resident(64 * 1024)
        .max_unused_warm_slots(slots)
        .pagemap_scan(Enabled::Auto);
    let mut config = code();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    wasmtime::Engine::new(&config)
}

/// A hash of the compiler and its settings. Code runs only in engines with the same hash.
pub fn fingerprint(engine: &wasmtime::Engine) -> u64 {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hasher.finish()
}
