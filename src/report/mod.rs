//! The report of a day: what finance opens at nine. One model for a single bill (offline) and for
//! several merchants of a day; written as workbook, page, CSV and JSON.

mod age;
mod contents;
mod cover;
mod files;
mod foot;
mod fund;
mod in_words;
mod json;
mod model;
mod month;
mod month_bank;
mod month_page;
mod month_words;
mod office;
mod page;
mod papers;
mod refunds;
mod shares;
mod signed;
mod sorted;
mod summary;
mod sums;
mod table;
mod tasks;
#[cfg(test)]
mod tests;
mod verdict;
mod words;
mod workbook;

pub use files::{Files, WriteError, place, write};
pub use fund::{FundCheck, account};
pub use in_words::in_words;
pub use json::report_json;
pub use model::{FileStamp, MerchantDay, Report};
pub use month::{AccountMonth, Found, Matter, Month, MonthDay, found, month_json};
pub use month_page::month_page;
pub(crate) use page::PRINT;
pub use page::{page, print_digest};
pub use papers::{
    ActPaper, CarriedPaper, DayPaper, FeePaper, ItemPaper, OfficePaper, OpenPaper, Papers,
    RefundPaper, RowPaper, SignaturePaper, StandingPaper, TaskPaper,
};
pub use shares::apportion;
pub use summary::{Findings, Flow, Side, Summary, summary_json};
pub(crate) use table::harmless;
pub use table::{COLUMNS, findings_csv};
pub use verdict::Verdict;
pub use workbook::{WorkbookError, month_workbook, workbook};
