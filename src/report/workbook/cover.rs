//! The cover (汇总): the conclusion, both sides of every merchant, the amount in words, the files
//! with their hashes, and the lines to sign on.

use domain::bill::Total;
use domain::money::Fen;
use domain::time::beijing;
use reconciliation::Sides;
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::in_words::in_words;
use super::super::model::{MerchantDay, Report};
use super::pen::{self, Styles};

const WIDTHS: [u8; 8] = [12, 20, 16, 11, 18, 11, 18, 18];
const HEAD: [&str; 8] =
    ["渠道", "商户", "项目", "系统笔数", "系统金额", "账单笔数", "账单金额", "差额（系统－账单）"];
const HEAD_ROW: u32 = 4;
const LAST: u16 = 7;

pub(super) fn write(
    sheet: &mut Worksheet,
    styles: &Styles,
    report: &Report,
) -> Result<(), XlsxError> {
    pen::page(sheet, "汇总", HEAD_ROW, &WIDTHS)?;
    head(sheet, styles, report)?;
    let mut row = HEAD_ROW.saturating_add(1);
    for day in &report.merchants {
        row = merchant(sheet, styles, row, day)?;
    }
    row = together(sheet, styles, row, report)?;
    row = files(sheet, styles, row.saturating_add(1), report)?;
    let signs = "制表：______________    复核：______________    财务负责人：______________    日期：______________";
    let row = row.saturating_add(1);
    sheet.set_row_height(row, 36)?;
    sheet.merge_range(row, 0, row, LAST, signs, &styles.line)?;
    Ok(())
}

fn head(sheet: &mut Worksheet, styles: &Styles, report: &Report) -> Result<(), XlsxError> {
    sheet.set_row_height(0, 32)?;
    sheet.merge_range(0, 0, 0, LAST, "对账日报", &styles.title)?;
    let office = report.office.as_deref().unwrap_or("______________________");
    let day = report.day().map_or("____年__月__日".to_owned(), |day| day.to_string());
    let version = report.version.map(|version| format!("    第 {version} 版")).unwrap_or_default();
    let made = report
        .made_at
        .map(|at| format!("    制表时间：{}", beijing(at).strftime("%Y-%m-%d %H:%M")))
        .unwrap_or_default();
    let line = format!("单位：{office}    对账日：{day}{version}{made}    金额单位：元");
    sheet.merge_range(1, 0, 1, LAST, &line, &styles.line)?;
    let (text, format) = (conclusion(report), conclusion_format(styles, report));
    sheet.set_row_height(2, 30)?;
    sheet.merge_range(2, 0, 2, LAST, &text, format)?;
    pen::texts(sheet, HEAD_ROW, &HEAD, &styles.head)
}

/// The conclusion in one line, the same on the page.
pub(in super::super) fn conclusion(report: &Report) -> String {
    let differences = report.differences().count();
    let doubts = report.doubts().count();
    let verdict = if report.is_balanced() { "平" } else { "不平" };
    match doubts {
        0 => format!("结论：{verdict}    差错 {differences} 笔"),
        _ => format!("结论：{verdict}    差错 {differences} 笔    存疑 {doubts} 笔"),
    }
}

fn conclusion_format<'s>(styles: &'s Styles, report: &Report) -> &'s rust_xlsxwriter::Format {
    if report.is_balanced() { &styles.good } else { &styles.bad }
}

fn merchant(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    day: &MerchantDay,
) -> Result<u32, XlsxError> {
    let names = [day.totals.provider.label(), day.merchant.as_str()];
    let sums = &day.result.sums;
    let mut table = Table { sheet, styles, row };
    table.sides(names, sums.hub, sums.bill)?;
    table.fee(names, sums.fee)?;
    let agreed = sums.matched;
    table.matched(names, Total { count: agreed.together().count, amount_fen: agreed.net() })?;
    Ok(table.row)
}

fn together(
    sheet: &mut Worksheet,
    styles: &Styles,
    row: u32,
    report: &Report,
) -> Result<u32, XlsxError> {
    let hub = report.sum(|day| day.result.sums.hub);
    let bill = report.sum(|day| day.result.sums.bill);
    let mut table = Table { sheet, styles, row };
    if report.merchants.len() > 1 {
        table.sides(["合计", ""], hub, bill)?;
        table.fee(["合计", ""], report.fee())?;
    }
    let row = table.row;
    let words = format!(
        "实收净额（账单支付－退款）：人民币{}    ¥{}",
        in_words(bill.net()),
        bill.net().yuan()
    );
    sheet.merge_range(row, 0, row, LAST, &words, &styles.sum_text)?;
    Ok(row.saturating_add(1))
}

