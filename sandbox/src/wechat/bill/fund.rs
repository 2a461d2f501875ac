//! The fund flow bill (资金账单) of WeChat Pay's basic account: each payment, where it is taken from the
//! principal its fee, and each refund less the fee that comes back with it, with the balance after each,
//! and what went on to the bank.

use std::collections::BTreeMap;

use domain::Fen;
use domain::bill::Direction;
use domain::time::business_day;
use jiff::civil::Date;

use super::{row, title};
use crate::bill::Line;
use crate::engine::World;
use crate::fund::Withdrawal;
use crate::random::Random;
use crate::state::{Standing, fee_of};
use crate::text::wall;

const TITLES: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),资金变更提交申请人,备注,业务凭证号";
const TOTALS: &str = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";

/// What a row of the trade bill does to the balance.
struct Flow {
    name: &'static str,
    kind: &'static str,
    income: bool,
    amount: Fen,
    remark: String,
}

fn less(from: Fen, amount: Fen) -> Fen {
    from.minus(amount).unwrap_or(from)
}

fn flows(line: &Line) -> Vec<Flow> {
    match line.direction {
        Direction::Payment => {
            let paid = Flow {
                name: "交易",
                kind: "交易",
                income: true,
                amount: line.settled(),
                remark: format!("结算总金额{}元", line.settled().yuan()),
            };
            let fee = Flow {
                name: "扣除交易手续费",
                kind: "扣除交易手续费",
                income: false,
                amount: line.fee,
                remark: format!("结算总金额{}元", line.settled().yuan()),
            };
            if line.fee == Fen::ZERO { vec![paid] } else { vec![paid, fee] }
        }
        // What the provider gave up took no money.
        Direction::Refund if line.standing == Standing::Closed => Vec::new(),
        Direction::Refund => vec![Flow {
            name: "退款",
            kind: "退款",
            income: false,
            amount: less(line.settled(), line.fee),
            remark: format!("退款总金额{}元;含手续费{}元", line.settled().yuan(), line.fee.yuan()),
        }],
    }
}

/// Leaves out what moves no money here, and has the fee of each row taken at this rate.
pub(super) fn settle(lines: &mut Vec<Line>, rate_ppm: i64) {
    lines.retain(|line| line.standing != Standing::Closed && line.settled() > Fen::ZERO);
    for line in lines {
        line.fee = fee_of(line.settled(), rate_ppm);
    }
}

/// What moved on each day until one, in fen.
pub(super) fn moved(world: &World, mchid: &str, last: Date, rate_ppm: i64) -> BTreeMap<Date, i64> {
    let net = |settled: Fen| less(settled, fee_of(settled, rate_ppm)).get();
    let mut days = BTreeMap::<Date, i64>::new();
    let mut add = |at, fen: i64| {
        let day = business_day(at);
        if day <= last {
            let sum = days.entry(day).or_default();
            *sum = sum.saturating_add(fen);
        }
    };
    for order in world.book.orders.values().filter(|order| order.merchant == mchid) {
        for payment in &order.payments {
            add(payment.paid_at, net(less(payment.amount, payment.coupon)));
        }
        let refunds = world.book.refunds_of(order);
        for refund in refunds.filter(|it| it.standing(it.done_at) != Standing::Closed) {
            let back = net(less(refund.amount, refund.coupon));
            add(refund.accepted_at, back.saturating_neg());
        }
    }
    days
}

fn withdrawn(of: &Withdrawal) -> ([String; 5], Flow) {
    let about = Random::of(0, &["withdrawal", &wall(of.at)]).digits(28);
    let flow_no = Random::of(0, &["flow", &about]).digits(20);
    let flow = Flow {
        name: "提现",
        kind: "提现",
        income: false,
        amount: of.amount,
        remark: "自动提现".to_owned(),
    };
    let by = "system".to_owned();
    ([wall(of.at), about, flow_no, by, String::new()], flow)
}

/// The file's text: what went on to the bank stands before the rows, as it goes at night, but for what
/// came before it.
pub(super) fn csv(lines: &[Line], opening: Fen, gone: &[Withdrawal]) -> String {
    let mut text = String::from("\u{feff}");
    title(&mut text, TITLES);
    let of_lines = lines.iter().flat_map(|line| {
        flows(line).into_iter().map(move |flow| (line.at, (about(line, &flow), flow)))
    });
    let mut all: Vec<_> = gone.iter().map(|of| (of.at, withdrawn(of))).chain(of_lines).collect();
    all.sort_by_key(|(at, _)| *at);
    let mut balance = opening;
    let mut totals = [(0_usize, Fen::ZERO); 2];
    for (_, (about, flow)) in &all {
        let [income, expense] = &mut totals;
        let total = if flow.income { income } else { expense };
        *total = (total.0.saturating_add(1), total.1.plus(flow.amount).unwrap_or(total.1));
        balance = if flow.income {
            balance.plus(flow.amount).unwrap_or(balance)
        } else {
            less(balance, flow.amount)
        };
        row(&mut text, &fields(about, flow, balance));
    }
    title(&mut text, TOTALS);
    let [income, expense] = totals;
    let count = income.0.saturating_add(expense.0);
    let footer = [
        format!("{count}.0"),
        format!("{}.0", income.0),
        income.1.yuan(),
        format!("{}.0", expense.0),
        expense.1.yuan(),
    ];
    row(&mut text, &footer);
    text
}

/// When it was, what it is about, its own number, who asked for it, and its voucher.
fn about(line: &Line, flow: &Flow) -> [String; 5] {
    let about = if line.refund_no.is_empty() { &line.trade_no } else { &line.refund_no };
    let voucher =
        if line.out_refund_no.is_empty() { &line.out_trade_no } else { &line.out_refund_no };
    let flow_no = Random::of(0, &["flow", about, flow.name]).digits(20);
    let by = if flow.name == "退款" { "API" } else { "system" }.to_owned();
    [wall(line.at), about.clone(), flow_no, by, voucher.clone()]
}

fn fields(
    [at, about, flow_no, by, voucher]: &[String; 5],
    flow: &Flow,
    balance: Fen,
) -> [String; 11] {
    [
        at.clone(),
        about.clone(),
        flow_no.clone(),
        flow.name.to_owned(),
        flow.kind.to_owned(),
        if flow.income { "收入" } else { "支出" }.to_owned(),
        flow.amount.yuan(),
        balance.yuan(),
        by.clone(),
        flow.remark.clone(),
        voucher.clone(),
    ]
}
