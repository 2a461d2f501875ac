//! The hub from outside, in one binary: over HTTP, with real PostgreSQL and the sandbox; and the
//! tree that it is built from.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod bank;
mod books;
mod cases;
mod combined;
mod configuration;
mod counter;
mod counter_turns;
mod crash;
mod dispatch;
mod follow;
mod fund_flow;
mod harness;
mod hints;
mod http_api;
mod http_repeats;
mod http_resources;
mod hubs;
mod incidents;
mod intake;
mod intake_edge;
mod intake_in_doubt;
mod keys;
mod late;
mod modes;
mod notices;
mod offline_fund_flow;
mod offline_mutations;
mod offline_reconcile;
mod order_answers;
mod orders;
mod papers;
mod payers;
mod payments;
mod people;
mod portal_refunds;
mod private_postgres;
mod processes;
mod products;
mod reconciliation;
mod reconciliation_again;
mod reconciliation_answers;
mod reconciliation_doubts;
mod refunds;
mod refunds_in_turn;
mod refunds_odd;
mod refunds_redirected;
mod report;
mod siblings;
mod sign_off;
mod simulation;
mod statements;
mod supervision;
mod surplus;
mod terms;
mod treasury;
mod tree;
mod webhooks;
