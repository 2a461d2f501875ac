//! Why an offline run could not be done: one line that names file, place and mend.

use std::io;
use std::path::PathBuf;

use adapters::bill::BillError;
use jiff::civil::Date;
use reconciliation::LedgerError;

use crate::report::WriteError;

/// Why an offline run could not be done. Its `Display` is the one line for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum OfflineError {
    /// A file that cannot be opened.
    #[error("{}: cannot be read: {fault}; give the path of a file that can be", .file.display())]
    Read {
        /// Which.
        file: PathBuf,
        /// The system's word.
        fault: io::Error,
    },
    /// A bill that cannot be believed.
    #[error("{}: {fault}", .file.display())]
    Bill {
        /// Which.
        file: PathBuf,
        /// Where in it, and what.
        fault: BillError,
    },
    /// A bill whose own totals are not those of its rows.
    #[error("{}: the footer contradicts the rows: {fault}; nothing was booked from it, fetch it again", .file.display())]
    Footer {
        /// Which.
        file: PathBuf,
        /// The first number that is wrong.
        fault: String,
    },
    /// A bill of more than one day, where none is named.
    #[error("{}: the bill is of several days, {first} to {last}; give the bill of one day, or name one with --date", .file.display())]
    Days {
        /// Which.
        file: PathBuf,
        /// The first of them.
        first: Date,
        /// The last.
        last: Date,
    },
    /// A fund flow bill of another day than the trade bill.
    #[error("{}: its changes are of {first} to {last}, the trade bill is of {day}; give both bills of one day", .file.display())]
    OtherDay {
        /// Which.
        file: PathBuf,
        /// The day of its first change.
        first: Date,
        /// The day of its last.
        last: Date,
        /// The trade bill's.
        day: Date,
    },
    /// A ledger that cannot be read.
    #[error("{}: {fault}", .file.display())]
    Ledger {
        /// Which.
        file: PathBuf,
        /// Where in it, and what.
        fault: LedgerError,
    },
    /// A folder that cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}
