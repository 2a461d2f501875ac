//! The trade bill of Alipay: an address for thirty seconds, a zip of two GBK files.

use domain::Fen;
use domain::bill::Direction;
use domain::time::{business_day, day_end, day_start};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value, json};

use super::Request;
use super::archive::zip;
use super::node::Business;
use super::trades::fields;
use crate::bill::{Line, Sums, day_bill, ready_at};
use crate::engine::World;
use crate::faults::{Action, Operation, Place, Subject};
use crate::message::{Received, Reply};
use crate::state::{BillFile, later};
use crate::text::{query_value, wall};
use crate::wechat::on_its_way;

/// The address lives thirty seconds.
const ADDRESS_LIFE_S: u32 = 30;

const HEADER: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";
const SUMMARY_HEADER: &str = "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）,支付宝优惠（元）,商家优惠（元）,卡消费金额（元）,服务费（元）,分润（元）,实收净额（元）";

/// `alipay.data.dataservice.bill.downloadurl.query`.
pub(super) fn address(
    world: &mut World,
    request: &Request<'_>,
) -> Result<Map<String, Value>, Business> {
    let none = || Business::failed("isp.bill_not_exist", "入参账单时间无对应账单");
    if request.text("bill_type").as_deref() != Some("trade") {
        return Err(Business::invalid("isv.invalid-arguments", "沙箱只提供trade账单"));
    }
    let text = request.text("bill_date").unwrap_or_default();
    let day: Date = text.parse().map_err(|source: jiff::Error| {
        Business::invalid("isv.invalid-arguments", format!("bill_date须为yyyy-MM-dd: {source}"))
    })?;
    if request.now < ready_at(day) {
        return Err(none());
    }
    let Some(app) = world.keys.alipay(request.app_id) else { return Err(none()) };
    let (rate, seller) = (app.config.fee_rate_ppm, app.config.seller_id.clone());
    let bill = day_bill(world, request.app_id, day, rate);
    if bill.lines.is_empty() || bill.has(Action::Late) || bill.has(Action::EmptyDay) {
        return Err(none());
    }
    let mut bytes = files(&bill.lines, &seller, day, request.now)
        .map_err(|source| Business::failed("isp.unknow-error", source.to_string()))?;
    if bill.has(Action::Truncate) || bill.has(Action::WrongHash) {
        // Alipay names no hash: a damaged file is what both come to.
        bytes.truncate(bytes.len().div_euclid(2));
    }
    let token = world.chance.hex(32);
    let digits = day.strftime("%Y%m%d");
    let address = format!(
        "{}/downloadBillFile.resource?bizType=trade&userId={seller}&fileType=csv.zip&bizDates={digits}&downloadFileName={seller}0156_{digits}.csv.zip&fileId=%2Ftrade%2F{seller}%2F{digits}.csv.zip&token={token}",
        world.base_url
    );
    let expires_at = later(request.now, ADDRESS_LIFE_S);
    world.book.bills.retain(|_, file| file.expires_at > request.now);
    let merchant = request.app_id.to_owned();
    world.book.bills.insert(token, BillFile { merchant, expires_at, bytes });
    Ok(fields(&json!({"bill_download_url": address})))
}

/// `GET /downloadBillFile.resource?…`: no signature, the token is the right to it.
pub(crate) fn download(world: &mut World, now: Timestamp, received: &Received) -> Reply {
    let token = query_value(received.query(), "token").unwrap_or_default();
    let found = world.book.bills.get(&token).filter(|file| now < file.expires_at);
    let Some(file) = found else {
        return Reply::new(200, "text/html;charset=UTF-8", "<html>下载超时，请重新下载</html>");
    };
    let (merchant, bytes) = (file.merchant.clone(), file.bytes.clone());
    let subject =
        Subject { merchant: &merchant, date: Some(business_day(now)), ..Subject::default() };
    let fault = world.strike(Place::Answer, Operation::FetchBill, &subject);
    match fault.as_ref().map(|fault| fault.action) {
        Some(Action::Drop) => Reply::cut(),
        Some(Action::Status500 | Action::Status429) => Reply::new(503, "text/html", ""),
        _ => on_its_way(Reply::new(200, "application/zip", bytes), fault.as_ref()),
    }
}

