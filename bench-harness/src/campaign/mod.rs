//! A campaign: which trials run, in which order, and running them.
//!
//! Rounds are the outer loop, so that whatever drifts on the machine touches every strategy alike. Within a round the cells
//! come in random order and the labels of a cell follow each other directly. Everything random comes from one seed that
//! is on record: the same seed gives the same plan.

pub mod child;
pub mod order;
pub mod pilot;
pub mod plan;
pub mod run;

pub use plan::{Campaign, Choice, OverBudget, Rounds, plan};
