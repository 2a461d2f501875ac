//! The fund flow bill (资金账单) of WeChat Pay's basic account: each payment, where it is taken from the
//! principal its fee, and each refund less the fee that comes back with it, with the balance after each.

use domain::Fen;
use domain::bill::Direction;
use domain::time::business_day;
use jiff::civil::Date;

use super::{row, title};
use crate::bill::Line;
use crate::engine::World;
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

/// The balance at the start of a day: everything that moved before.
pub(super) fn opening(world: &World, mchid: &str, day: Date, rate_ppm: i64) -> Fen {
    let net = |settled: Fen| less(settled, fee_of(settled, rate_ppm)).get();
    let mut balance = 0_i64;
    for order in world.book.orders.values().filter(|order| order.merchant == mchid) {
        let paid = order.payments.iter().filter(|payment| business_day(payment.paid_at) < day);
        for payment in paid {
            balance = balance.saturating_add(net(less(payment.amount, payment.coupon)));
        }
        let back = world.book.refunds_of(order).filter(|refund| {
            business_day(refund.accepted_at) < day
                && refund.standing(refund.done_at) != Standing::Closed
        });
        for refund in back {
            balance = balance.saturating_sub(net(less(refund.amount, refund.coupon)));
        }
    }
    Fen::new(balance)
}

/// The file's text.
pub(super) fn csv(lines: &[Line], opening: Fen) -> String {
    let mut text = String::from("\u{feff}");
    title(&mut text, TITLES);
    let mut balance = opening;
    let mut totals = [(0_usize, Fen::ZERO); 2];
    for line in lines {
        for flow in flows(line) {
            let [income, expense] = &mut totals;
            let total = if flow.income { income } else { expense };
            *total = (total.0.saturating_add(1), total.1.plus(flow.amount).unwrap_or(total.1));
            balance = if flow.income {
                balance.plus(flow.amount).unwrap_or(balance)
            } else {
                less(balance, flow.amount)
            };
            row(&mut text, &fields(line, &flow, balance));
        }
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

fn fields(line: &Line, flow: &Flow, balance: Fen) -> [String; 11] {
    let about = if line.refund_no.is_empty() { &line.trade_no } else { &line.refund_no };
    let voucher =
        if line.out_refund_no.is_empty() { &line.out_trade_no } else { &line.out_refund_no };
    let flow_no = Random::of(0, &["flow", about, flow.name]).digits(20);
    [
        wall(line.at),
        about.clone(),
        flow_no,
        flow.name.to_owned(),
        flow.kind.to_owned(),
        if flow.income { "收入" } else { "支出" }.to_owned(),
        flow.amount.yuan(),
        balance.yuan(),
        if flow.name == "退款" { "API" } else { "system" }.to_owned(),
        flow.remark.clone(),
        voucher.clone(),
    ]
}
