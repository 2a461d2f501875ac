//! What leads from the cover to the rows behind it: the first differences with both sides, cause and what
//! to do (需要处理), and the other sheets with what they come to (目录).

use rust_xlsxwriter::{Format, Url, Worksheet, XlsxError};

use super::super::contents;
use super::super::model::Report;
use super::cover::{LAST, merged};
use super::findings::List;
use super::lists;
use super::pen::{self, Styles};

/// How many differences the cover shows.
const MOST: usize = 6;
/// Columns of the block of differences: first, last, head.
const NEEDED: [(u16, u16, &str); 5] = [
    (2, 3, "系统金额"),
    (4, 5, "账单金额"),
    (6, 7, "差额（账单－系统）"),
    (8, 10, "原因"),
    (11, LAST, "处理 / 责任方"),
];

/// The first differences; nothing where there is none.
pub(super) fn needed(
    sheet: &mut Worksheet,
    styles: &Styles,
    mut row: u32,
    report: &Report,
) -> Result<u32, XlsxError> {
    let list: List = lists::differences(report);
    if list.findings.is_empty() {
        return Ok(row);
    }
    row = row.saturating_add(1);
    for (first, last, text) in NEEDED {
        merged(sheet, (row, first, last), text, &styles.head_bad)?;
    }
    let head = format!("需要处理（见{}）", list.name);
    link(sheet, (row, 0, 1), (list.name, &head), &styles.head_bad)?;
    for found in list.findings.iter().take(MOST) {
        row = row.saturating_add(1);
        let what = format!("{}\n{}", found.kind.replace('\n', "  "), found.numbers);
        merged(sheet, (row, 0, 1), &what, &styles.small)?;
        for (first, last, fen) in [(2, 3, found.hub), (4, 5, found.bill), (6, 7, Some(found.apart))]
        {
            sheet.merge_range(row, first, row, last, "", &styles.money)?;
            match fen {
                Some(fen) => pen::money(sheet, (row, first), Some(fen), &styles.money)?,
                None => {
                    sheet.write_string_with_format(row, first, "无", &styles.none)?;
                }
            }
        }
        merged(sheet, (row, 8, 10), &found.why, &styles.small)?;
        merged(sheet, (row, 11, LAST), &found.action, &styles.small)?;
        let height = [(what.as_str(), 24), (&found.why, 33), (&found.action, 33)];
        sheet.set_row_height(row, pen::height(&height))?;
    }
    if let Some(more) = list.findings.len().checked_sub(MOST).filter(|more| *more > 0) {
        row = row.saturating_add(1);
        let more = format!("另有 {more} 笔，见{}", list.name);
        link(sheet, (row, 0, LAST), (list.name, &more), &styles.whose_bad)?;
    }
    Ok(row.saturating_add(1))
}

/// The other sheets, two beside each other.
pub(super) fn write(
    sheet: &mut Worksheet,
    styles: &Styles,
    mut row: u32,
    report: &Report,
) -> Result<u32, XlsxError> {
    let entries = contents::contents(report);
    for pair in entries.chunks(2) {
        for (entry, (name, says)) in pair.iter().zip([((0, 0), (1, 6)), ((7, 8), (9, LAST))]) {
            let format = if entry.is_open { &styles.whose_open } else { &styles.text };
            link(sheet, (row, name.0, name.1), (entry.sheet, entry.sheet), format)?;
            merged(sheet, (row, says.0, says.1), &entry.says, &styles.small)?;
        }
        if let [_] = pair {
            merged(sheet, (row, 7, LAST), "", &styles.small)?;
        }
        row = row.saturating_add(1);
    }
    Ok(row)
}

/// A text that leads to the head of a sheet.
pub(super) fn link(
    sheet: &mut Worksheet,
    (row, first, last): (u32, u16, u16),
    (to, text): (&str, &str),
    format: &Format,
) -> Result<(), XlsxError> {
    let format = format.clone().set_underline(rust_xlsxwriter::FormatUnderline::Single);
    merged(sheet, (row, first, last), text, &format)?;
    let url = Url::new(format!("internal:'{to}'!A1")).set_text(text);
    sheet.write_url_with_format(row, first, url, &format)?;
    Ok(())
}
