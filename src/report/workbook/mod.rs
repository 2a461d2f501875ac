//! `report.xlsx` (对账日报): a cover to sign, the differences, the doubts, and every row, whose
//! subtotals foot to the cover. Amounts are numbers of yuan, ids are text, since Excel
//! destroys numbers of twenty digits.

mod bridge;
mod cover;
mod detail;
mod findings;
mod fund;
mod pen;

use domain::time::{beijing, day_start};
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Workbook, XlsxError};

use super::foot::Foot;
use super::model::Report;
use findings::List;
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
    let styles = Styles::new();
    cover::write(book.add_worksheet(), &styles, report)?;
    let foot = Foot::of_all(report);
    let (differences, doubts) = (report.differences().collect(), report.doubts().collect());
    for list in [
        List { name: "差错清单", findings: differences, part: foot.listed() },
        List { name: "存疑清单", findings: doubts, part: foot.doubtful },
    ] {
        findings::write(book.add_worksheet(), &styles, report, &list)?;
    }
    if report.merchants.iter().any(|day| day.fund_flow.is_some()) {
        fund::write(book.add_worksheet(), &styles, report)?;
    }
    detail::write(&mut book, &styles, report, rows)?;
    Ok(book.save_to_buffer()?)
}

/// A fixed creation time: the library would ask the machine's clock.
fn properties(report: &Report) -> Result<DocProperties, XlsxError> {
    let at = report.made_at.or_else(|| report.day().map(day_start)).unwrap_or_default();
    let wall = beijing(at);
    let part = |number: i8| u8::try_from(number).unwrap_or_default();
    let year = u16::try_from(wall.year()).unwrap_or(1970);
    let made = ExcelDateTime::from_ymd(year, part(wall.month()), part(wall.day()))?;
    let title = report.day().map_or("对账日报".to_owned(), |day| format!("对账日报 {day}"));
    Ok(DocProperties::new().set_title(title).set_creation_datetime(&made))
}
