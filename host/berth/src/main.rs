//! The `berth` binary.

/// A check takes many small pieces of memory, and what one thread takes another often gives back. The allocator of glibc locks
/// for that: one eighth of the time of a check went into it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    berth::program::main()
}
