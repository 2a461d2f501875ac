//! The hub: PostgreSQL, HTTP, workers, configuration and the command line.

pub mod cli;
pub mod clock;
pub mod config;
pub mod seal;
pub mod terminal;
pub mod store;
