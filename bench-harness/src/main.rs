//! The harness binary: everything is in the library, so that `cargo bench` is the same program.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_harness::cli::main(std::env::args_os())
}
