//! A bill as it is asked for and fetched.

use std::fmt;

/// Which bill of a day (账单).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BillKind {
    /// Payments and refunds (交易账单).
    Trade,
    /// Payments alone.
    Payments,
    /// Refunds alone.
    Refunds,
    /// What moved on an account (资金账单).
    FundFlow(FundAccount),
}

/// An account of the merchant at its provider (资金账户).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FundAccount {
    /// Where payments arrive (基本账户).
    Basic,
    /// From which the merchant pays (运营账户).
    Operation,
    /// From which the provider takes its fees (手续费账户).
    Fees,
}

/// Where a bill file is.
#[derive(Clone, PartialEq, Eq)]
pub struct BillTicket {
    /// The address as given, already encoded.
    pub url: String,
    /// The hash that the provider gives for the unpacked file, lower-case hexadecimal SHA-1.
    pub sha1: Option<String>,
}

impl fmt::Debug for BillTicket {
    /// The query holds a token with which anybody may fetch the file: it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.url.split('?').next().unwrap_or_default();
        write!(f, "BillTicket({place})")
    }
}

/// What a provider says when it is asked for a day's bill.
#[derive(Clone, PartialEq, Eq)]
pub enum BillAnswer {
    /// The file is there, to be fetched.
    Ready(BillTicket),
    /// The answer is the file itself, proved: there is nothing to fetch.
    Here(Vec<u8>),
    /// Nothing happened on that day: an empty day is a result.
    EmptyDay,
    /// It is still being made: ask again later.
    NotYet,
}

impl fmt::Debug for BillAnswer {
    /// A bill holds personal data: only its length is shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(ticket) => f.debug_tuple("Ready").field(ticket).finish(),
            Self::Here(file) => write!(f, "Here({} bytes)", file.len()),
            Self::EmptyDay => f.write_str("EmptyDay"),
            Self::NotYet => f.write_str("NotYet"),
        }
    }
}
