//! The cover (汇总): the conclusion, both sides of every merchant in whole and in parts, the steps
//! from one side to the other, the agreed amount in words, the files, and the lines to sign on.

use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::super::cover::{self, CELLS, Cell, DIFFERING, DOUBTFUL, Group, Line};
use super::super::model::Report;
use super::super::verdict::{Verdict, conclusion};
use super::pen::{self, Styles};
use super::{bridge, contents};

const WIDTHS: [u8; 14] = [17, 7, 7, 13, 7, 13, 7, 13, 6, 12, 12, 6, 12, 12];
const HEAD_ROW: u32 = 3;
pub(super) const LAST: u16 = 13;
/// The first of the columns of [`Line::cells`].
const FIRST: u16 = 2;
/// As many merchants as fit on one page with everything else.
const ONE_PAGE: usize = 2;

pub(super) fn write(
    sheet: &mut Worksheet,
    styles: &Styles,
    report: &Report,
) -> Result<(), XlsxError> {
    pen::page(sheet, styles, "汇总", HEAD_ROW.saturating_add(1), &WIDTHS)?;
    head(sheet, styles, report)?;
    let groups = cover::groups(report);
    let mut row = HEAD_ROW.saturating_add(2);
    let mut firsts = Vec::new();
    for table in &groups {
        firsts.push(row);
        row = group(sheet, styles, row, table, &[])?;
    }
    if groups.len() > 1 {
        row = group(sheet, styles, row, &cover::together(report), &firsts)?;
    }
    let above = row;
    row = contents::needed(sheet, styles, row, report)?;
    if groups.len() > ONE_PAGE || row > above {
        sheet.set_page_breaks(&[row])?;
    } else {
        sheet.set_print_fit_to_pages(1, 1);
    }
    row = bridge::write(sheet, styles, row.saturating_add(1), report)?;
    for line in cover::agreed(report) {
        merged(sheet, (row, 0, LAST), &line, &styles.sum_text)?;
        row = row.saturating_add(1);
    }
    row = contents::write(sheet, styles, row, report)?;
    row = papers(sheet, styles, row, report)?;
    row = pen::signs(sheet, styles, (row, LAST))?;
    sheet.set_print_area(0, 0, row, LAST)?;
    Ok(())
}

fn head(sheet: &mut Worksheet, styles: &Styles, report: &Report) -> Result<(), XlsxError> {
    sheet.set_row_height(0, 30)?;
    merged(sheet, (0, 0, LAST), "对账日报", &styles.title)?;
    merged(sheet, (1, 0, LAST), &cover::head(report), &styles.line)?;
    let format = match report.verdict() {
        Verdict::Balanced => &styles.good,
        Verdict::Undecided => &styles.open,
        Verdict::Unbalanced => &styles.bad,
    };
    sheet.set_row_height(2, 28)?;
    merged(sheet, (2, 0, LAST), &conclusion(report), format)?;
    let below = HEAD_ROW.saturating_add(1);
    for (column, text) in [(0, "渠道 / 商户"), (1, "项目")] {
        sheet.merge_range(HEAD_ROW, column, below, column, text, &styles.head)?;
    }
    for (first, last, text) in
        [(2, 3, "系统"), (4, 5, "账单"), (6, 7, "一致"), (8, 10, "差错"), (11, 13, "存疑")]
    {
        match text {
            "差错" | "存疑" => {
                let to = format!("{text}清单");
                contents::link(sheet, (HEAD_ROW, first, last), (&to, text), &styles.head)?;
            }
            "一致" => {
                contents::link(sheet, (HEAD_ROW, first, last), ("明细", text), &styles.head)?;
            }
            _ => merged(sheet, (HEAD_ROW, first, last), text, &styles.head)?,
        }
    }
    let under = [
        "笔数",
        "金额",
        "笔数",
        "金额",
        "笔数",
        "金额",
        "笔数",
        "系统侧",
        "账单侧",
        "笔数",
        "系统侧",
        "账单侧",
    ];
    for (column, text) in (FIRST..).zip(under) {
        sheet.write_string_with_format(below, column, text, &styles.head)?;
    }
    Ok(())
}

