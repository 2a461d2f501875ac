//! One payment to several payees (合单支付): placed, asked for, closed and stated as a whole, each
//! part under its own number with its own payment.

use domain::fact::{OrderStanding, PaymentFact, Stated};
use domain::ids::OutTradeNo;
use domain::money::Fen;
use domain::time::rfc3339;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Wechat;
use super::answer::{closed, is_absent, outcome, placed, proved};
use super::order::{ORDER_MARKS, get, post};
use super::parties::Parties;
use super::place::{self, Scene, long_enough, openid, payable, return_url, scene};
use super::statement::{StatementError, coupon, field, standing};
use crate::limits::{self, Length, broken};
use crate::provider::{
    Closing, CombinedKey, CombinedPayments, LimitError, NewCombined, PartStanding, Placed,
};
use crate::wire::{Answer, Call, Method, Outcome, Stamp};
use crate::{json, percent};

/// Where calls about combined orders begin.
pub(super) const ROOT: &str = "/v3/combine-transactions/";

#[derive(Serialize)]
struct Body<'a> {
    combine_appid: &'a str,
    combine_mchid: &'a str,
    combine_out_trade_no: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<Scene<'a>>,
    sub_orders: Vec<PartBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    combine_payer_info: Option<PayerInfo<'a>>,
    time_expire: String,
    notify_url: &'a str,
}

#[derive(Serialize)]
struct PartBody<'a> {
    #[serde(flatten)]
    payee: Payee<'a>,
    /// Required, and echoed in statements and bills: the part's own number.
    attach: &'a str,
    amount: PartAmount,
    out_trade_no: &'a str,
    description: &'a str,
}

#[derive(Serialize)]
struct Payee<'a> {
    mchid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
}

#[derive(Serialize)]
struct PartAmount {
    total_amount: i64,
    currency: &'static str,
}

/// The payer under the combining application, whoever is paid.
#[derive(Serialize)]
struct PayerInfo<'a> {
    openid: &'a str,
}

#[derive(Serialize)]
struct CloseBody<'a> {
    combine_appid: &'a str,
    sub_orders: Vec<ClosePart<'a>>,
}

#[derive(Serialize)]
struct ClosePart<'a> {
    #[serde(flatten)]
    payee: Payee<'a>,
    out_trade_no: &'a str,
}

/// In service-provider mode every part is the provider's, for a merchant of its.
fn payee<'a>(parties: &'a Parties, payee: &'a str) -> Payee<'a> {
    match parties.sub {
        None => Payee { mchid: payee, sub_mchid: None },
        Some(_) => Payee { mchid: &parties.mchid, sub_mchid: Some(payee) },
    }
}

impl CombinedPayments for Wechat {
    fn paid_through(&self) -> Option<&str> {
        self.parties.sub.as_ref().map(|_sub| self.parties.mchid.as_str())
    }

    /// `POST /v3/combine-transactions/{product}`.
    fn place_combined(&self, order: &NewCombined<'_>) -> Result<Call, LimitError> {
        let product = place::word(order.product)?;
        limits::number("out_trade_no", order.out_trade_no.as_str(), (6, 32), ORDER_MARKS)?;
        limits::notify_url(order.notify_url, 255)?;
        long_enough(order.expires_at, order.now)?;
        let payer = openid(order.product, order.payer)?;
        let body = Body {
            combine_appid: &self.parties.appid,
            combine_mchid: &self.parties.mchid,
            combine_out_trade_no: order.out_trade_no.as_str(),
            scene_info: scene(order.product, order.client_ip)?,
            sub_orders: parts(&self.parties, order)?,
            combine_payer_info: payer.map(|openid| PayerInfo { openid }),
            time_expire: rfc3339(order.expires_at),
            notify_url: order.notify_url,
        };
        let mut call = post(format!("{ROOT}{product}"), &body)?;
        call.parameters.extend(return_url(order.product, order.return_url)?);
        Ok(call)
    }

    /// `GET /v3/combine-transactions/out-trade-no/{combine_out_trade_no}`.
    fn query_combined(&self, out_trade_no: &OutTradeNo) -> Call {
        get(format!("{ROOT}out-trade-no/{}", percent::encode(out_trade_no.as_str())))
    }

    /// `POST /v3/combine-transactions/out-trade-no/{combine_out_trade_no}/close`.
    fn close_combined(&self, order: &CombinedKey<'_>) -> Call {
        let sub_orders = order
            .parts
            .iter()
            .map(|part| ClosePart {
                payee: payee(&self.parties, part.payee),
                out_trade_no: part.out_trade_no.as_str(),
            })
            .collect();
        let body = CloseBody { combine_appid: &self.parties.appid, sub_orders };
        let number = percent::encode(order.out_trade_no.as_str());
        Call {
            method: Method::Post,
            target: format!("{ROOT}out-trade-no/{number}/close"),
            // Texts as objects: there is nothing in them that could not be written.
            body: serde_json::to_string(&body).unwrap_or_default(),
            parameters: Vec::new(),
        }
    }

    fn read_combined_placed(&self, call: &Call, answer: &Answer, stamp: &Stamp) -> Outcome<Placed> {
        match placed(self.said(answer, stamp.now)) {
            Ok(body) => self.offered(&self.parties.appid, call, body, stamp),
            Err(other) => other,
        }
    }

