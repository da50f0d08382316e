//! Tells the harness which compiler built it, and builds it anew when a workload file comes or goes.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=workloads");
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().ok().map(|output| output.stdout);
    let version = version.map(|text| String::from_utf8_lossy(&text).trim().to_owned());
    let version = version.filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo:rustc-env=BENCH_HARNESS_RUSTC={version}");
}
