//! The calls that give money back, ask for it, and send it elsewhere when the payer's account
//! refused it.

use domain::personal::Personal;
use domain::time::{beijing, from_beijing};
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;

use super::order::{get, post};
use super::parties::Parties;
use super::place::payable;
use super::ring::Ring;
use super::seal::Sealing;
use crate::limits::{self, Length, broken};
use crate::percent;
use crate::provider::{AccountKind, LimitError, NewRefund, Redirect, RefundKey};
use crate::wire::Call;

/// Marks that WeChat takes in a refund's number.
const REFUND_MARKS: &str = "_-|*@";

/// How many refunds one payment can have.
const MOST_REFUNDS: u32 = 50;

const ROOT: &str = "/v3/refund/domestic/refunds";

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    transaction_id: &'a str,
    out_refund_no: &'a str,
    reason: &'a str,
    notify_url: &'a str,
    amount: Amount,
}

#[derive(Serialize)]
struct Amount {
    refund: i64,
    total: i64,
    currency: &'static str,
}

#[derive(Serialize)]
struct RedirectBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    out_refund_no: &'a str,
    #[serde(rename = "type")]
    to: &'static str,
    #[serde(flatten)]
    card: Option<Card<'a>>,
}

/// A payer's card; number and name are sealed.
#[derive(Serialize)]
struct Card<'a> {
    bank_type: &'a str,
    bank_account: String,
    real_name: String,
}

/// `POST /v3/refund/domestic/refunds`, for the payment that has the provider's number.
pub(super) fn refund(parties: &Parties, refund: &NewRefund<'_>) -> Result<Call, LimitError> {
    number(refund.out_refund_no.as_str())?;
    limits::text("reason", refund.reason, Length::Bytes(80))?;
    limits::notify_url(refund.notify_url, 256)?;
    payable("amount_fen", refund.amount)?;
    payable("total_fen", refund.total)?;
    if refund.amount > refund.total {
        return Err(broken("amount_fen", "must not be more than the payment"));
    }
    if refund.earlier >= MOST_REFUNDS {
        return Err(broken("out_refund_no", "a payment can be refunded at most 50 times"));
    }
    if refund.now > last_chance(refund.paid_at) {
        return Err(broken("paid_at", "WeChat Pay refunds for 1 year after the payment only"));
    }
    post(
        ROOT.to_owned(),
        &Body {
            sub_mchid: parties.sub_mchid(),
            transaction_id: refund.provider_trade_no.as_str(),
            out_refund_no: refund.out_refund_no.as_str(),
            reason: refund.reason,
            notify_url: refund.notify_url,
            amount: Amount {
                refund: refund.amount.get(),
                total: refund.total.get(),
                currency: "CNY",
            },
        },
    )
}

/// `GET /v3/refund/domestic/refunds/{out_refund_no}`.
pub(super) fn query(parties: &Parties, refund: &RefundKey<'_>) -> Call {
    let number = percent::encode(refund.out_refund_no.as_str());
    match parties.sub_mchid() {
        None => get(format!("{ROOT}/{number}")),
        Some(sub) => get(format!("{ROOT}/{number}?sub_mchid={}", percent::encode(sub))),
    }
}

/// `POST /v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund`.
pub(super) fn redirect(
    parties: &Parties,
    ring: &Ring,
    redirect: &Redirect<'_>,
) -> Result<Call, LimitError> {
    number(redirect.out_refund_no.as_str())?;
    let (to, card, sealed_with) = match redirect.to {
        AccountKind::MerchantAccount => ("MERCHANT_BANK_CARD", None, None),
        AccountKind::PayerCard => {
            let (card, sealed_with) = card(ring, redirect)?;
            ("USER_BANK_CARD", Some(card), Some(sealed_with))
        }
    };
    let id = percent::encode(redirect.provider_refund_no.as_str());
    let mut call = post(
        format!("{ROOT}/{id}/apply-abnormal-refund"),
        &RedirectBody {
            sub_mchid: parties.sub_mchid(),
            out_refund_no: redirect.out_refund_no.as_str(),
            to,
            card,
        },
    )?;
    call.parameters.extend(sealed_with);
    Ok(call)
}

fn card<'a>(
    ring: &Ring,
    redirect: &Redirect<'a>,
) -> Result<(Card<'a>, (String, String)), LimitError> {
    let bank_type = redirect.bank.unwrap_or_default();
    let is_word = bank_type.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if bank_type.is_empty() || bank_type.len() > 16 || !is_word {
        return Err(broken("bank", "must be WeChat Pay's word for the bank, like CMB_DEBIT"));
    }
    let mut sealing = Sealing::begin(ring, redirect.now, redirect.chance, "card")?;
    let mut sealed = |name, text: Option<&Personal>| {
        sealing.field(name, text.ok_or_else(|| broken(name, "must be given for a payer's card"))?)
    };
    let bank_account = sealed("card", redirect.card)?;
    let real_name = sealed("holder", redirect.holder)?;
    Ok((Card { bank_type, bank_account, real_name }, sealing.parameter()))
}

fn number(out_refund_no: &str) -> Result<(), LimitError> {
    limits::number("out_refund_no", out_refund_no, (1, 64), REFUND_MARKS)
}

/// The same wall-clock time one calendar year after the payment.
fn last_chance(paid_at: Timestamp) -> Timestamp {
    beijing(paid_at).checked_add(1.year()).map_or(Timestamp::MAX, from_beijing)
}
