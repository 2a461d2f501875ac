//! The variants of a day's bills, with every column that WeChat writes.

use domain::bill::{BillState, Coverage, Direction};
use domain::money::Fen;
use jiff::civil::date;

use super::{fund_flow, read};

const SUCCESS: &str = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,商品名称,商户数据包,手续费,费率,订单金额,费率备注\r\n\
    `2018-11-30 09:00:00,`wx8,`1900000001,`0,`,`42000001,`P1,`oUpF8,`NATIVE,`SUCCESS,`OTHERS,`CNY,`79.00,`1.00,`登记费 80元,`,`0.48000,`0.60%,`80.00,`\r\n\
    总交易单数,应结订单总金额,手续费总金额,订单总金额\r\n`1,`79.00,`0.48000,`80.00\r\n";

const REFUND: &str = "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,退款申请时间,退款成功时间,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n\
    `2018-11-01 09:00:00,`wx8,`1900000001,`1900000109,`,`42000001,`P1,`oUpF8,`NATIVE,`REFUND,`OTHERS,`CNY,`0.00,`0.00,`2018-11-30 23:59:59,`2018-12-01 00:00:07,`50300001,`R1,`29.00,`1.00,`ORIGINAL,`SUCCESS,`登记费,`,`-0.18000,`0.60%,`0.00,`30.00,`\r\n\
    总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n`1,`0.00,`29.00,`1.00,`-0.18000,`0.00,`30.00\r\n";

const FLOW: &str = "\u{feff}记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额（元）,账户结余（元）,资金变更提交申请人,备注,业务凭证号\r\n\
    `2018-11-30 09:00:00,`42000001,`f1,`交易,`交易,`收入,`80.00,`80.00,`system,`,`P1\r\n\
    `2018-11-30 09:00:00,`42000001,`f2,`扣除交易手续费,`扣除交易手续费,`支出,`0.48,`79.52,`system,`,`P1\r\n\
    `2018-11-30 11:00:00,`50300001,`f3,`退款,`退款,`支出,`29.82,`49.70,`1900000001API,`退款总金额30.00元;含手续费0.18元,`R1\r\n\
    `2018-11-30 12:00:00,`w1,`f4,`提现,`提现,`支出,`49.70,`0.00,`1900000001,`,`w1\r\n\
    资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`4,`1,`80.00,`3,`80.00\r\n";

/// Direction, order, refund, amount, settled, time and state of the only row.
fn only(text: &str) -> (Direction, String, String, i64, Option<i64>, String, BillState) {
    let mut rows = Vec::new();
    let totals = read(text, &mut |row| {
        rows.push((
            row.direction,
            row.out_trade_no.to_owned(),
            row.out_refund_no.to_owned(),
            row.amount.get(),
            row.settled.map(Fen::get),
            domain::time::rfc3339(row.occurred_at),
            row.state,
        ));
    })
    .unwrap();
    assert!(totals.footer_ok, "{:?}", totals.footer_fault);
    assert_eq!(totals.unknown_columns, Vec::<String>::new());
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

#[test]
fn t24_a_bill_of_payments_tells_gross_and_net() {
    let (direction, order, _, amount, settled, at, state) = only(SUCCESS);
    assert_eq!(
        (direction, order.as_str(), state),
        (Direction::Payment, "P1", BillState::Succeeded)
    );
    assert_eq!((amount, settled), (8000, Some(7900)), "with a coupon of 1.00");
    assert_eq!(at, "2018-11-30T09:00:00+08:00");
    let totals = read(SUCCESS, &mut |_| ()).unwrap();
    assert_eq!(totals.covers, Coverage { payments: true, refunds: false });
}

#[test]
fn a_counter_s_payment_that_was_taken_back_is_a_payment_and_its_way_back() {
    let row = |state: &str, order: &str, refund: &str, refunded: &str, fee: &str, paid: &str| {
        format!(
            "`2018-11-30 09:00:00,`wx8,`1900000001,`0,`,`42000001,`{order},`oUpF8,`MICROPAY,`{state},`OTHERS,`CNY,`{paid},`0.00,{refund},`{refunded},`0.00,`,`SUCCESS,`登记费,`,`{fee},`0.60%,`{paid},`{refunded},`\r\n"
        )
    };
    let names = REFUND.lines().next().unwrap().replace("退款申请时间,退款成功时间,", "");
    let totals = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
    let text = format!(
        "{names}\r\n{}{}{totals}\r\n`2,`80.00,`80.00,`0.00,`0.00,`80.00,`80.00\r\n",
        row("SUCCESS", "P1", "`0,`0", "0.00", "0.48000", "80.00"),
        row("REVOKED", "P1", "`50300001,`P1", "80.00", "-0.48000", "0.00"),
    );
    let mut rows = Vec::new();
    let mut each = |row: domain::bill::BillRow<'_>| {
        rows.push((row.direction, row.out_refund_no.to_owned(), row.amount, row.state));
    };
    let totals = read(&text, &mut each).unwrap();
    assert!(totals.footer_ok, "{:?}", totals.footer_fault);
    assert!(super::read_proved_by_footer(&text).unwrap().footer_ok);
    let of_80 = Fen::new(8000);
    assert_eq!(
        rows,
        [
            (Direction::Payment, String::new(), of_80, BillState::Succeeded),
            (Direction::Refund, "P1".to_owned(), of_80, BillState::Succeeded),
        ]
    );
    assert_eq!((totals.payments.amount_fen, totals.refunds.amount_fen), (of_80, of_80));
}

