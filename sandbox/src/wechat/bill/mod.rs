//! Bills of WeChat Pay: asked for by day and kind, packed when asked for, fetched under an address
//! that lives five minutes; the hash is that of the plain text.

mod fund;
mod trade;

use std::io::Write as _;

use domain::Fen;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::Asked;
use super::refusal::Refusal;
use crate::bill::{DayBill, day_bill, ready_at};
use crate::engine::World;
use crate::faults::{Action, Place};
use crate::fund::withdrawals;
use crate::message::Received;
use crate::state::{BillFile, later};
use crate::text::query_value;

/// The download address lives five minutes.
const ADDRESS_LIFE_S: u32 = 300;
const OLDEST_DAYS: i32 = 93;

/// What every bill is asked with.
struct Wanted {
    day: Date,
    gzip: bool,
    rate_ppm: i64,
    appid: String,
}

impl Wanted {
    fn read(world: &World, asked: &Asked<'_>) -> Result<Self, Refusal> {
        let query = asked.request.query();
        let text = query_value(query, "bill_date").unwrap_or_default();
        let day: Date = text.parse().map_err(|source: jiff::Error| {
            Refusal::parameter("/bill_date", &text, &format!("须为yyyy-MM-dd: {source}"))
        })?;
        let gzip = match query_value(query, "tar_type").as_deref() {
            None => false,
            Some("GZIP") => true,
            Some(other) => return Err(Refusal::parameter("/tar_type", other, "只支持GZIP")),
        };
        let today = domain::time::business_day(asked.now);
        if day > today {
            return Err(Refusal::parameter("/bill_date", &text, "日期不得晚于今天"));
        }
        if day.until(today).is_ok_and(|span| span.get_days() > OLDEST_DAYS) {
            return Err(Refusal::new(400, "INVALID_REQUEST", "仅支持三个月内的账单下载申请"));
        }
        if asked.now < ready_at(day) {
            return Err(creating());
        }
        let config = &world.keys.wechat(asked.mchid).ok_or_else(Refusal::no_merchant)?.config;
        Ok(Self { day, gzip, rate_ppm: config.fee_rate_ppm, appid: config.appid.clone() })
    }

    /// The day's rows, with what faults do to them.
    fn bill(&self, world: &mut World, place: Place, mchid: &str) -> Result<DayBill, Refusal> {
        let bill = day_bill(world, place, mchid, self.day, self.rate_ppm);
        if bill.has(Action::Late) { Err(creating()) } else { Ok(bill) }
    }
}

fn creating() -> Refusal {
    Refusal::new(400, "STATEMENT_CREATING", "账单生成中，请稍后再试")
}

fn none_there() -> Refusal {
    Refusal::new(400, "NO_STATEMENT_EXIST", "账单文件不存在")
}

/// `GET /v3/bill/tradebill`.
pub(super) fn trade(world: &mut World, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let wanted = Wanted::read(world, asked)?;
    let query = asked.request.query();
    let word = query_value(query, "bill_type");
    let kind = trade::Kind::of(word.as_deref()).ok_or_else(|| {
        Refusal::parameter("/bill_type", word.as_deref().unwrap_or_default(), "账单类型不合法")
    })?;
    let mut bill = wanted.bill(world, Place::Bill, asked.mchid)?;
    if let Some(sub) = query_value(query, "sub_mchid") {
        bill.lines.retain(|line| line.sub_merchant.as_deref() == Some(&sub));
    }
    bill.lines.retain(|line| kind.has(line.direction));
    if bill.lines.is_empty() || bill.has(Action::EmptyDay) {
        return Err(none_there());
    }
    let text = trade::csv(&bill.lines, kind, &wanted.appid, asked.mchid, wanted.rate_ppm);
    file(world, asked, &bill, &text, wanted.gzip)
}

