//! The office's vocabulary and rules: money, ids, the fee schedule, fees, orders, refunds, cases,
//! the working-day calendar and the journal.
//!
//! Nothing in here does I/O, reads a clock or knows a provider's words: time and randomness are
//! arguments, and every state changes through one total function of its type.

pub mod bank_calendar;
pub mod bill;
pub mod calendar;
pub mod case;
pub mod clock;
pub mod combined;
pub mod delivery;
pub mod doubt;
pub mod event;
pub mod fact;
pub mod fee;
pub mod fund;
pub mod ids;
pub mod journal;
pub mod money;
pub mod order;
pub mod personal;
pub mod provider;
pub mod refund;
pub mod schedule;
pub mod sign_off;
pub mod time;
pub mod treasury;

pub use clock::{Clock, ManualClock};
pub use money::Fen;
