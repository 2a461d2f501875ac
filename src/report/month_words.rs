//! The words of a month's statement, the same in the workbook and on the page.

use domain::money::Fen;
use reconciliation::label;

use super::month::{AccountMonth, Matter, Month, MonthDay};
use super::words;

/// The columns of the days.
pub(super) const COLUMNS: [&str; 14] = [
    "渠道 / 商户",
    "日期",
    "结论",
    "版次",
    "支付\n笔数",
    "支付金额",
    "退款\n笔数",
    "退款金额",
    "系统净额",
    "账单净额",
    "差额：\n差错",
    "差额：\n存疑",
    "手续费",
    "签批",
];

/// The columns of what is open and of what ended.
pub(super) const LIST: [&str; 10] = [
    "序号",
    "渠道 / 商户",
    "性质",
    "类型",
    "订单号 / 退款单号",
    "涉及金额",
    "款项日期",
    "立项日期",
    "了结日期",
    "账龄 / 结果",
];

pub(super) fn title(month: &Month) -> String {
    format!("{} 年 {} 月月结单", month.first.year(), month.first.month())
}

pub(super) fn head(month: &Month) -> String {
    format!(
        "单位：{}    期间：{} 至 {}    制表时间：{}    金额单位：元，退款以负数列示",
        month.office,
        month.first,
        month.last,
        words::when(month.made_at)
    )
}

/// What a day came to, of which version, and how far it is signed.
pub(super) fn standing(day: &MonthDay) -> [String; 3] {
    let Some(found) = &day.found else {
        return [String::new(), String::new(), "未对账".to_owned()];
    };
    let version = found.version.map(|version| format!("第 {version} 版")).unwrap_or_default();
    let signed = match found.sign_off.as_str() {
        "prepared" => "待复核",
        "reviewed" => "已复核",
        "reopened" => "已退回重开",
        _ => "未签",
    };
    [found.verdict.label().to_owned(), version, signed.to_owned()]
}

/// What the reader must know beyond the sums, a line each.
pub(super) fn remarks(month: &Month) -> Vec<String> {
    let whole = month.whole();
    let mut remarks = Vec::new();
    if whole.missing > 0 {
        remarks.push(format!("本期有 {} 个商户日尚未对账，其金额不在本表之内", whole.missing));
    }
    if whole.unsigned > 0 {
        remarks.push(format!("本期有 {} 个商户日的日报尚未复核", whole.unsigned));
    }
    if month.last < month.first.last_of_month() {
        remarks.push(format!("本月尚未结束，本表截至 {}", month.last));
    }
    if !month.holds() {
        remarks.push("本表不平，不得签字".to_owned());
    }
    remarks
}

/// One thing that is open or ended.
pub(super) struct Listed {
    pub(super) account: String,
    pub(super) what: &'static str,
    pub(super) kind: String,
    pub(super) numbers: String,
    pub(super) amount: Fen,
    pub(super) first_day: String,
    pub(super) opened_on: String,
    pub(super) ended_on: String,
    /// Its age while it is open, else how it ended.
    pub(super) standing: String,
}

/// Differences, then doubts: those open at the end of the month, or those that ended in it.
pub(super) fn listed(month: &Month, is_open: bool) -> Vec<Listed> {
    let mut listed = Vec::new();
    for account in &month.accounts {
        for (what, matters) in [("差错", &account.differences), ("存疑", &account.doubts)] {
            let wanted = matters.iter().filter(|matter| month.is_open(matter) == is_open);
            listed.extend(wanted.map(|matter| one(month, account, what, matter)));
        }
    }
    listed
}

fn one(month: &Month, account: &AccountMonth, what: &'static str, matter: &Matter) -> Listed {
    let is_open = month.is_open(matter);
    let numbers = match matter.out_refund_no.as_str() {
        "" => matter.out_trade_no.clone(),
        refund => format!("{}\n{refund}", matter.out_trade_no),
    };
    let ended = matter.ended_on.filter(|_| !is_open);
    Listed {
        account: account.name(),
        what,
        kind: format!("{}\n{}", label::kind(matter.kind), label::direction(matter.direction)),
        numbers,
        amount: matter.amount,
        first_day: matter.first_day.to_string(),
        opened_on: matter.opened_on.to_string(),
        ended_on: ended.map(|day| day.to_string()).unwrap_or_default(),
        standing: if is_open {
            format!("{} 天", month.age(matter))
        } else {
            end(matter.end.as_deref().unwrap_or_default()).to_owned()
        },
    }
}

/// How a doubt or difference ended.
fn end(word: &str) -> &'static str {
    match word {
        "matched" => "后日账单已列",
        "answered" => "渠道已答复",
        "promoted" => "转为差错",
        "cleared" => "重新核对后消除",
        "resolved" => "已处理",
        "written_off" => "已核销",
        "superseded" => "新版已无",
        _ => "已了结",
    }
}
