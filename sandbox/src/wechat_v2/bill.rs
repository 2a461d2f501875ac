//! Bills over the old interface: the very files of the newer one, in the answer itself.

use jiff::civil::Date;

use super::asked::Asked;
use super::refusal::Refusal;
use super::sign::SignType;
use crate::engine::World;
use crate::wechat;

/// `POST /pay/downloadbill`.
pub(super) fn trade(world: &mut World, asked: &Asked) -> Result<Vec<u8>, Refusal> {
    let kind = asked.get("bill_type").unwrap_or("ALL");
    if !matches!(kind, "ALL" | "SUCCESS" | "REFUND") {
        return Err(Refusal::unheard("invalid bill_type"));
    }
    file(world, asked, &format!("/v3/bill/tradebill?bill_type={kind}"))
}

/// `POST /pay/downloadfundflow`.
pub(super) fn fund_flow(world: &mut World, asked: &Asked) -> Result<Vec<u8>, Refusal> {
    if asked.sign_type != SignType::HmacSha256 {
        return Err(Refusal::unheard("签名错误，资金账单仅支持HMAC-SHA256"));
    }
    let account = match asked.get("account_type") {
        Some("Basic") => "BASIC",
        Some("Operation") => "OPERATION",
        Some("Fees") => "FEES",
        _ => return Err(Refusal::unheard("invalid account_type")),
    };
    file(world, asked, &format!("/v3/bill/fundflowbill?account_type={account}"))
}

fn file(world: &mut World, asked: &Asked, target: &str) -> Result<Vec<u8>, Refusal> {
    let Some(text) = asked.get("bill_date") else {
        return Err(Refusal::unheard("missing parameter bill_date"));
    };
    let day = Date::strptime("%Y%m%d", text).ok().filter(|_| text.len() == 8);
    let Some(day) = day else {
        world.verdicts.deviates("bill_date: not yyyyMMdd");
        return Err(Refusal::unheard("invalid bill_date"));
    };
    let packed = match asked.get("tar_type") {
        None => "",
        Some("GZIP") => "&tar_type=GZIP",
        Some(_) => return Err(Refusal::unheard("invalid tar_type")),
    };
    let sub = asked.sub.as_ref().map(|sub| format!("&sub_mchid={}", sub.mchid)).unwrap_or_default();
    let target = format!("{target}&bill_date={day}{packed}{sub}");
    wechat::bill_file(world, asked.now, &asked.mchid, target).map_err(
        |(code, message)| match code {
            "NO_STATEMENT_EXIST" => Refusal::no_bill("20002", "No Bill Exist"),
            "STATEMENT_CREATING" => Refusal::no_bill("20002", "Bill Creating"),
            _ => Refusal::unheard(message),
        },
    )
}
