//! How cells look, and the only place where an amount becomes a number of the spreadsheet.

use domain::money::Fen;
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Formula, Worksheet, XlsxError};

use super::super::model::{MerchantDay, Report};
use super::super::signed;

/// A4.
const A4: u8 = 9;

/// The formats of the workbook, and what stands above and below every page of it.
pub(super) struct Styles {
    header: String,
    footer: String,
    /// The lines to sign on.
    signs: String,
    pub(super) title: Format,
    pub(super) line: Format,
    pub(super) good: Format,
    pub(super) open: Format,
    pub(super) bad: Format,
    pub(super) head: Format,
    /// The head of what somebody must do.
    pub(super) head_bad: Format,
    pub(super) text: Format,
    pub(super) small: Format,
    /// An amount that is not there, to the right.
    pub(super) none: Format,
    pub(super) whose: Format,
    pub(super) whose_open: Format,
    pub(super) whose_bad: Format,
    pub(super) count: Format,
    pub(super) alarm_count: Format,
    pub(super) open_count: Format,
    pub(super) money: Format,
    pub(super) sum_text: Format,
    pub(super) sum_count: Format,
    pub(super) sum_money: Format,
}

impl Styles {
    pub(super) fn new(report: &Report) -> Self {
        Self::between(header(report), footer(report), signed::line(report))
    }

    /// The formats, with what stands above and below each page, and the lines to sign on.
    pub(super) fn between(header: String, footer: String, signs: String) -> Self {
        let font = Format::new().set_font_name("宋体").set_font_size(10);
        let cell =
            font.clone().set_border(FormatBorder::Thin).set_align(FormatAlign::VerticalCenter);
        let yuan = "#,##0.00;[Red]-#,##0.00";
        let whole = "#,##0;[Red]-#,##0";
        let sum = cell.clone().set_bold().set_background_color(SUM);
        let text = cell.clone().set_num_format("@").set_text_wrap();
        let whose = text.clone().set_bold().set_background_color(SUM);
        let small = text.clone().set_font_size(9);
        let count = cell.clone().set_num_format(whole);
        let head = centred(&cell).set_bold().set_text_wrap();
        let head_bad = head.clone().set_background_color(BAD).set_font_color(BAD_INK);
        let head = head.set_background_color(Color::RGB(0x00D9_E2EF));
        let banner = centred(&font)
            .set_bold()
            .set_font_size(14)
            .set_text_wrap()
            .set_border(FormatBorder::Medium);
        Self {
            header,
            footer,
            signs,
            title: centred(&font).set_bold().set_font_size(18),
            line: font.clone().set_text_wrap().set_align(FormatAlign::VerticalCenter),
            good: banner.clone().set_background_color(Color::RGB(0x00E2_F4E6)),
            open: banner.clone().set_background_color(OPEN).set_font_color(OPEN_INK),
            bad: banner.set_background_color(BAD).set_font_color(BAD_INK),
            head,
            head_bad,
            none: text.clone().set_align(FormatAlign::Right),
            small,
            text,
            whose_open: whose.clone().set_background_color(OPEN).set_font_color(OPEN_INK),
            whose_bad: whose.clone().set_background_color(BAD).set_font_color(BAD_INK),
            whose,
            alarm_count: count.clone().set_bold().set_background_color(BAD).set_font_color(BAD_INK),
            open_count: count
                .clone()
                .set_bold()
                .set_background_color(OPEN)
                .set_font_color(OPEN_INK),
            count,
            money: cell.clone().set_num_format(yuan),
            sum_text: sum.clone().set_text_wrap(),
            sum_count: sum.clone().set_num_format(whole),
            sum_money: sum.set_num_format(yuan),
        }
    }
}

const SUM: Color = Color::RGB(0x00EE_F2F7);
const OPEN: Color = Color::RGB(0x00FF_F4D6);
const OPEN_INK: Color = Color::RGB(0x007A_5200);
const BAD: Color = Color::RGB(0x00FD_E7E4);
const BAD_INK: Color = Color::RGB(0x00A6_1B0F);

fn centred(format: &Format) -> Format {
    format.clone().set_align(FormatAlign::Center).set_align(FormatAlign::VerticalCenter)
}

/// How much of the office's name stands above a page; a header takes 255 characters.
const LONGEST_OFFICE: usize = 40;
/// How much of a digest stands below a page.
const SHORT_DIGEST: usize = 12;

