//! The Chinese words of the paper for what the data says in English: what exactly differs, what the
//! provider answered, which total of the bill does not hold. Numbers are taken over, prose is not.

use domain::money::Fen;
use domain::time::beijing;
use reconciliation::{Finding, Kind, label};

use super::foot::{apart, booked};
use super::model::{MerchantDay, signed};

/// What a provider answers to a query, and how the paper says it.
const ANSWERS: [(&str, &str); 14] = [
    ("paid", "已支付"),
    ("unpaid", "未支付"),
    ("closed", "已关闭"),
    ("no such order", "无此订单"),
    ("no such payment", "无此付款"),
    ("paid, but not as the bill says", "已支付，但与账单不符"),
    ("given back, but not as the bill says", "已退款，但与账单不符"),
    ("given back, but more than the books have left", "已退款，但系统可退余额不足"),
    ("given back, but its number is another refund's here", "已退款，但退款单号已被占用"),
    ("processing", "退款处理中"),
    ("succeeded", "退款成功"),
    ("failed", "退款失败"),
    ("abnormal", "退款异常"),
    ("no such refund", "无此退款"),
];

/// What came of asking the provider; empty where it was not asked.
pub(super) fn answer(finding: &Finding) -> &'static str {
    let detail = finding.detail.as_str();
    if let Some((_, word)) = detail.rsplit_once("its provider says: ") {
        // What is told of a doubt that waited in vain may stand behind it.
        let word = word.split(';').next().unwrap_or_default();
        let known = ANSWERS.iter().find(|(code, _)| *code == word);
        return known.map_or("已答复", |(_, shown)| *shown);
    }
    if detail.contains("its provider gave no answer") {
        "已查询，渠道未答复"
    } else if detail.contains("its provider could not be asked") {
        "未能查询：商户的查询次数已用完，下次续查"
    } else {
        ""
    }
}

/// The figures behind the cause; empty where the amounts say it all.
pub(super) fn figures(finding: &Finding) -> String {
    let parts = [numbers(finding).unwrap_or_default(), waited(finding)];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("；")
}

fn numbers(finding: &Finding) -> Option<String> {
    let order = finding.hub_amount.filter(|_| booked(finding).0.is_none());
    if let Some(amount) = order {
        let amount = signed(finding.direction, amount);
        return Some(format!("系统记录 {} 元，未入账", amount.yuan()));
    }
    let listed = finding.bill_amount.filter(|_| booked(finding).1.is_none());
    if let Some(amount) = listed {
        let amount = signed(finding.direction, amount);
        return Some(format!("账单列示 {} 元，未动款", amount.yuan()));
    }
    if finding.kind != Kind::FeeDiffers {
        return None;
    }
    // "charged A, at R of B it is C", as the matcher writes it.
    let charged = || {
        let rest = finding.detail.split(';').next()?.strip_prefix("charged ")?;
        let (charged, rest) = rest.split_once(", at ")?;
        let (rate, rest) = rest.split_once(" of ")?;
        let (amount, due) = rest.split_once(" it is ")?;
        Some(format!("实收手续费 {charged} 元，按 {amount} 元的 {rate} 应为 {due} 元"))
    };
    let alone = || finding.fee.map(|fee| format!("实收手续费 {} 元", fee.yuan()));
    charged().or_else(alone)
}

/// Since when it was a doubt and how many bills came without it, as a difference that was a doubt says
/// it; empty of any other.
fn waited(finding: &Finding) -> String {
    // "a doubt since DAY, no bill of the N after it has it", as the run writes that promoted it.
    let parts = || {
        let (_, rest) = finding.detail.split_once("; a doubt since ")?;
        let (day, rest) = rest.split_once(", no bill of the ")?;
        let (files, _) = rest.split_once(" after it has it")?;
        Some(format!("自 {day} 存疑，其后 {files} 份账单均未列，转为差错"))
    };
    parts().unwrap_or_default()
}

/// Both sides' states in one line.
pub(super) fn states(finding: &Finding) -> String {
    let hub = finding.hub_state.map_or("无", label::hub_state);
    let bill =
        finding.bill_state.map_or("无", |state| label::bill_state(finding.direction, state));
    format!("系统：{hub}；账单：{bill}")
}

/// Why it came to be, with the figures and both sides' states.
pub(super) fn why(finding: &Finding) -> String {
    let (cause, states) = (label::cause(finding.cause), states(finding));
    match figures(finding).as_str() {
        "" => format!("{cause}\n{states}"),
        figures => format!("{cause}\n{figures}\n{states}"),
    }
}

/// What the two words mean on the paper.
pub(super) const LONG_AND_SHORT: &str =
    "长款：按账单，款项多于系统所记；短款：按账单，款项少于系统所记（退款以负数计）";

/// 长款 where the bill has more money for the office than the ledger, 短款 where it has less.
pub(super) fn long_or_short(finding: &Finding) -> &'static str {
    match apart(finding).cmp(&Fen::ZERO) {
        std::cmp::Ordering::Greater => "长款",
        std::cmp::Ordering::Less => "短款",
        std::cmp::Ordering::Equal => "",
    }
}

/// Which of the bill's own totals does not hold; `None` where all do.
pub(super) fn footer_fault(day: &MerchantDay) -> Option<String> {
    let fault = day.totals.footer_fault.as_deref()?;
    // "line L: NAME says A, the rows add up to B", as the readers write it.
    let parts = || {
        let (line, rest) = fault.strip_prefix("line ")?.split_once(": ")?;
        let (name, rest) = rest.split_once(" says ")?;
        let (stated, found) = rest.split_once(", the rows add up to ")?;
        Some(format!("第 {line} 行“{name}”为 {stated}，明细合计为 {found}"))
    };
    let told = parts().map(|parts| format!("：{parts}")).unwrap_or_default();
    Some(format!("账单自报合计与明细不一致{told}"))
}

/// The merchant with its provider.
pub(super) fn name(day: &MerchantDay) -> String {
    let provider = day.totals.provider.label();
    if day.merchant.is_empty() {
        provider.to_owned()
    } else {
        format!("{provider} {}", day.merchant)
    }
}

/// A moment on the wall clock.
pub(super) fn when(at: jiff::Timestamp) -> String {
    beijing(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// 支付 or 退款, with 长款 or 短款 behind it.
pub(super) fn sort(finding: &Finding) -> String {
    let direction = label::direction(finding.direction);
    match long_or_short(finding) {
        "" => direction.to_owned(),
        word => format!("{direction}·{word}"),
    }
}

/// The amounts as they stand on the paper: the ledger's, the bill's, and bill less ledger.
pub(super) fn amounts(finding: &Finding) -> (Option<Fen>, Option<Fen>, Fen) {
    let (hub, bill) = booked(finding);
    let way = |amount: Fen| signed(finding.direction, amount);
    (hub.map(way), bill.map(way), apart(finding))
}
