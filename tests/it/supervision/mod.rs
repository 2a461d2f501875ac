//! Fee supervision: what was charged is computed again, and fees are held against their cases.

mod cases;
mod fees;