/// An office's name above a page: an ampersand begins a code there.
pub(super) fn office(name: &str) -> String {
    name.chars().take(LONGEST_OFFICE).collect::<String>().replace('&', "&&")
}

fn header(report: &Report) -> String {
    let office = office(report.office.as_deref().unwrap_or_default());
    let day = report.day().map_or(String::new(), |day| day.to_string());
    let version = match report.merchants.as_slice() {
        [only] => only.version.map(|version| format!("  第 {version} 版")).unwrap_or_default(),
        _ => String::new(),
    };
    format!("&L{office}&C对账日报  &A&R对账日 {day}{version}")
}

fn footer(report: &Report) -> String {
    let short = |digest: &str| digest.chars().take(SHORT_DIGEST).collect::<String>();
    let digest = |day: &MerchantDay| {
        let bill = day.bill.as_ref().map(|file| format!("账单校验 {}", short(&file.sha256)));
        day.digest.as_ref().map(|digest| format!("报表校验 {}", short(digest))).or(bill)
    };
    let digests: Vec<String> = report.merchants.iter().filter_map(digest).take(3).collect();
    format!("&L{}&R第 &P 页 共 &N 页", digests.join("  "))
}

/// A sheet for A4 across, its head repeated on every page and kept in sight.
pub(super) fn page(
    sheet: &mut Worksheet,
    styles: &Styles,
    name: &str,
    head_row: u32,
    widths: &[u8],
) -> Result<(), XlsxError> {
    sheet.set_name(name)?.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.4, 0.4, 0.6, 0.6, 0.3, 0.3).set_print_center_horizontally(true);
    sheet.set_header(&styles.header).set_footer(&styles.footer);
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
    texts_from(sheet, (row, 0), texts, format)
}

/// The same from another column on.
pub(super) fn texts_from(
    sheet: &mut Worksheet,
    (row, first): (u32, u16),
    texts: &[&str],
    format: &Format,
) -> Result<(), XlsxError> {
    for (column, text) in (first..).zip(texts) {
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
    count: i64,
    format: &Format,
) -> Result<(), XlsxError> {
    let number = i32::try_from(count).unwrap_or(i32::MAX);
    sheet.write_number_with_format(row, column, number, format)?;
    Ok(())
}

/// A sum of money that recalculates, with the value that it has now.
pub(super) fn sum(
    sheet: &mut Worksheet,
    place: (u32, u16),
    text: &str,
    value: Fen,
    format: &Format,
) -> Result<(), XlsxError> {
    formula(sheet, place, text, &value.yuan(), format)
}

/// A formula with the value that it has now.
pub(super) fn formula(
    sheet: &mut Worksheet,
    (row, column): (u32, u16),
    text: &str,
    value: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    let formula = Formula::new(text).set_result(value);
    sheet.write_formula_with_format(row, column, formula, format)?;
    Ok(())
}

/// The letter of one of the first 26 columns.
pub(super) fn letter(column: u16) -> String {
    rust_xlsxwriter::utility::column_number_to_name(column)
}

/// The lines to sign on, in one row that no page break divides.
pub(super) fn signs(
    sheet: &mut Worksheet,
    styles: &Styles,
    (row, last): (u32, u16),
) -> Result<u32, XlsxError> {
    sheet.set_row_height(row, 40)?;
    sheet.merge_range(row, 0, row, last, &styles.signs, &styles.line)?;
    Ok(row)
}

/// How high a row must be for these texts, each in a column of this width, to be seen whole.
pub(super) fn height(texts: &[(&str, usize)]) -> u32 {
    let lines = |(text, width): &(&str, usize)| -> usize {
        let wide = |line: &str| line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        let each = |line: &str| usize::max(1, usize::div_ceil(wide(line), usize::max(1, *width)));
        text.split('\n').map(each).sum()
    };
    let most = texts.iter().map(lines).max().unwrap_or(1);
    u32::try_from(most).unwrap_or(1).saturating_mul(13).saturating_add(4).min(400)
}

/// Yuan as the spreadsheet's number: the double nearest to the decimal text, which shows the same
/// two decimals. Nothing is ever computed with it here.
fn yuan(amount: Fen) -> Option<f64> {
    amount.yuan().parse().ok()
}
