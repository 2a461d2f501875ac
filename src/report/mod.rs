//! The report of a day: what finance opens at nine. One model for a single bill (offline) and for
//! several merchants of a day; written as workbook, page, CSV and JSON.

mod cover;
mod files;
mod foot;
mod fund;
mod in_words;
mod model;
mod page;
mod shares;
mod summary;
mod table;
#[cfg(test)]
mod tests;
mod verdict;
mod words;
mod workbook;

pub use files::{Files, WriteError, write};
pub use fund::{FundCheck, account};
pub use in_words::in_words;
pub use model::{FileStamp, MerchantDay, Report};
pub use page::page;
pub use shares::apportion;
pub use summary::{Findings, Flow, Side, Summary, summary_json};
pub(crate) use table::harmless;
pub use table::{COLUMNS, findings_csv};
pub use verdict::Verdict;
pub use workbook::{WorkbookError, workbook};