#[test]
fn t22_a_bill_of_refunds_goes_by_the_day_on_which_they_were_asked_for() {
    let (direction, order, refund, amount, settled, at, state) = only(REFUND);
    assert_eq!((direction, state), (Direction::Refund, BillState::Succeeded));
    assert_eq!((order.as_str(), refund.as_str()), ("P1", "R1"));
    assert_eq!((amount, settled), (3000, Some(2900)));
    assert_eq!(at, "2018-11-30T23:59:59+08:00", "neither of payment nor of arrival");
    let totals = read(REFUND, &mut |_| ()).unwrap();
    assert_eq!(totals.covers, Coverage { payments: false, refunds: true });
}

#[test]
fn t20_columns_are_found_by_name_wherever_they_stand() {
    let expected = only(REFUND);
    // The day of asking goes to the end of the line, and a column is added.
    let moved: String = REFUND
        .lines()
        .map(|line| {
            let line = line.replace("退款申请时间,", "").replace("`2018-11-30 23:59:59,", "");
            match line.as_str() {
                names if names.contains("公众账号ID") => format!("{line},新列,退款申请时间\n"),
                row if row.starts_with("`2018") => format!("{line},`x,`2018-11-30 23:59:59\n"),
                _ => format!("{line}\n"),
            }
        })
        .collect();
    let mut seen = Vec::new();
    let totals = read(&moved, &mut |row| seen.push(domain::time::rfc3339(row.occurred_at)));
    assert_eq!(totals.unwrap().unknown_columns, ["新列"], "kept and told");
    assert_eq!(seen, [expected.5]);
}

#[test]
fn a_fund_flow_bill_adds_up_under_full_width_brackets() {
    assert!(fund_flow::recognises(FLOW));
    let flow = fund_flow::read(FLOW, &mut |_| ()).unwrap();
    assert!(flow.footer_ok, "{:?}", flow.footer_fault);
    assert_eq!((flow.income.count, flow.expense.count), (1, 3));
    assert_eq!((flow.income.amount_fen, flow.expense.amount_fen), (Fen::new(8000), Fen::new(8000)));
    assert_eq!(flow.from_trade, Fen::new(4970), "the withdrawal is no trade");
    assert_eq!(fund_flow::read(&FLOW.replace("（元）", "(元)"), &mut |_| ()).unwrap(), flow);
    let wrong =
        fund_flow::read(&FLOW.replace("`4,`1,`80.00", "`4,`1,`80.01"), &mut |_| ()).unwrap();
    assert!(!wrong.footer_ok && wrong.footer_fault.is_some());
    assert!(fund_flow::read(&FLOW.replace("`支出,`49.70", "`转出,`49.70"), &mut |_| ()).is_err());
    let cut = FLOW.split("资金流水总笔数").next().unwrap();
    assert!(fund_flow::read(cut, &mut |_| ()).is_err(), "a cut file is none");
}

#[test]
fn the_rows_of_a_fund_flow_bill_say_what_moved() {
    let mut rows = Vec::new();
    let flow = fund_flow::read(FLOW, &mut |row| {
        let balance = row.balance.map(Fen::get);
        rows.push(format!("{} {:?} {} {balance:?}", row.provider_no, row.kind, row.amount.get()));
    });
    let flow = flow.unwrap();
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert_eq!(rows[0], "42000001 Payment 8000 Some(8000)");
    let kinds: Vec<&str> = rows.iter().filter_map(|row| row.split(' ').nth(1)).collect();
    assert_eq!(kinds, ["Payment", "Charge", "Refund", "Withdrawal"], "{rows:?}");
    let ends = flow.ends.unwrap();
    assert_eq!((ends.opening, ends.closing), (Fen::ZERO, Fen::ZERO));
    assert!(flow.gaps.is_empty(), "{:?}", flow.gaps);
    assert_eq!(flow.days, Some((date(2018, 11, 30), date(2018, 11, 30))));
}
