//! The `berth` binary.

/// A check takes some sixty small pieces of memory, which one thread often takes and another gives back. The allocator of glibc
/// locks for that: one eighth of the time of a check went into it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    berth::program::main()
}
