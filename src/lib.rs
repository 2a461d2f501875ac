//! The hub: PostgreSQL, HTTP, workers, configuration and the command line.

pub mod cases;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod demo;
pub mod dispatch;
pub mod fault;
pub mod http;
pub mod hub;
pub mod jobs;
pub mod ledger;
pub mod offline;
pub mod orders;
pub mod outbound;
pub mod postgres;
pub mod reconcile;
pub mod record;
pub mod refunds;
pub mod replay;
pub mod report;
pub mod resource;
pub mod seal;
pub mod store;
pub mod terminal;
