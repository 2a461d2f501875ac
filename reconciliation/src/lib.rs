//! Holds a provider's bill against the hub's ledger, row by row and to the fen. Pure: the same
//! rows give the same result in whatever order they come, and every row of both sides ends in
//! exactly one of matched, doubt, difference, or (ledger only) outside this day.

pub mod answer;
pub mod bank;
pub mod covering;
pub mod debit;
pub mod finding;
pub mod fund;
pub mod label;
pub mod ledger;
pub mod matcher;
pub mod outcome;
pub mod payer;
pub mod rules;
pub mod settlement;

pub use answer::Answer;
pub use finding::{Action, Cause, Finding, Kind, Owner};
pub use fund::{FundCause, FundFinding, FundMatcher, FundResult};
pub use ledger::{LedgerError, LedgerLine, LedgerRow, LedgerState};
pub use matcher::streaming::{Again, FIRST, LISTED, Streaming};
pub use matcher::{Held, Matcher};
pub use outcome::{Matched, Outside, Reconciliation, Rest, Sides, Sums};
pub use rules::Rules;
