//! The rules, each a sentence of the business that holds for every row.

pub(super) mod bills;
pub(super) mod closing;
pub(super) mod faults;
pub(super) mod keys;
pub(super) mod notices;
pub(super) mod orders;
pub(super) mod refunds;
