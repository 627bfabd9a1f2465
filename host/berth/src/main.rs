//! The `berth` binary.

fn main() -> std::process::ExitCode {
    berth::program::main()
}