    /// No parts at all: WeChat has no combined order of that number.
    fn read_combined(
        &self,
        out_trade_no: &OutTradeNo,
        answer: &Answer,
        now: Timestamp,
    ) -> Outcome<Vec<PartStanding>> {
        let said = self.said(answer, now);
        if is_absent(&said) {
            return Outcome::Accepted(Vec::new());
        }
        let body = match proved(said) {
            Ok(body) => body,
            Err(other) => return other,
        };
        match Statement::read(body) {
            Ok(statement) if statement.combine_out_trade_no != out_trade_no.as_str() => {
                Outcome::Unknown("the answer is about another order".to_owned())
            }
            Ok(statement) => outcome(statement.parts(&self.parties)),
            Err(why) => Outcome::Unknown(why.to_string()),
        }
    }

    fn read_combined_closed(&self, answer: &Answer, now: Timestamp) -> Outcome<Closing> {
        closed(self.said(answer, now))
    }
}

fn parts<'a>(
    parties: &'a Parties,
    order: &NewCombined<'a>,
) -> Result<Vec<PartBody<'a>>, LimitError> {
    let parts = order.parts;
    if !(2..=10).contains(&parts.len()) {
        return Err(broken("parts", format!("2 to 10, has {}", parts.len())));
    }
    parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            let number = part.out_trade_no;
            limits::number("parts.out_trade_no", number.as_str(), (6, 32), ORDER_MARKS)?;
            if parts.iter().take(index).any(|earlier| earlier.out_trade_no == number) {
                return Err(broken("parts.out_trade_no", "must differ from part to part"));
            }
            if number == order.out_trade_no {
                return Err(broken("parts.out_trade_no", "must differ from the whole's number"));
            }
            limits::text("parts.subject", part.subject, Length::Bytes(127))?;
            payable("parts.amount_fen", part.amount)?;
            Ok(PartBody {
                payee: payee(parties, part.payee),
                attach: number.as_str(),
                amount: PartAmount { total_amount: part.amount.get(), currency: "CNY" },
                out_trade_no: number.as_str(),
                description: part.subject,
            })
        })
        .collect()
}

/// A combined order as answers and notices state it.
#[derive(Deserialize)]
pub(super) struct Statement {
    combine_appid: Option<String>,
    combine_mchid: Option<String>,
    combine_out_trade_no: String,
    sub_orders: Vec<SubOrder>,
}

#[derive(Deserialize)]
struct SubOrder {
    mchid: Option<String>,
    sub_mchid: Option<String>,
    out_trade_no: String,
    transaction_id: Option<String>,
    trade_state: String,
    success_time: Option<String>,
    amount: Option<SubAmount>,
}

#[derive(Deserialize)]
struct SubAmount {
    total_amount: Option<i64>,
    payer_amount: Option<i64>,
    currency: Option<String>,
}

impl Statement {
    pub(super) fn read(text: &[u8]) -> Result<Self, StatementError> {
        serde_json::from_slice(text).map_err(|source| StatementError::Json(json::fault(&source)))
    }

    /// Where each part stands. That this merchant combined them is proved here, since a part names
    /// its payee only.
    pub(super) fn parts(&self, parties: &Parties) -> Result<Vec<PartStanding>, StatementError> {
        if self.combine_mchid.as_ref() != Some(&parties.mchid) {
            return Err(StatementError::Foreign("combine_mchid"));
        }
        if self.combine_appid.as_ref() != Some(&parties.appid) {
            return Err(StatementError::Foreign("combine_appid"));
        }
        self.sub_orders
            .iter()
            .map(|part| {
                Ok(PartStanding {
                    out_trade_no: field("sub_orders.out_trade_no", Some(&part.out_trade_no))?,
                    standing: part.standing(parties)?,
                })
            })
            .collect()
    }
}

impl SubOrder {
    fn standing(&self, parties: &Parties) -> Result<OrderStanding, StatementError> {
        standing(&self.trade_state, || self.payment(parties))
    }

    fn payment(&self, parties: &Parties) -> Result<PaymentFact, StatementError> {
        let amount = self.amount.as_ref().ok_or(StatementError::Field("amount"))?;
        let total = amount
            .total_amount
            .map(Fen::new)
            .ok_or(StatementError::Field("amount.total_amount"))?;
        Ok(PaymentFact {
            stated: Stated {
                payee: Some(self.payee(parties)?),
                // Proved above, for the whole: a part is paid under the application that combined.
                app: Some(parties.appid.clone()),
                currency: Some(field("amount.currency", amount.currency.as_ref())?),
            },
            out_trade_no: field("sub_orders.out_trade_no", Some(&self.out_trade_no))?,
            provider_trade_no: field("transaction_id", self.transaction_id.as_ref())?,
            amount: total,
            coupon: coupon(total, amount.payer_amount),
            paid_at: field("success_time", self.success_time.as_ref())?,
        })
    }

    fn payee(&self, parties: &Parties) -> Result<String, StatementError> {
        let sub_mchid = self.sub_mchid.as_ref().filter(|sub| !sub.is_empty());
        if parties.sub.is_none() {
            return field("sub_orders.mchid", sub_mchid.or(self.mchid.as_ref()));
        }
        if self.mchid.as_ref() != Some(&parties.mchid) {
            return Err(StatementError::Foreign("sub_orders.mchid"));
        }
        field("sub_orders.sub_mchid", sub_mchid)
    }
}
