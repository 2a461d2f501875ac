//! The lists of differences (差错清单) and doubts (存疑清单): what, why, and what to do about it.

use domain::time::beijing;
use reconciliation::{Finding, Kind, label};
use rust_xlsxwriter::{Worksheet, XlsxError};

use super::super::model::{MerchantDay, Report};
use super::pen::{self, Styles};

const HEAD: [&str; 15] = [
    "序号",
    "渠道",
    "商户",
    "类型",
    "方向",
    "订单号",
    "退款单号",
    "渠道交易号",
    "发生时间",
    "系统金额",
    "账单金额",
    "系统状态 / 账单状态",
    "原因",
    "建议处理",
    "责任方",
];
const WIDTHS: [u8; 15] = [6, 10, 14, 14, 6, 26, 26, 30, 19, 12, 12, 16, 34, 34, 12];
const HEAD_ROW: u32 = 1;
/// A list that nobody reads to its end; the CSV file has them all.
const MOST_ROWS: u64 = 100_000;

pub(super) fn write<'r>(
    sheet: &mut Worksheet,
    styles: &Styles,
    name: &str,
    findings: impl Iterator<Item = (&'r MerchantDay, &'r Finding)>,
    report: &Report,
) -> Result<(), XlsxError> {
    pen::page(sheet, name, HEAD_ROW, &WIDTHS)?;
    let day = report.day().map(|day| day.to_string()).unwrap_or_default();
    sheet.write_string_with_format(0, 0, format!("{name}    {day}    单位：元"), &styles.line)?;
    pen::texts(sheet, HEAD_ROW, &HEAD, &styles.head)?;
    let mut row = HEAD_ROW;
    for (number, (day, finding)) in (1_u64..).zip(findings) {
        row = row.saturating_add(1);
        if number > MOST_ROWS {
            let rest = "其余见 differences.csv / doubts.csv";
            sheet.write_string_with_format(row, 1, rest, &styles.line)?;
            break;
        }
        line(sheet, styles, (row, number), day, finding)?;
    }
    if row == HEAD_ROW {
        sheet.write_string_with_format(2, 0, "无", &styles.text)?;
    }
    Ok(())
}

fn line(
    sheet: &mut Worksheet,
    styles: &Styles,
    (row, number): (u32, u64),
    day: &MerchantDay,
    finding: &Finding,
) -> Result<(), XlsxError> {
    let at = beijing(finding.occurred_at).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let texts = [
        day.totals.provider.label(),
        &day.merchant,
        label::kind(finding.kind),
        label::direction(finding.direction),
        &finding.out_trade_no,
        &finding.out_refund_no,
        &finding.provider_trade_no,
        &at,
    ];
    pen::count(sheet, (row, 0), number, &styles.count)?;
    for (column, text) in (1_u16..).zip(texts) {
        sheet.write_string_with_format(row, column, text, &styles.text)?;
    }
    pen::money(sheet, (row, 9), finding.hub_amount, &styles.money)?;
    pen::money(sheet, (row, 10), finding.bill_amount, &styles.money)?;
    let why = if finding.kind == Kind::FeeDiffers {
        format!("{}（{}）", label::cause(finding.cause), finding.detail)
    } else {
        label::cause(finding.cause).to_owned()
    };
    let states = states(finding);
    let ends = [
        states.as_str(),
        &why,
        label::action(finding.proposed_action),
        label::owner(finding.owner),
    ];
    for (column, text) in (11_u16..).zip(ends) {
        sheet.write_string_with_format(row, column, text, &styles.wrapped)?;
    }
    Ok(())
}

/// `已支付 / 无`: both sides in one field.
pub(in super::super) fn states(finding: &Finding) -> String {
    let hub = finding.hub_state.map_or("无", label::hub_state);
    let bill =
        finding.bill_state.map_or("无", |state| label::bill_state(finding.direction, state));
    format!("{hub} / {bill}")
}
