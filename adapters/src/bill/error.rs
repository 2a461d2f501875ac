//! Why a bill is refused, with the place for the person who looks into the file.

/// A bill that is refused whole. Line numbers count from 1 in the unpacked text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BillError {
    /// Something else was downloaded.
    #[error("this is no trade bill but {found}; fetch the bill again")]
    NotABill {
        /// What it looks like.
        found: String,
    },
    /// The same, where the fund flow bill is asked for.
    #[error("this is no fund flow bill but {found}; fetch the bill again")]
    NotAFundFlow {
        /// What it looks like.
        found: String,
    },
    /// It cannot be unpacked or decoded.
    #[error("the file cannot be unpacked: {fault}; fetch the bill again")]
    Packing {
        /// What is broken.
        fault: String,
    },
    /// It is a zip with several bills: to take one would leave the others' money out.
    #[error("the zip holds more than one bill; give each of them by itself")]
    Several,
    /// It ends too early: a row or the footer is missing.
    #[error("line {line}: the file is cut: {fault}; nothing was booked from it, fetch it again")]
    Cut {
        /// The last line that is there.
        line: u64,
        /// What is missing.
        fault: String,
    },
    /// A line or one of its fields cannot be read.
    #[error("line {line}, column {column}: {fault}; nothing was booked from it, fetch it again")]
    Field {
        /// The line.
        line: u64,
        /// The column's name in the file.
        column: String,
        /// What is wrong with it.
        fault: String,
    },
}

impl BillError {
    pub(crate) fn field(line: u64, column: &str, fault: impl Into<String>) -> Self {
        Self::Field { line, column: column.to_owned(), fault: fault.into() }
    }

    pub(crate) fn cut(line: u64, fault: impl Into<String>) -> Self {
        Self::Cut { line, fault: fault.into() }
    }

    pub(crate) fn packing(fault: impl ToString) -> Self {
        Self::Packing { fault: fault.to_string() }
    }
}
