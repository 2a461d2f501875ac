//! The fund bill (账务明细): every movement of the seller's balance, the provider's fees among them
//! where they are taken from the principal.
//! How a fee that comes back is called is not documented; a name is assumed.

use std::collections::BTreeMap;

use domain::Fen;
use domain::bill::Direction;
use domain::time::business_day;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{About, day_text, gbk, head, plain};
use crate::alipay::order::received;
use crate::alipay::request::Request;
use crate::bill::Line;
use crate::engine::World;
use crate::fund::withdrawals;
use crate::random::Random;
use crate::state::{Standing, fee_of};
use crate::text::{day_digits, wall};

const HEADER: &str = "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注";
const SUMMARY_HEADER: &str =
    "业务类型,收入笔数,收入金额（+元）,支出笔数,支出金额（-元）,总金额（元）";
const KINDS: [&str; 5] = ["在线支付", "交易退款", "收费", "退费", "提现"];

/// One movement of the balance: positive comes in.
struct Move<'a> {
    at: Timestamp,
    /// What it is about; `None`: it went on to the bank.
    line: Option<&'a Line>,
    amount: Fen,
    kind: &'static str,
}

/// Leaves out what moves no money here, and has the fee of each row taken at this rate.
pub(super) fn settle(lines: &mut Vec<Line>, rate: i64) {
    lines.retain(|line| line.standing != Standing::Closed && line.settled() > Fen::ZERO);
    for line in lines {
        line.fee = fee_of(line.settled(), rate);
    }
}

/// The two files, with their names; `None`: nothing moved.
pub(super) fn files(
    world: &World,
    request: &Request<'_>,
    lines: &[Line],
    about: &About<'_>,
    rate: i64,
) -> Option<[(Vec<u8>, Vec<u8>); 2]> {
    let stem = format!("{}0156_{}_账务明细", about.seller, about.digits);
    let moved = moved(world, request, about.last, rate);
    let (before, gone) = withdrawals(&moved, (about.first, about.last));
    let gone = gone.iter();
    let mut moves: Vec<Move<'_>> = gone
        .map(|it| Move { at: it.at, line: None, amount: negated(it.amount), kind: "提现" })
        .collect();
    for line in lines {
        let cash = line.settled();
        let both = match line.direction {
            Direction::Payment => [(cash, "在线支付"), (negated(line.fee), "收费")],
            Direction::Refund => [(negated(cash), "交易退款"), (line.fee, "退费")],
        };
        let both = both.into_iter().filter(|(amount, _)| *amount != Fen::ZERO);
        let of_line = |(amount, kind)| Move { at: line.at, line: Some(line), amount, kind };
        moves.extend(both.map(of_line));
    }
    moves.sort_by_key(|moved| moved.at);
    (!moves.is_empty()).then(|| {
        [
            (gbk(&format!("{stem}.csv")), gbk(&detail(world.seed, &moves, before, about))),
            (gbk(&format!("{stem}(汇总).csv")), gbk(&summary(&moves, about))),
        ]
    })
}

fn negated(amount: Fen) -> Fen {
    amount.negated().unwrap_or(amount)
}

fn plus(sum: Fen, amount: Fen) -> Fen {
    sum.plus(amount).unwrap_or(sum)
}

/// What moved on each day until one, in fen.
fn moved(world: &World, request: &Request<'_>, last: Date, rate: i64) -> BTreeMap<Date, i64> {
    let mut days = BTreeMap::<Date, i64>::new();
    let mut add = |at, amount: Fen| {
        let day = business_day(at);
        if day <= last {
            let sum = days.entry(day).or_default();
            *sum = sum.saturating_add(amount.get());
        }
    };
    let own = |merchant: &str| merchant == request.app_id;
    for order in world.book.orders.values().filter(|it| own(&it.merchant) && it.sub == request.sub)
    {
        for payment in &order.payments {
            let cash = received(payment);
            add(payment.paid_at, plus(cash, negated(fee_of(cash, rate))));
        }
        for refund in world.book.refunds_of(order) {
            let cash = refund.amount.minus(refund.coupon).unwrap_or(refund.amount);
            add(refund.accepted_at, plus(negated(cash), fee_of(cash, rate)));
        }
    }
    days
}

fn detail(seed: u64, moves: &[Move<'_>], before: Fen, about: &About<'_>) -> String {
    let mut text = head("账务明细", "账务明细列表", about);
    text.push_str(HEADER);
    text.push_str("\r\n");
    let mut balance = before;
    for (place, moved) in moves.iter().enumerate() {
        balance = plus(balance, moved.amount);
        let mut chance =
            Random::of(seed, &["fund", about.seller, &about.digits, &place.to_string()]);
        let (inward, outward) = sides(moved.amount);
        let of = |field: fn(&Line) -> &str| moved.line.map(field).unwrap_or_default();
        let fields = [
            format!("{}{}\t", day_digits(moved.at), chance.digits(12)),
            format!("{}\t", of(|line| &line.trade_no)),
            format!("{}\t", of(|line| &line.out_trade_no)),
            plain(moved.line.map_or("提现", |line| &line.subject)),
            wall(moved.at),
            moved.line.map_or("", |_| "*园(159****5620)").to_owned(),
            inward,
            outward,
            balance.yuan(),
            "支付宝".to_owned(),
            moved.kind.to_owned(),
            plain(of(|line| &line.out_refund_no)),
        ];
        text.push_str(&fields.join(","));
        text.push_str("\r\n");
    }
    let (ins, income) = totals(moves.iter(), true);
    let (outs, spent) = totals(moves.iter(), false);
    text.push_str(&format!(
        "#-----------------------------------------账务明细列表结束------------------------------------\r\n#支出合计：{outs}笔，共{}元\r\n#收入合计：{ins}笔，共{}元\r\n#导出时间：[{}]\r\n",
        spent.yuan(),
        income.yuan(),
        day_text(about.made_at),
    ));
    text
}

/// An amount in its column; the other one is empty.
fn sides(amount: Fen) -> (String, String) {
    if amount > Fen::ZERO { (amount.yuan(), String::new()) } else { (String::new(), amount.yuan()) }
}

/// How many moves go that way and what they come to.
fn totals<'m, 'l: 'm>(moves: impl Iterator<Item = &'m Move<'l>>, inward: bool) -> (usize, Fen) {
    let amounts: Vec<Fen> =
        moves.map(|moved| moved.amount).filter(|it| (*it > Fen::ZERO) == inward).collect();
    (amounts.len(), Fen::sum(amounts).unwrap_or(Fen::ZERO))
}

fn summary(moves: &[Move<'_>], about: &About<'_>) -> String {
    let mut text = head("账务汇总", "账务汇总列表", about);
    text.push_str(SUMMARY_HEADER);
    text.push_str("\r\n");
    for kind in KINDS.into_iter().map(Some).chain([None]) {
        let of = || moves.iter().filter(|moved| kind.is_none_or(|kind| kind == moved.kind));
        let ((ins, income), (outs, spent)) = (totals(of(), true), totals(of(), false));
        if ins == 0 && outs == 0 {
            continue;
        }
        text.push_str(&format!(
            "{},{ins},{},{outs},{},{}\r\n",
            kind.unwrap_or("合计"),
            income.yuan(),
            spent.yuan(),
            plus(income, spent).yuan(),
        ));
    }
    text.push_str(&format!(
        "#-----------------------------------------账务汇总列表结束------------------------------------\r\n#导出时间：[{}]\r\n",
        day_text(about.made_at),
    ));
    text
}
