//! The bills of Alipay: trades (业务明细) and funds (账务明细), of a day or a month; an address for
//! thirty seconds, behind it a zip of GBK files.

mod fund;
mod trade;

use domain::time::{business_day, day_end, day_start};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Map, Value, json};

use super::archive::zip;
use super::node::Business;
use super::request::Request;
use super::trades::fields;
use crate::bill::{Line, day_bill, ready_at};
use crate::engine::World;
use crate::faults::{Action, Operation, Place, Subject};
use crate::message::{Received, Reply};
use crate::state::{BillFile, later};
use crate::text::query_value;
use crate::wechat::on_its_way;

/// The address lives thirty seconds.
const ADDRESS_LIFE_S: u32 = 30;

/// Which bill.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Trade,
    Fund,
}

/// What a file is about.
struct About<'a> {
    seller: &'a str,
    first: Date,
    last: Date,
    /// `20261120` or `202611`.
    digits: String,
    made_at: Timestamp,
}

/// `alipay.data.dataservice.bill.downloadurl.query`.
pub(super) fn address(
    world: &mut World,
    request: &Request<'_>,
) -> Result<Map<String, Value>, Business> {
    let none = || Business::failed("isp.bill_not_exist", "入参账单时间无对应账单");
    let kind = match request.text("bill_type").as_deref() {
        Some("trade") => Kind::Trade,
        Some("signcustomer") => Kind::Fund,
        _ => {
            let text = "沙箱只提供trade与signcustomer账单";
            return Err(Business::invalid("isv.invalid-arguments", text));
        }
    };
    let about = about(request)?;
    if request.now < ready(&about) {
        return Err(none());
    }
    let app = world.keys.alipay(request.app_id).ok_or_else(none)?;
    let rate = app.config.fee_rate_ppm;
    let place = if kind == Kind::Trade { Place::Bill } else { Place::FundBill };
    let (mut lines, actions) = lines(world, place, request, &about, rate);
    let has = |action: Action| actions.contains(&action);
    let charged = if has(Action::ChargeTaken) { rate } else { 0 };
    if kind == Kind::Fund {
        fund::settle(&mut lines, charged);
    }
    let is_there = !lines.is_empty() || has(Action::MissingRow);
    let files = match kind {
        Kind::Trade => is_there.then(|| trade::files(&lines, &about)),
        Kind::Fund => fund::files(world, request, &lines, &about, charged),
    };
    let files = files.filter(|_| !has(Action::Late) && !has(Action::EmptyDay)).ok_or_else(none)?;
    let packed = zip(&files);
    let mut bytes =
        packed.map_err(|source| Business::failed("isp.unknow-error", source.to_string()))?;
    if has(Action::Truncate) || has(Action::WrongHash) {
        // Alipay names no hash: a damaged file is what both come to.
        bytes.truncate(bytes.len().div_euclid(2));
    }
    let token = world.chance.hex(32);
    let (seller, digits) = (about.seller, &about.digits);
    let word = if kind == Kind::Trade { "trade" } else { "signcustomer" };
    let address = format!(
        "{}/downloadBillFile.resource?bizType={word}&userId={seller}&fileType=csv.zip&bizDates={digits}&downloadFileName={seller}0156_{digits}.csv.zip&fileId=%2F{word}%2F{seller}%2F{digits}.csv.zip&token={token}",
        world.base_url
    );
    let expires_at = later(request.now, ADDRESS_LIFE_S);
    world.book.bills.retain(|_, file| file.expires_at > request.now);
    let merchant = request.app_id.to_owned();
    world.book.bills.insert(token, BillFile { merchant, expires_at, bytes });
    Ok(fields(&json!({"bill_download_url": address})))
}

/// The day or month that is asked for.
fn about<'a>(request: &'a Request<'_>) -> Result<About<'a>, Business> {
    let text = request.text("bill_date").unwrap_or_default();
    let wrong = || Business::invalid("isv.invalid-arguments", "bill_date须为yyyy-MM-dd或yyyy-MM");
    let month = text.len() == 7;
    let first = if month { format!("{text}-01") } else { text };
    let dashed = first.len() == 10 && first.matches('-').count() == 2;
    let first: Date = first.parse().ok().filter(|_| dashed).ok_or_else(wrong)?;
    let last = if month { first.last_of_month() } else { first };
    let digits = first.strftime(if month { "%Y%m" } else { "%Y%m%d" }).to_string();
    Ok(About { seller: &request.seller, first, last, digits, made_at: request.now })
}

/// A day's bill is there on the next morning, a month's on the third.
fn ready(about: &About<'_>) -> Timestamp {
    if about.first == about.last {
        return ready_at(about.last);
    }
    ready_at(about.last.checked_add(2.days()).unwrap_or(about.last))
}

/// The seller's rows, and what faults do to the file.
fn lines(
    world: &mut World,
    place: Place,
    request: &Request<'_>,
    about: &About<'_>,
    rate: i64,
) -> (Vec<Line>, Vec<Action>) {
    let (mut lines, mut actions) = (Vec::new(), Vec::new());
    let mut day = about.first;
    while day <= about.last {
        let mut bill = day_bill(world, place, request.app_id, day, rate);
        bill.lines.retain(|line| {
            let order = world.book.order(request.app_id, &line.out_trade_no);
            order.is_none_or(|order| order.sub == request.sub)
        });
        lines.append(&mut bill.lines);
        actions.append(&mut bill.actions);
        match day.tomorrow() {
            Ok(next) => day = next,
            Err(_) => break,
        }
    }
    (lines, actions)
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

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

fn day_text(at: Timestamp) -> String {
    domain::time::beijing(at).strftime("%Y年%m月%d日 %H:%M:%S").to_string()
}

/// The lines before a file's table.
fn head(title: &str, list: &str, about: &About<'_>) -> String {
    let rule = "-----------------------------------------";
    format!(
        "#支付宝{title}查询\r\n#账号：[{}0156]\r\n#起始日期：[{}]   终止日期：[{}]\r\n#{rule}{list}----------------------------------------\r\n",
        about.seller,
        day_text(day_start(about.first)),
        day_text(day_end(about.last)),
    )
}

/// A text that cannot break the line.
fn plain(text: &str) -> String {
    text.replace([',', '\r', '\n', '\t'], " ")
}
