//! The `berth` binary, built in this package so that `cargo test` builds it in order and tests find it.

fn main() -> std::process::ExitCode {
    berth::cli::main()
}
