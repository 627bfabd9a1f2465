//! The `berth` binary, built in this package so that `cargo test` builds it before the tests that start it.

fn main() -> std::process::ExitCode {
    berth::program::main()
}
