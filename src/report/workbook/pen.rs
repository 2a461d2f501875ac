//! How cells look, and the only place where an amount becomes a number of the spreadsheet.

use domain::money::Fen;
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Formula, Worksheet, XlsxError};

/// A4.
const A4: u8 = 9;

/// The formats of the workbook.
pub(super) struct Styles {
    pub(super) title: Format,
    pub(super) line: Format,
    pub(super) good: Format,
    pub(super) bad: Format,
    pub(super) head: Format,
    pub(super) text: Format,
    pub(super) wrapped: Format,
    pub(super) count: Format,
    pub(super) money: Format,
    pub(super) sum_text: Format,
    pub(super) sum_count: Format,
    pub(super) sum_money: Format,
    pub(super) alarm_money: Format,
}

impl Styles {
    pub(super) fn new() -> Self {
        let font = Format::new().set_font_name("宋体").set_font_size(10);
        let cell =
            font.clone().set_border(FormatBorder::Thin).set_align(FormatAlign::VerticalCenter);
        let yuan = "#,##0.00;[Red]-#,##0.00";
        let sum = cell.clone().set_bold().set_background_color(Color::RGB(0x00EE_F2F7));
        let banner = font
            .clone()
            .set_bold()
            .set_font_size(14)
            .set_align(FormatAlign::Center)
            .set_align(FormatAlign::VerticalCenter)
            .set_border(FormatBorder::Medium);
        Self {
            title: font
                .clone()
                .set_bold()
                .set_font_size(18)
                .set_align(FormatAlign::Center)
                .set_align(FormatAlign::VerticalCenter),
            line: font.clone().set_text_wrap().set_align(FormatAlign::VerticalCenter),
            good: banner.clone().set_background_color(Color::RGB(0x00E2_F4E6)),
            bad: banner
                .set_background_color(Color::RGB(0x00FD_E7E4))
                .set_font_color(Color::RGB(0x00A6_1B0F)),
            head: cell
                .clone()
                .set_bold()
                .set_text_wrap()
                .set_align(FormatAlign::Center)
                .set_background_color(Color::RGB(0x00D9_E2EF)),
            text: cell.clone().set_num_format("@"),
            wrapped: cell.clone().set_text_wrap(),
            count: cell.clone().set_num_format("#,##0"),
            money: cell.clone().set_num_format(yuan),
            sum_text: sum.clone(),
            sum_count: sum.clone().set_num_format("#,##0"),
            sum_money: sum.set_num_format(yuan),
            alarm_money: cell
                .set_num_format(yuan)
                .set_bold()
                .set_font_color(Color::RGB(0x00A6_1B0F)),
        }
    }
}

/// A sheet for A4 across, its head repeated on every page and kept in sight.
pub(super) fn page(
    sheet: &mut Worksheet,
    name: &str,
    head_row: u32,
    widths: &[u8],
) -> Result<(), XlsxError> {
    sheet.set_name(name)?.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0);
    sheet.set_footer("&L&A&R第 &P 页 共 &N 页");
    sheet.set_repeat_rows(0, head_row)?;
    sheet.set_freeze_panes(head_row.saturating_add(1), 0)?;
    for (column, width) in (0_u16..).zip(widths) {
        sheet.set_column_width(column, *width)?;
    }
    Ok(())
}

/// A row of texts, from the first column on.
pub(super) fn texts(
    sheet: &mut Worksheet,
    row: u32,
    texts: &[&str],
    format: &Format,
) -> Result<(), XlsxError> {
    for (column, text) in (0_u16..).zip(texts) {
        sheet.write_string_with_format(row, column, *text, format)?;
    }
    Ok(())
}

/// An amount as a number of yuan.
pub(super) fn money(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    amount: Option<Fen>,
    format: &Format,
) -> Result<(), XlsxError> {
    match amount.and_then(yuan) {
        Some(yuan) => sheet.write_number_with_format(row, column, yuan, format)?,
        None => sheet.write_blank(row, column, format)?,
    };
    Ok(())
}

/// A count as a number.
pub(super) fn count(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    count: u64,
    format: &Format,
) -> Result<(), XlsxError> {
    let number = u32::try_from(count).unwrap_or(u32::MAX);
    sheet.write_number_with_format(row, column, number, format)?;
    Ok(())
}

/// A sum that recalculates, with the value that it has now.
pub(super) fn sum(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    formula: &str,
    value: Fen,
    format: &Format,
) -> Result<(), XlsxError> {
    let formula = Formula::new(formula).set_result(value.yuan());
    sheet.write_formula_with_format(row, column, formula, format)?;
    Ok(())
}

/// Yuan as the spreadsheet's number: the double nearest to the decimal text, which shows the same
/// two decimals. Nothing is ever computed with it here.
fn yuan(amount: Fen) -> Option<f64> {
    amount.yuan().parse().ok()
}
