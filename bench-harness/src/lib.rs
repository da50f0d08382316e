//! Measures what each way of serialising writes costs and buys.
//!
//! The stages are separate: a [`trial`] measures one strategy on one cell in a process of its own and verifies what it
//! saw; a [`campaign`] runs trials in rounds and appends their records to a [`session`]; [`stats`] turns a session into
//! estimates; [`report`] renders them. Every view is recomputed from the raw session.

#![forbid(unsafe_code)]

pub mod campaign;
pub mod cli;
pub mod counters;
pub mod doctor;
pub mod environment;
pub mod probe;
pub mod random;
pub mod record;
pub mod report;
pub mod session;
pub mod stats;
pub mod strategies;
pub mod trial;
pub mod workload;
