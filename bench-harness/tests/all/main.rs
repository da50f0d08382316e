//! The command line, run as a user runs it: the real binary, one file per verb.

#![allow(clippy::unwrap_used, reason = "all of this is tests, helpers included")]

mod errors;
mod harness;
mod help;
mod list;
mod plan;
mod report;
mod run;
mod trial;