/// One merchant's four rows; those of the total name the first row of each merchant.
fn group(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    group: &Group,
    parts: &[u32],
) -> Result<u32, XlsxError> {
    let name = format!("{}\n{}", group.name, group.verdict.label());
    let last = row.saturating_add(3);
    let format = match group.verdict {
        Verdict::Balanced => &styles.whose,
        Verdict::Undecided => &styles.whose_open,
        Verdict::Unbalanced => &styles.whose_bad,
    };
    sheet.merge_range(row, 0, last, 0, &name, format)?;
    for (at, offset) in group.lines.iter().zip(0_u32..) {
        let parts: Vec<u32> = parts.iter().map(|first| first.saturating_add(offset)).collect();
        line(sheet, styles, row.saturating_add(offset), at, &parts)?;
    }
    Ok(last.saturating_add(1))
}

fn line(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    line: &Line,
    parts: &[u32],
) -> Result<(), XlsxError> {
    let is_sum = line.is_net || !parts.is_empty();
    let text = if is_sum { &styles.sum_text } else { &styles.text };
    sheet.write_string_with_format(row, 1, line.item, text)?;
    for (index, (cell, column)) in line.cells.iter().zip(FIRST..).enumerate() {
        let place = (row, column);
        let letter = pen::letter(column);
        let formula = if parts.is_empty() {
            // The two rows above; a row's number in a formula is one more than here.
            let (from, to) = (row.saturating_sub(1), row);
            line.is_net.then(|| format!("=ROUND(SUM({letter}{from}:{letter}{to}),2)"))
        } else {
            let cells: Vec<String> =
                parts.iter().map(|row| format!("{letter}{}", row.saturating_add(1))).collect();
            Some(format!("=ROUND({},2)", cells.join("+")))
        };
        let format = style(styles, *cell, index, is_sum);
        match (cell, formula) {
            (Cell::Blank, _) => pen::money(sheet, place, None, format)?,
            (Cell::Count(count), None) => pen::count(sheet, place, *count, format)?,
            (Cell::Count(count), Some(formula)) => {
                pen::formula(sheet, place, &formula, &count.to_string(), format)?;
            }
            (Cell::Money(fen), None) => pen::money(sheet, place, Some(*fen), format)?,
            (Cell::Money(fen), Some(formula)) => pen::sum(sheet, place, &formula, *fen, format)?,
        }
    }
    Ok(())
}

/// A count of differences or doubts that is not zero stands out.
fn style(styles: &Styles, cell: Cell, index: usize, is_sum: bool) -> &Format {
    debug_assert!(index < CELLS, "a cell beyond the table");
    match cell {
        Cell::Count(1..) if index == DIFFERING => &styles.alarm_count,
        Cell::Count(1..) if index == DOUBTFUL => &styles.open_count,
        Cell::Count(_) if is_sum => &styles.sum_count,
        Cell::Count(_) => &styles.count,
        Cell::Blank | Cell::Money(_) if is_sum => &styles.sum_money,
        Cell::Blank | Cell::Money(_) => &styles.money,
    }
}

/// The files and what is to be said about them, in a small table.
fn papers(
    sheet: &mut Worksheet,
    styles: &Styles,
    mut row: u32,
    report: &Report,
) -> Result<u32, XlsxError> {
    for (first, last, text) in
        [(0, 1, "渠道 / 商户"), (2, 3, "依据"), (4, 7, "文件名"), (8, LAST, "SHA-256 校验值")]
    {
        merged(sheet, (row, first, last), text, &styles.head)?;
    }
    row = row.saturating_add(1);
    for day in &report.merchants {
        for proof in cover::proofs(day) {
            let texts = [
                (0, 1, proof.merchant.as_str()),
                (2, 3, proof.what),
                (4, 7, &proof.name),
                (8, LAST, &proof.digest),
            ];
            for (first, last, text) in texts {
                merged(sheet, (row, first, last), text, &styles.small)?;
            }
            sheet.set_row_height(row, pen::height(&[(&proof.name, 38), (&proof.merchant, 24)]))?;
            row = row.saturating_add(1);
        }
        for remark in cover::remarks(day) {
            merged(sheet, (row, 0, 1), &super::super::words::name(day), &styles.small)?;
            merged(sheet, (row, 2, LAST), &remark, &styles.small)?;
            sheet.set_row_height(row, pen::height(&[(&remark, 115)]))?;
            row = row.saturating_add(1);
        }
    }
    Ok(row)
}

pub(super) fn merged(
    sheet: &mut Worksheet,
    (row, first, last): (u32, u16, u16),
    text: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    if first == last {
        sheet.write_string_with_format(row, first, text, format)?;
    } else {
        sheet.merge_range(row, first, row, last, text, format)?;
    }
    Ok(())
}
