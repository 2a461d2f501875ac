//! The trade bill of WeChat Pay: 27 columns, byte order mark, CRLF, a backtick before every field,
//! two lines of totals; gzip when asked for; the hash is that of the plain text.

use std::io::Write as _;

use domain::Fen;
use domain::bill::Direction;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::refusal::Refusal;
use crate::bill::{DayBill, Line, Sums, day_bill, ready_at};
use crate::engine::World;
use crate::faults::Action;
use crate::state::{BillFile, Standing, later};
use crate::text::{query_value, wall};

const HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const TOTALS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
/// The download address lives five minutes.
const ADDRESS_LIFE_S: u32 = 300;
const OLDEST_DAYS: i32 = 93;

/// `GET /v3/bill/tradebill`.
pub(super) fn ask(
    world: &mut World,
    now: Timestamp,
    mchid: &str,
    query: &str,
) -> Result<Value, Refusal> {
    let text = query_value(query, "bill_date").unwrap_or_default();
    let day: Date = text.parse().map_err(|source: jiff::Error| {
        Refusal::parameter("/bill_date", &text, &format!("须为yyyy-MM-dd: {source}"))
    })?;
    let only_all = query_value(query, "bill_type").is_none_or(|kind| kind == "ALL");
    if !only_all {
        return Err(Refusal::parameter("/bill_type", "", "沙箱只提供ALL账单"));
    }
    let gzip = match query_value(query, "tar_type").as_deref() {
        None => false,
        Some("GZIP") => true,
        Some(other) => return Err(Refusal::parameter("/tar_type", other, "只支持GZIP")),
    };
    let today = domain::time::business_day(now);
    if day > today {
        return Err(Refusal::parameter("/bill_date", &text, "日期不得晚于今天"));
    }
    if day.until(today).is_ok_and(|span| span.get_days() > OLDEST_DAYS) {
        return Err(Refusal::new(400, "INVALID_REQUEST", "仅支持三个月内的账单下载申请"));
    }
    let creating = || Refusal::new(400, "STATEMENT_CREATING", "账单生成中，请稍后再试");
    if now < ready_at(day) {
        return Err(creating());
    }
    let (appid, rate) = match world.keys.wechat(mchid) {
        Some(merchant) => (merchant.config.appid.clone(), merchant.config.fee_rate_ppm),
        None => return Err(Refusal::sign("商户号不存在")),
    };
    let bill = day_bill(world, mchid, day, rate);
    if bill.has(Action::Late) {
        return Err(creating());
    }
    if bill.lines.is_empty() || bill.has(Action::EmptyDay) {
        return Err(Refusal::new(400, "NO_STATEMENT_EXIST", "账单文件不存在"));
    }
    file(world, now, mchid, &bill, &csv(&bill.lines, &appid, mchid, rate), gzip)
}

fn file(
    world: &mut World,
    now: Timestamp,
    mchid: &str,
    bill: &DayBill,
    text: &str,
    gzip: bool,
) -> Result<Value, Refusal> {
    let system =
        |source: std::io::Error| Refusal::new(500, "SYSTEM_ERROR", format!("系统错误: {source}"));
    let hash = Sha1::digest(if bill.has(Action::WrongHash) { "wrong" } else { text });
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut bytes = text.as_bytes().to_vec();
    if bill.has(Action::Truncate) {
        bytes.truncate(bytes.len().div_euclid(2));
    }
    if gzip {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(&bytes).map_err(system)?;
        bytes = packed.finish().map_err(system)?;
    }
    // The token is percent-encoded already: whoever re-encodes it breaks the signature and the look-up.
    let token = format!("{}%3D%3D", world.chance.nonce(40));
    let address = format!("{}/v3/billdownload/file?token={token}", world.base_url);
    let expires_at = later(now, ADDRESS_LIFE_S);
    world.book.bills.retain(|_, file| file.expires_at > now);
    world.book.bills.insert(token, BillFile { merchant: mchid.to_owned(), expires_at, bytes });
    Ok(json!({"download_url": address, "hash_type": "SHA1", "hash_value": hash}))
}

/// `GET /v3/billdownload/file?token=`.
pub(super) fn fetch(
    world: &World,
    now: Timestamp,
    mchid: &str,
    query: &str,
) -> Result<Vec<u8>, Refusal> {
    let token = query.strip_prefix("token=").unwrap_or_default();
    let file = world
        .book
        .bills
        .get(token)
        .filter(|file| now < file.expires_at)
        .ok_or_else(|| Refusal::new(400, "INVALID_REQUEST", "下载地址无效或已过期"))?;
    if file.merchant != mchid {
        return Err(Refusal::new(403, "NO_AUTH", "无权下载该账单"));
    }
    Ok(file.bytes.clone())
}

/// The file's text.
fn csv(lines: &[Line], appid: &str, mchid: &str, rate_ppm: i64) -> String {
    let mut text = format!("\u{feff}{HEADER}\r\n");
    let rate = rate_text(rate_ppm);
    for line in lines {
        row(&mut text, &fields(line, appid, mchid, &rate));
    }
    text.push_str(TOTALS);
    text.push_str("\r\n");
    let sums = Sums::of(lines);
    let rows = lines.len();
    row(
        &mut text,
        &[
            format!("{rows}.0"),
            sums.paid.yuan(),
            sums.refunded.yuan(),
            "0.00".to_owned(),
            five(sums.fee),
            sums.paid.yuan(),
            sums.refunded.yuan(),
        ],
    );
    text
}

fn row(text: &mut String, fields: &[String]) {
    let fields: Vec<String> = fields.iter().map(|field| format!("`{field}")).collect();
    text.push_str(&fields.join(","));
    text.push_str("\r\n");
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

fn fields(line: &Line, appid: &str, mchid: &str, rate: &str) -> [String; 27] {
    let refund = line.direction == Direction::Refund;
    let own = |text: &str| text.to_owned();
    let (paid, back) =
        if refund { (own("0.00"), line.amount.yuan()) } else { (line.amount.yuan(), own("0.00")) };
    let fee = if refund { line.fee.negated().unwrap_or(Fen::ZERO) } else { line.fee };
    let only = |text: &str, otherwise: &str| own(if refund { text } else { otherwise });
    [
        wall(line.at),
        own(appid),
        own(mchid),
        own("0"),
        String::new(),
        line.trade_no.clone(),
        line.out_trade_no.clone(),
        line.payer.clone(),
        own("NATIVE"),
        only("REFUND", "SUCCESS"),
        own("OTHERS"),
        own("CNY"),
        paid.clone(),
        own("0.00"),
        only(&line.refund_no, "0"),
        only(&line.out_refund_no, "0"),
        back.clone(),
        own("0.00"),
        only("ORIGINAL", ""),
        only(word(line.standing), ""),
        escaped(&line.subject),
        escaped(&line.attach),
        five(fee),
        own(rate),
        paid,
        back,
        String::new(),
    ]
}
