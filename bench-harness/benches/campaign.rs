//! The campaign over the core cells, so that `cargo bench` is the whole job.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench_harness::cli::bench_main(std::env::args_os())
}
