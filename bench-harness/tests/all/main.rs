//! The command line, run as a user runs it: the real binary, one file per verb.

#![allow(clippy::unwrap_used, reason = "all of this is tests, helpers included")]

mod doctor;
#[cfg(unix)]
mod errors;
mod harness;
#[cfg(unix)]
mod help;
mod list;
mod plan;
mod report;
#[cfg(unix)]
mod resume;
mod run;
mod trial;
