//! The trade bill (交易账单) of WeChat Pay: all, payments alone, refunds alone; byte order mark, CRLF, a
//! backtick before every field, two lines of totals.

use domain::Fen;
use domain::bill::Direction;

use super::{negative, row, title};
use crate::bill::{Line, Sums};
use crate::state::Standing;
use crate::text::wall;

const BEFORE: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额";
const REFUND_TIMES: &str = "退款申请时间,退款成功时间";
const REFUND: &str = "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态";
const AFTER: &str = "商品名称,商户数据包,手续费,费率,订单金额";
const ASKED_BACK: &str = "申请退款金额";
const REMARK: &str = "费率备注";
const TOTALS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";

/// Which rows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    All,
    Success,
    Refund,
}

impl Kind {
    /// The kind that a query names; absent: all.
    pub(super) fn of(word: Option<&str>) -> Option<Self> {
        match word {
            None | Some("ALL") => Some(Self::All),
            Some("SUCCESS") => Some(Self::Success),
            Some("REFUND") => Some(Self::Refund),
            Some(_) => None,
        }
    }

    /// Whether rows of that direction are in it.
    pub(super) fn has(self, direction: Direction) -> bool {
        match self {
            Self::All => true,
            Self::Success => direction == Direction::Payment,
            Self::Refund => direction == Direction::Refund,
        }
    }

    fn titles(self) -> String {
        let parts: &[&str] = match self {
            Self::All => &[BEFORE, REFUND, AFTER, ASKED_BACK, REMARK],
            Self::Success => &[BEFORE, AFTER, REMARK],
            Self::Refund => &[BEFORE, REFUND_TIMES, REFUND, AFTER, ASKED_BACK, REMARK],
        };
        parts.join(",")
    }
}

/// The file's text.
pub(super) fn csv(lines: &[Line], kind: Kind, appid: &str, mchid: &str, rate_ppm: i64) -> String {
    let mut text = String::from("\u{feff}");
    title(&mut text, &kind.titles());
    let rate = rate_text(rate_ppm);
    for line in lines {
        row(&mut text, &fields(line, kind, appid, mchid, &rate));
    }
    title(&mut text, TOTALS);
    let sums = Sums::of(lines);
    let totals = [
        format!("{}.0", lines.len()),
        sums.settled.yuan(),
        sums.settled_back.yuan(),
        "0.00".to_owned(),
        five(sums.fee),
        sums.paid.yuan(),
        sums.refunded.yuan(),
    ];
    row(&mut text, &totals);
    text
}

/// Texts of the merchant: comma and line end are escaped by WeChat Pay.
fn escaped(text: &str) -> String {
    text.replace(',', "\\ ").replace('\r', "").replace('\n', "\\n").replace('`', "'")
}

fn five(fee: Fen) -> String {
    format!("{}000", fee.yuan())
}

/// Millionths as per cent with two decimals: 6000 is `0.60%`.
fn rate_text(rate_ppm: i64) -> String {
    format!("{}%", Fen::new(rate_ppm.div_euclid(100)).yuan())
}

const fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Processing => "PROCESSING",
        Standing::Success => "SUCCESS",
        Standing::Abnormal => "CHANGE",
        Standing::Closed => "FAIL",
    }
}

fn fields(line: &Line, kind: Kind, appid: &str, mchid: &str, rate: &str) -> Vec<String> {
    let refund = line.direction == Direction::Refund;
    let own = |text: &str| text.to_owned();
    let zero = || own("0.00");
    let only = |text: &str, otherwise: &str| own(if refund { text } else { otherwise });
    // In the file of refunds alone a row is dated by its payment.
    let at = if kind == Kind::Refund { line.paid_at } else { line.at };
    let mut fields = vec![
        wall(at),
        own(appid),
        own(mchid),
        line.sub_merchant.clone().unwrap_or_else(|| own("0")),
        String::new(),
        line.trade_no.clone(),
        line.out_trade_no.clone(),
        line.payer.clone(),
        own(line.product),
        only(if line.reversed { "REVOKED" } else { "REFUND" }, "SUCCESS"),
        own("OTHERS"),
        own("CNY"),
        if refund { zero() } else { line.settled().yuan() },
        if refund { zero() } else { line.coupon.yuan() },
    ];
    if kind == Kind::Refund {
        fields.extend([wall(line.at), line.done_at.map(wall).unwrap_or_default()]);
    }
    if kind != Kind::Success {
        fields.extend([
            only(&line.refund_no, "0"),
            only(&line.out_refund_no, "0"),
            if refund { line.settled().yuan() } else { zero() },
            zero(),
            only("ORIGINAL", ""),
            only(word(line.standing), ""),
        ]);
    }
    let fee = if refund { negative(line.fee) } else { line.fee };
    fields.extend([
        escaped(&line.subject),
        escaped(&line.attach),
        five(fee),
        own(rate),
        if refund { zero() } else { line.amount.yuan() },
    ]);
    if kind != Kind::Success {
        fields.push(if refund { line.amount.yuan() } else { zero() });
    }
    fields.push(String::new());
    fields
}
