//! Asks for a day's bill, which in v2 comes as the answer itself: there is no ticket and nothing
//! to fetch. Neither signature nor hash covers the file, so its own footer must prove it: it has to
//! state the count and every sum, and each has to equal what the rows add up to.

use jiff::civil::Date;

use super::order::post;
use super::xml::{self, Fields};
use super::{Parties, TRADE_BILL};
use crate::bill;
use crate::limits::broken;
use crate::provider::{BillAnswer, BillKind, FundAccount, LimitError};
use crate::wire::{Answer, Call, Outcome, Reason, Refusal};

/// Fund flow bills; they need the merchant's certificate.
pub(super) const FUND_FLOW: &str = "/pay/downloadfundflow";

/// `POST /pay/downloadbill`, or `/pay/downloadfundflow`.
pub(super) fn ask(
    parties: &Parties,
    has_client_identity: bool,
    bill: BillKind,
    day: Date,
) -> Result<Call, LimitError> {
    let mut fields = parties.fields();
    fields.set("bill_date", day.strftime("%Y%m%d").to_string());
    fields.set("tar_type", "GZIP");
    let bill_type = match bill {
        BillKind::Trade => "ALL",
        BillKind::Payments => "SUCCESS",
        BillKind::Refunds => "REFUND",
        BillKind::FundFlow(account) => {
            if !has_client_identity {
                let rule = "must be configured: fund flow bills are asked for with it";
                return Err(broken("client_identity", rule));
            }
            if parties.sub_merchant.is_some() {
                return Err(broken("bill", "v2 gives a service provider no one else's fund flow"));
            }
            fields.set("account_type", account_type(account));
            return Ok(post(FUND_FLOW, &fields));
        }
    };
    fields.set("bill_type", bill_type);
    Ok(post(TRADE_BILL, &fields))
}

const fn account_type(account: FundAccount) -> &'static str {
    match account {
        FundAccount::Basic => "Basic",
        FundAccount::Operation => "Operation",
        FundAccount::Fees => "Fees",
    }
}

/// Reads the answer to [`ask`]: the file, or XML that says why there is none.
pub(super) fn read(answer: &Answer) -> Outcome<BillAnswer> {
    if answer.status != 200 {
        return Outcome::Unknown(format!("answer {}", answer.status));
    }
    if answer.body.trim_ascii_start().starts_with(b"<") {
        return match xml::read("xml", &answer.body) {
            Ok(fields) => no_file(&fields),
            Err(why) => Outcome::Unknown(why.to_string()),
        };
    }
    match fault(&answer.body) {
        None => Outcome::Accepted(BillAnswer::Here(answer.body.clone())),
        Some(fault) => Outcome::Refused(Refusal::new(Reason::InvalidRequest, "damaged", &fault)),
    }
}

/// What is wrong with a bill file; `None`: its footer proves it.
fn fault(file: &[u8]) -> Option<String> {
    let differs = |ok: bool, fault: Option<String>| match (ok, fault) {
        (true, _) => None,
        (false, fault) => Some(fault.unwrap_or_else(|| "its footer differs".to_owned())),
    };
    match bill::read_proved_by_footer(file) {
        Ok(totals) => differs(totals.footer_ok, totals.footer_fault),
        Err(bill::BillError::NotABill { found }) => {
            match bill::read_fund_flow_proved_by_footer(file) {
                Ok(flow) => differs(flow.footer_ok, flow.footer_fault),
                Err(bill::BillError::NotABill { .. }) => Some(format!("it is {found}")),
                Err(other) => Some(other.to_string()),
            }
        }
        Err(other) => Some(other.to_string()),
    }
}

/// Why there is no file. WeChat does not sign these either, nor does it use one name for the code:
/// 20002 stands for a day without rows and for a bill that is still being made. Only a text that
/// says so makes the day empty; after any other the bill is asked for again.
fn no_file(fields: &Fields) -> Outcome<BillAnswer> {
    let text = fields.get("return_msg").or_else(|| fields.get("err_code_des")).unwrap_or_default();
    let code = fields.get("error_code").or_else(|| fields.get("err_code")).unwrap_or(text);
    let refused = |reason| Outcome::Refused(Refusal::new(reason, code, text));
    let says_none = text.to_ascii_lowercase().contains("no bill exist") || text.contains("不存在");
    match code {
        "BILL_CREATING" => Outcome::Accepted(BillAnswer::NotYet),
        "20002" if !says_none => Outcome::Accepted(BillAnswer::NotYet),
        "20002" | "NO_BILL_EXIST" => Outcome::Accepted(BillAnswer::EmptyDay),
        "20001" | "PARAM_ERROR" => refused(Reason::InvalidRequest),
        "20007" | "NOAUTH" | "SIGNERROR" | "签名错误" => refused(Reason::Configuration),
        other => {
            let code: String =
                other.chars().filter(|letter| !letter.is_control()).take(64).collect();
            Outcome::Unknown(format!("there is no bill: {code:?}"))
        }
    }
}