fn files(
    sheet: &mut Worksheet,
    styles: &Styles,
    mut row: u32,
    report: &Report,
) -> Result<u32, XlsxError> {
    for day in &report.merchants {
        let name = day.totals.provider.label();
        let bill = match &day.bill {
            Some(file) => format!("{name}账单文件：{}    SHA-256：{}", file.name, file.sha256),
            None => format!("{name}账单：渠道答复当日无账单（无交易）"),
        };
        let footer = match &day.totals.footer_fault {
            None => "账单自报合计与明细一致".to_owned(),
            Some(fault) => format!("账单自报合计与明细不一致：{fault}"),
        };
        let mut lines = vec![bill, footer];
        if let Some(ledger) = &day.ledger {
            lines.push(format!("系统账文件：{}    SHA-256：{}", ledger.name, ledger.sha256));
        }
        if let Some(check) = &day.fund_flow {
            let word = if check.agrees() { "相符" } else { "不符，请先核对相邻日" };
            lines.push(format!(
                "资金账单：交易引起的余额变动 {}，按交易账单应为 {}，{word}",
                check.flow.from_trade.yuan(),
                check.expected.yuan()
            ));
        }
        if let Some(head) = &day.journal_head {
            lines.push(format!("账簿链头：{head}"));
        }
        for line in lines {
            sheet.merge_range(row, 0, row, LAST, &line, &styles.line)?;
            row = row.saturating_add(1);
        }
    }
    Ok(row)
}

/// The table of both sides as it grows downwards.
struct Table<'w> {
    sheet: &'w mut Worksheet,
    styles: &'w Styles,
    row: u32,
}

impl Table<'_> {
    fn sides(&mut self, names: [&str; 2], hub: Sides, bill: Sides) -> Result<(), XlsxError> {
        self.line(names, "支付", (hub.payments, bill.payments))?;
        self.line(names, "退款", (hub.refunds, bill.refunds))?;
        let net = |sides: Sides| Total { count: sides.together().count, amount_fen: sides.net() };
        self.line(names, "净额", (net(hub), net(bill)))
    }

    fn line(
        &mut self,
        [provider, merchant]: [&str; 2],
        item: &str,
        (hub, bill): (Total, Total),
    ) -> Result<(), XlsxError> {
        let is_sum = item == "净额" || provider == "合计";
        let styles = self.styles;
        let (text, count, money) = if is_sum {
            (&styles.sum_text, &styles.sum_count, &styles.sum_money)
        } else {
            (&styles.text, &styles.count, &styles.money)
        };
        let (row, sheet) = (self.row, &mut *self.sheet);
        pen::texts(sheet, row, &[provider, merchant, item], text)?;
        pen::count(sheet, (row, 3), hub.count, count)?;
        pen::money(sheet, (row, 4), Some(hub.amount_fen), money)?;
        pen::count(sheet, (row, 5), bill.count, count)?;
        pen::money(sheet, (row, 6), Some(bill.amount_fen), money)?;
        let apart = hub.amount_fen.minus(bill.amount_fen);
        let format = if apart == Some(Fen::ZERO) { money } else { &styles.alarm_money };
        pen::money(sheet, (row, 7), apart, format)?;
        self.row = row.saturating_add(1);
        Ok(())
    }

    fn fee(&mut self, [provider, merchant]: [&str; 2], fee: Fen) -> Result<(), XlsxError> {
        let (row, styles) = (self.row, self.styles);
        pen::texts(self.sheet, row, &[provider, merchant, "手续费", "", "", ""], &styles.text)?;
        pen::money(self.sheet, (row, 6), Some(fee), &styles.money)?;
        pen::money(self.sheet, (row, 7), None, &styles.money)?;
        self.row = row.saturating_add(1);
        Ok(())
    }

    fn matched(&mut self, [provider, merchant]: [&str; 2], total: Total) -> Result<(), XlsxError> {
        let (row, styles) = (self.row, self.styles);
        pen::texts(self.sheet, row, &[provider, merchant, "其中核对一致"], &styles.text)?;
        for column in [3, 5] {
            pen::count(self.sheet, (row, column), total.count, &styles.count)?;
        }
        for column in [4, 6] {
            pen::money(self.sheet, (row, column), Some(total.amount_fen), &styles.money)?;
        }
        pen::money(self.sheet, (row, 7), None, &styles.money)?;
        self.row = row.saturating_add(1);
        Ok(())
    }
}
