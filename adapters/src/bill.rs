//! Reads a bill file as downloaded, whoever made it. What it is shows in its content, never in its
//! name: gzip, zip or plain text; UTF-8 or GB18030; WeChat Pay or Alipay by the names of columns.

pub mod balance;
mod blocks;
pub mod crew;
pub(crate) mod decimal;
mod error;
pub mod stream;
pub(crate) mod table;
mod unpack;

#[cfg(test)]
mod tests;

use domain::bill::{BillRow, BillTotals};
use domain::fund::FundRow;

pub use crate::wechat::bill::fund_flow::FundFlow;
pub use error::BillError;
pub use unpack::LARGEST_TEXT;

use crate::alipay::bill::fund_flow as account_bill;
use crate::wechat::bill::fund_flow;
use crate::{alipay, wechat};

/// Reads a trade bill (交易账单, 业务明细), handing each row to `each` as it comes. Every number of
/// the file's own footer is compared with the rows; whether it holds is in the totals.
///
/// # Errors
/// The file is no trade bill, is cut, or a field cannot be read. What `each` was given until then
/// is to be thrown away: nothing is booked from a bad file.
pub fn read(bytes: &[u8], each: &mut dyn FnMut(BillRow<'_>)) -> Result<BillTotals, BillError> {
    let text = unpack::text(bytes, &is_trade_bill)?;
    if wechat::bill::recognises(&text) {
        wechat::bill::read(&text, each)
    } else if alipay::bill::recognises(&text) {
        alipay::bill::read(&text, each)
    } else {
        Err(BillError::NotABill { found: unrecognised(&text) })
    }
}

/// Reads a fund flow bill (资金账单 of WeChat Pay, 账务明细 of Alipay) and holds it against its own
/// footer.
///
/// # Errors
/// The file is no fund flow bill, is cut, or a field cannot be read.
pub fn read_fund_flow(bytes: &[u8]) -> Result<FundFlow, BillError> {
    read_fund_rows(bytes, &mut |_| ())
}

/// The same, handing each row to `each` as it comes. The running balance is followed from row to
/// row; where it does not hold is in what it adds up to.
///
/// # Errors
/// As [`read_fund_flow`]; what `each` was given until then is to be thrown away.
pub fn read_fund_rows(
    bytes: &[u8],
    each: &mut dyn FnMut(FundRow<'_>),
) -> Result<FundFlow, BillError> {
    let text =
        unpack::text(bytes, &|text| fund_flow::recognises(text) || account_bill::recognises(text))?;
    if fund_flow::recognises(&text) {
        return fund_flow::read(&text, each);
    }
    if account_bill::recognises(&text) {
        return account_bill::read(&text, each);
    }
    let found = if is_trade_bill(&text) { "a trade bill".to_owned() } else { unrecognised(&text) };
    Err(BillError::NotAFundFlow { found })
}

/// Reads a trade bill of WeChat Pay that nothing proves but its own footer: one that does not state
/// the count and the sum of each money column does not hold.
///
/// # Errors
/// The file is no such bill, is cut, or a field cannot be read.
pub(crate) fn read_proved_by_footer(bytes: &[u8]) -> Result<BillTotals, BillError> {
    let text = unpack::text(bytes, &wechat::bill::recognises)?;
    if wechat::bill::recognises(&text) {
        return wechat::bill::read_proved_by_footer(&text);
    }
    Err(BillError::NotABill { found: unrecognised(&text) })
}

/// The same of a fund flow bill, whose footer must state all five figures.
///
/// # Errors
/// The file is no such bill, is cut, or a field cannot be read.
pub(crate) fn read_fund_flow_proved_by_footer(bytes: &[u8]) -> Result<FundFlow, BillError> {
    let text = unpack::text(bytes, &fund_flow::recognises)?;
    if fund_flow::recognises(&text) {
        return fund_flow::read_proved_by_footer(&text);
    }
    Err(BillError::NotABill { found: unrecognised(&text) })
}

fn is_trade_bill(text: &str) -> bool {
    wechat::bill::recognises(text) || alipay::bill::recognises(text)
}

/// Says what a file looks like that is no bill, so that whoever fetched it knows what went wrong.
fn unrecognised(text: &str) -> String {
    let start: String = text.trim_start().chars().take(40).filter(|c| !c.is_control()).collect();
    if start.is_empty() {
        "an empty file".to_owned()
    } else if start.starts_with('<') {
        format!("a web page or an XML answer (`{start}`): the download link had expired")
    } else if start.starts_with('{') {
        format!("a JSON answer (`{start}`): the provider refused the download")
    } else if fund_flow::recognises(text) {
        "a fund flow bill (资金账单), not a trade bill".to_owned()
    } else if text.contains("支付宝业务汇总查询") {
        "Alipay's summary (汇总); the detail (业务明细) is needed".to_owned()
    } else if text.contains("账务流水号") {
        "Alipay's account bill (账务明细), not the trade bill (业务明细)".to_owned()
    } else {
        format!("a text without the columns of a bill (`{start}`)")
    }
}