fn files(lines: &[Line], seller: &str, day: Date, now: Timestamp) -> std::io::Result<Vec<u8>> {
    let stem = format!("{seller}0156_{}_业务明细", day.strftime("%Y%m%d"));
    zip(&[
        (gbk(&format!("{stem}.csv")), gbk(&detail(lines, seller, day, now))),
        (gbk(&format!("{stem}(汇总).csv")), gbk(&summary(lines, seller, day, now))),
    ])
}

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

fn day_text(at: Timestamp) -> String {
    domain::time::beijing(at).strftime("%Y年%m月%d日 %H:%M:%S").to_string()
}

fn head(title: &str, list: &str, seller: &str, day: Date) -> String {
    let rule = "-----------------------------------------";
    format!(
        "#支付宝业务{title}查询\r\n#账号：[{seller}0156]\r\n#起始日期：[{}]   终止日期：[{}]\r\n#{rule}{list}----------------------------------------\r\n",
        day_text(day_start(day)),
        day_text(day_end(day)),
    )
}

fn detail(lines: &[Line], seller: &str, day: Date, now: Timestamp) -> String {
    let mut text = head("明细", "业务明细列表", seller, day);
    text.push_str(HEADER);
    text.push_str("\r\n");
    for line in lines {
        text.push_str(&row(line));
        text.push_str("\r\n");
    }
    let sums = Sums::of(lines);
    let back = sums.refunded.negated().unwrap_or(Fen::ZERO).yuan();
    text.push_str(&format!(
        "#-----------------------------------------业务明细列表结束------------------------------------\r\n#交易合计：{}笔，商家实收共{}元，商家优惠共0.00元\r\n#退款合计：{}笔，商家实收退款共{}元，商家优惠退款共0.00元\r\n#导出时间：[{}]\r\n",
        sums.payments,
        sums.paid.yuan(),
        sums.refunds,
        if sums.refunds == 0 { "0.00" } else { &back },
        day_text(now),
    ));
    text
}

/// A text that cannot break the line.
fn plain(text: &str) -> String {
    text.replace([',', '\r', '\n', '\t'], " ")
}

fn row(line: &Line) -> String {
    let refund = line.direction == Direction::Refund;
    let negative = |amount: Fen| amount.negated().unwrap_or(Fen::ZERO).yuan();
    let (amount, fee) = if refund {
        (negative(line.amount), line.fee.yuan())
    } else {
        (line.amount.yuan(), negative(line.fee))
    };
    let zero = "0.00";
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
        amount.clone(),
        amount,
        zero.to_owned(),
        zero.to_owned(),
        zero.to_owned(),
        zero.to_owned(),
        zero.to_owned(),
        String::new(),
        zero.to_owned(),
        zero.to_owned(),
        if refund { format!("{}\t", line.out_refund_no) } else { String::new() },
        fee,
        zero.to_owned(),
        plain(&line.attach),
    ]
    .join(",")
}

fn summary(lines: &[Line], seller: &str, day: Date, now: Timestamp) -> String {
    let mut text = head("汇总", "业务汇总列表", seller, day);
    let sums = Sums::of(lines);
    let net = sums.paid.minus(sums.refunded).unwrap_or(Fen::ZERO);
    let fee = sums.fee.negated().unwrap_or(Fen::ZERO);
    let kept = net.plus(fee).unwrap_or(net);
    text.push_str(&format!(
        "{SUMMARY_HEADER}\r\n合计,,{},{},{},{},0.00,0.00,0.00,{},0.00,{}\r\n#----------------------------------------业务汇总列表结束-------------------------------------\r\n#导出时间：[{}]\r\n",
        sums.payments,
        sums.refunds,
        net.yuan(),
        net.yuan(),
        fee.yuan(),
        kept.yuan(),
        day_text(now),
    ));
    text
}
