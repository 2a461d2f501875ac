//! `report.xlsx` (对账日报): a cover to sign, the money by item and by department, every row, the
//! differences, the doubts, the refunds, and what the office knows beside the bill; each subtotal foots to the cover. What needs the hub's own
//! records is left out where there are none. Amounts are numbers of yuan, ids are text, since Excel
//! destroys numbers of twenty digits.

mod bridge;
mod contents;
mod cover;
mod departments;
mod detail;
mod findings;
mod fund;
mod items;
mod lists;
mod month;
mod month_bank;
mod office;
mod pen;
mod refunds;

use domain::time::{beijing, day_start};
use jiff::Timestamp;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use super::model::Report;
use super::sorted::has_papers;
pub use month::month_workbook;
use pen::Styles;

/// Why no workbook came to be: the library's own word.
#[derive(Debug, thiserror::Error)]
#[error("the workbook cannot be written")]
pub struct WorkbookError(#[from] XlsxError);

/// The workbook's bytes. The same report gives the same bytes.
///
/// # Errors
/// More rows than a sheet holds, or no room for the library's temporary files.
pub fn workbook(report: &Report) -> Result<Vec<u8>, WorkbookError> {
    bound(report, detail::ROWS)
}

/// The workbook with this many rows on each sheet of the detail.
pub(super) fn bound(report: &Report, rows: u32) -> Result<Vec<u8>, WorkbookError> {
    let mut book = Workbook::new();
    book.set_properties(&properties(report)?);
    let styles = Styles::new(report);
    cover::write(book.add_worksheet(), &styles, report)?;
    let has_papers = has_papers(report);
    if has_papers {
        items::write(book.add_worksheet(), &styles, report)?;
        departments::write(book.add_worksheet(), &styles, report)?;
        detail::write(&mut book, &styles, report, rows)?;
    }
    for list in [lists::differences(report), lists::doubts(report)] {
        findings::write(book.add_worksheet(), &styles, report, &list)?;
    }
    if report.merchants.iter().any(|day| day.fund_flow.is_some()) {
        fund::write(book.add_worksheet(), &styles, report)?;
    }
    if has_papers {
        refunds::write(book.add_worksheet(), &styles, report)?;
        office::write(&mut book, &styles, report)?;
    } else {
        detail::write(&mut book, &styles, report, rows)?;
    }
    Ok(book.save_to_buffer()?)
}

/// A fixed creation time: the library would ask the machine's clock.
fn properties(report: &Report) -> Result<DocProperties, XlsxError> {
    let at = report.made_at.or_else(|| report.day().map(day_start)).unwrap_or_default();
    let title = report.day().map_or("对账日报".to_owned(), |day| format!("对账日报 {day}"));
    properties_of(at, title)
}

fn properties_of(at: Timestamp, title: String) -> Result<DocProperties, XlsxError> {
    let wall = beijing(at);
    let part = |number: i8| u8::try_from(number).unwrap_or_default();
    let year = u16::try_from(wall.year()).unwrap_or(1970);
    let made = ExcelDateTime::from_ymd(year, part(wall.month()), part(wall.day()))?;
    Ok(DocProperties::new().set_title(title).set_creation_datetime(&made))
}