/// `GET /v3/bill/fundflowbill`. Everything moves on the basic account, but for the charges: those of an
/// office that collects for the treasury go to an account of their own, unless a fault takes them from
/// the principal.
pub(super) fn fund_flow(world: &mut World, asked: &Asked<'_>) -> Result<Value, Refusal> {
    let wanted = Wanted::read(world, asked)?;
    let word = query_value(asked.request.query(), "account_type");
    let basic = match word.as_deref() {
        None | Some("BASIC") => true,
        Some("OPERATION" | "FEES") => false,
        Some(other) => {
            return Err(Refusal::parameter("/account_type", other, "资金账户类型不合法"));
        }
    };
    let mut bill = wanted.bill(world, Place::FundBill, asked.mchid)?;
    let rate_ppm = if bill.has(Action::ChargeTaken) { wanted.rate_ppm } else { 0 };
    fund::settle(&mut bill.lines, rate_ppm);
    let moved = fund::moved(world, asked.mchid, wanted.day, rate_ppm);
    let (opening, gone) = withdrawals(&moved, (wanted.day, wanted.day));
    let is_empty = bill.lines.is_empty() && gone.is_empty();
    if !basic || is_empty || bill.has(Action::EmptyDay) {
        return Err(none_there());
    }
    let text = fund::csv(&bill.lines, opening, &gone);
    file(world, asked, &bill, &text, wanted.gzip)
}

fn file(
    world: &mut World,
    asked: &Asked<'_>,
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
    let expires_at = later(asked.now, ADDRESS_LIFE_S);
    world.book.bills.retain(|_, file| file.expires_at > asked.now);
    let merchant = asked.mchid.to_owned();
    world.book.bills.insert(token, BillFile { merchant, expires_at, bytes });
    Ok(json!({"download_url": address, "hash_type": "SHA1", "hash_value": hash}))
}

/// `GET /v3/billdownload/file?token=`.
pub(super) fn fetch(world: &World, asked: &Asked<'_>) -> Result<Vec<u8>, Refusal> {
    let token = asked.request.query().strip_prefix("token=").unwrap_or_default();
    let file = world
        .book
        .bills
        .get(token)
        .filter(|file| asked.now < file.expires_at)
        .ok_or_else(|| Refusal::new(400, "INVALID_REQUEST", "下载地址无效或已过期"))?;
    if file.merchant != asked.mchid {
        return Err(Refusal::new(403, "NO_AUTH", "无权下载该账单"));
    }
    Ok(file.bytes.clone())
}

/// The file that a bill's path and query ask for, for the old interface, which answers with the file
/// itself; or the code and sentence of the refusal.
pub(crate) fn bill_file(
    world: &mut World,
    now: Timestamp,
    mchid: &str,
    target: String,
) -> Result<Vec<u8>, (&'static str, String)> {
    let of = |target: String| Received {
        method: "GET".to_owned(),
        target,
        headers: Vec::new(),
        body: Vec::new(),
    };
    let told = |refusal: Refusal| (refusal.code, refusal.message);
    let is_trade = target.starts_with("/v3/bill/tradebill");
    let request = of(target);
    let asked = Asked { mchid, now, request: &request, action: None };
    let ask = if is_trade { trade } else { fund_flow };
    let ticket = ask(world, &asked).map_err(told)?;
    let address = ticket.get("download_url").and_then(Value::as_str).unwrap_or_default();
    let request = of(address.to_owned());
    fetch(world, &Asked { request: &request, ..asked }).map_err(told)
}

/// A line of fields, each behind a backtick.
fn row(text: &mut String, fields: &[String]) {
    let fields: Vec<String> = fields.iter().map(|field| format!("`{field}")).collect();
    text.push_str(&fields.join(","));
    text.push_str("\r\n");
}

/// A title line.
fn title(text: &mut String, titles: &str) {
    text.push_str(titles);
    text.push_str("\r\n");
}

fn negative(amount: Fen) -> Fen {
    amount.negated().unwrap_or(Fen::ZERO)
}
