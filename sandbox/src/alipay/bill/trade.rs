//! The trade bill (业务明细): the rows, and a summary of them.

use domain::Fen;
use domain::bill::Direction;

use super::{About, day_text, gbk, head, plain};
use crate::bill::{Line, Sums};
use crate::text::wall;

const HEADER: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";
const SUMMARY_HEADER: &str = "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）";
const ZERO: &str = "0.00";

/// The two files, with their names.
pub(super) fn files(lines: &[Line], about: &About<'_>) -> [(Vec<u8>, Vec<u8>); 2] {
    let stem = format!("{}0156_{}_业务明细", about.seller, about.digits);
    [
        (gbk(&format!("{stem}.csv")), gbk(&detail(lines, about))),
        (gbk(&format!("{stem}(汇总).csv")), gbk(&summary(lines, about))),
    ]
}

fn negative(amount: Fen) -> String {
    if amount == Fen::ZERO { ZERO.to_owned() } else { amount.negated().unwrap_or(amount).yuan() }
}

/// What of one direction's rows was coupon.
fn coupons(lines: &[Line], direction: Direction) -> Fen {
    let of = lines.iter().filter(|line| line.direction == direction);
    Fen::sum(of.map(|line| line.coupon)).unwrap_or(Fen::ZERO)
}

fn less(amount: Fen, other: Fen) -> Fen {
    amount.minus(other).unwrap_or(amount)
}

fn detail(lines: &[Line], about: &About<'_>) -> String {
    let mut text = head("业务明细", "业务明细列表", about);
    text.push_str(HEADER);
    text.push_str("\r\n");
    for line in lines {
        text.push_str(&row(line));
        text.push_str("\r\n");
    }
    let sums = Sums::of(lines);
    let (given, back) = (coupons(lines, Direction::Payment), coupons(lines, Direction::Refund));
    text.push_str(&format!(
        "#-----------------------------------------业务明细列表结束------------------------------------\r\n#交易合计：{}笔，商家实收共{}元，商家优惠共{}元\r\n#退款合计：{}笔，商家实收退款共{}元，商家优惠退款共{}元\r\n#导出时间：[{}]\r\n",
        sums.payments,
        less(sums.paid, given).yuan(),
        given.yuan(),
        sums.refunds,
        negative(less(sums.refunded, back)),
        negative(back),
        day_text(about.made_at),
    ));
    text
}

fn row(line: &Line) -> String {
    let refund = line.direction == Direction::Refund;
    let signed = |amount: Fen| if refund { negative(amount) } else { amount.yuan() };
    let fee = if refund { line.fee.yuan() } else { negative(line.fee) };
    let zero = || ZERO.to_owned();
    let coupon = if line.coupon == Fen::ZERO { "" } else { "商家优惠券" };
    [
        format!("{}\t", line.trade_no),
        format!("{}\t", line.out_trade_no),
        if refund { "退款" } else { "交易" }.to_owned(),
        plain(&line.subject),
        wall(line.created_at),
        wall(line.at),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
        "*园(159****5620)".to_owned(),
        signed(line.amount),
        signed(line.settled()),
        zero(),
        zero(),
        zero(),
        signed(line.coupon),
        zero(),
        coupon.to_owned(),
        zero(),
        zero(),
        if refund { format!("{}\t", line.out_refund_no) } else { String::new() },
        fee,
        zero(),
        plain(&line.attach),
    ]
    .join(",")
}

fn summary(lines: &[Line], about: &About<'_>) -> String {
    let mut text = head("业务汇总", "业务汇总列表", about);
    let sums = Sums::of(lines);
    let net = less(sums.paid, sums.refunded);
    let coupon = less(coupons(lines, Direction::Payment), coupons(lines, Direction::Refund));
    let received = less(net, coupon);
    text.push_str(&format!(
        "{SUMMARY_HEADER}\r\n合计,,{},{},{},{},{ZERO},{},{ZERO},{},{ZERO},{}\r\n#----------------------------------------业务汇总列表结束-------------------------------------\r\n#导出时间：[{}]\r\n",
        sums.payments,
        sums.refunds,
        net.yuan(),
        received.yuan(),
        coupon.yuan(),
        negative(sums.fee),
        less(received, sums.fee).yuan(),
        day_text(about.made_at),
    ));
    text
}
