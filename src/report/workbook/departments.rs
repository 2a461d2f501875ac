//! By department (按部门): each department's payments and refunds, whole and by item, under heads of
//! two rows. The items stand in as many tables below each other as the width of a page asks for; the
//! sums are those of the cover.

use std::collections::{BTreeMap, BTreeSet};

use domain::money::Fen;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::cover;
use super::super::foot::{Foot, Ways};
use super::super::model::Report;
use super::super::sorted::{self, Department, For};
use super::super::sums;
use super::cover::merged;
use super::pen::{self, Styles};

const NAME: &str = "按部门";
/// Columns of a table beside the department's name.
const COLUMNS: usize = 10;
const WIDTHS: [u8; 11] = [24, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11];
const LAST: u16 = 10;

/// One group of columns under a common head.
struct Group {
    head: String,
    /// The item; `None` for all of them.
    what: Option<For>,
}

impl Group {
    const fn columns(&self) -> &'static [&'static str] {
        match self.what {
            None => &["支付笔数", "支付金额", "退款笔数", "退款金额", "净额"],
            Some(_) => &["支付", "退款"],
        }
    }
}

type Departments = BTreeMap<Option<String>, Department>;

pub(super) fn write(
    sheet: &mut Worksheet,
    styles: &Styles,
    report: &Report,
) -> Result<(), XlsxError> {
    pen::page(sheet, styles, NAME, 0, &WIDTHS)?;
    let head = format!("{NAME}    {}", cover::head(report));
    merged(sheet, (0, 0, LAST), &head, &styles.line)?;
    sheet.set_row_height(0, pen::height(&[(&head, 128)]))?;
    let departments = sorted::by_department(report);
    let foot = Foot::of_all(report);
    let mut row = 1;
    for groups in tables(&departments) {
        row = table(sheet, styles, row, (&groups, &departments, &foot))?.saturating_add(1);
    }
    merged(sheet, (row, 0, LAST), sums::NOTES[1], &styles.line)?;
    let last = pen::signs(sheet, styles, (row.saturating_add(1), LAST))?;
    sheet.set_print_area(0, 0, last, LAST)?;
    Ok(())
}

/// The groups of columns, as many on a table as it holds.
fn tables(departments: &Departments) -> Vec<Vec<Group>> {
    let items: BTreeSet<&For> =
        departments.values().flat_map(|department| department.by_item.keys()).collect();
    let mut groups = vec![Group { head: "合计".to_owned(), what: None }];
    groups.extend(items.into_iter().map(|what| Group {
        head: format!("{}\n{}", what.code(), what.name()).trim().to_owned(),
        what: Some(what.clone()),
    }));
    let mut tables: Vec<Vec<Group>> = Vec::new();
    let mut used = COLUMNS;
    for group in groups {
        let wide = group.columns().len();
        if used.saturating_add(wide) > COLUMNS {
            tables.push(Vec::new());
            used = 0;
        }
        used = used.saturating_add(wide);
        if let Some(table) = tables.last_mut() {
            table.push(group);
        }
    }
    tables
}

fn table(
    sheet: &mut Worksheet,
    styles: &Styles,
    first: u32,
    (groups, departments, foot): (&[Group], &Departments, &Foot),
) -> Result<u32, XlsxError> {
    heads(sheet, styles, first, groups)?;
    let body = first.saturating_add(2);
    let mut row = body;
    for (name, department) in departments {
        let name = name.as_deref().unwrap_or("不属于部门（多收、未对应）");
        sheet.write_string_with_format(row, 0, name, &styles.text)?;
        sheet.set_row_height(row, pen::height(&[(name, 24)]))?;
        let mut column = 1;
        for group in groups {
            let ways = match &group.what {
                None => department.whole,
                Some(what) => department.by_item.get(what).copied().unwrap_or_default(),
            };
            column = numbers(sheet, styles, (row, column), (group, ways), None)?;
        }
        row = row.saturating_add(1);
    }
    let mut column = 1;
    sheet.write_string_with_format(row, 0, "系统合计", &styles.sum_text)?;
    // A row's number in a formula is one more than here.
    let span = (row > body).then_some((body.saturating_add(1), row));
    for group in groups {
        let ways = match &group.what {
            None => foot.whole.hub,
            Some(what) => {
                let parts = departments.values().filter_map(|one| one.by_item.get(what));
                parts.fold(Ways::default(), |sum, ways| sum.plus(*ways))
            }
        };
        column = numbers(sheet, styles, (row, column), (group, ways), Some(span))?;
    }
    row = row.saturating_add(1);
    if let Some(whole) = groups.first().filter(|group| group.what.is_none()) {
        for (label, ways) in sorted::closing(foot).into_iter().skip(1) {
            sheet.write_string_with_format(row, 0, label, &styles.sum_text)?;
            sheet.set_row_height(row, pen::height(&[(label, 24)]))?;
            numbers(sheet, styles, (row, 1), (whole, ways), Some(None))?;
            row = row.saturating_add(1);
        }
    }
    Ok(row)
}

fn heads(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    groups: &[Group],
) -> Result<(), XlsxError> {
    let below = row.saturating_add(1);
    sheet.merge_range(row, 0, below, 0, "部门", &styles.head)?;
    let mut column = 1_u16;
    let mut tallest = 0;
    for group in groups {
        let names = group.columns();
        let wide = u16::try_from(names.len()).unwrap_or(1);
        let last = column.saturating_add(wide).saturating_sub(1);
        merged(sheet, (row, column, last), &group.head, &styles.head)?;
        tallest = pen::height(&[(&group.head, usize::from(wide).saturating_mul(11))]).max(tallest);
        for (column, name) in (column..).zip(names) {
            sheet.write_string_with_format(below, column, *name, &styles.head)?;
        }
        column = last.saturating_add(1);
    }
    sheet.set_row_height(row, tallest)?;
    Ok(())
}

/// The cells of one group; those of a sum recalculate over the rows of `sum`. The next column.
fn numbers(
    sheet: &mut Worksheet,
    styles: &Styles,
    (row, column): (u32, u16),
    (group, ways): (&Group, Ways),
    sum: Option<Option<(u32, u32)>>,
) -> Result<u16, XlsxError> {
    let (count, money) = match sum {
        Some(_) => (&styles.sum_count, &styles.sum_money),
        None => (&styles.count, &styles.money),
    };
    let (paid, back) = (ways.payments, ways.refunds);
    let whole = [(1, paid.fen), (3, back.fen), (4, ways.net())];
    let item = [(0, paid.fen), (1, back.fen)];
    let is_whole = group.what.is_none();
    if is_whole {
        pen::count(sheet, (row, column), paid.count, count)?;
        pen::count(sheet, (row, column.saturating_add(2)), back.count, count)?;
    }
    let amounts: &[(u16, Fen)] = if is_whole { &whole } else { &item };
    for (skipped, fen) in amounts {
        let column = column.saturating_add(*skipped);
        let letter = pen::letter(column);
        match sum.flatten() {
            Some((first, last)) => {
                let formula = format!("=ROUND(SUM({letter}{first}:{letter}{last}),2)");
                pen::sum(sheet, (row, column), &formula, *fen, money)?;
            }
            None => pen::money(sheet, (row, column), Some(*fen), money)?,
        }
    }
    let wide = u16::try_from(group.columns().len()).unwrap_or(1);
    Ok(column.saturating_add(wide))
}
