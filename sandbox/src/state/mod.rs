//! What the providers remember: orders, payments, refunds, messages. Nothing is ever removed, and
//! what an order or refund "is" follows from its facts and the time, never from a flag.

mod order;
mod person;
mod refund;

use std::collections::{BTreeMap, BTreeSet};

use domain::Fen;
use jiff::Timestamp;

pub(crate) use order::{Combined, Order, Payment, Sub};
pub(crate) use person::OnlyPayer;
pub use person::Person;
pub(crate) use refund::{Ending, Refund, Standing};

use crate::wechat_v2::Slip;

/// An order's key: merchant (mchid or `app_id`) and `out_trade_no`.
pub(crate) type OrderKey = (String, String);

/// A refund's key: merchant, scope and refund number. WeChat Pay scopes numbers by merchant (empty
/// scope), Alipay by trade (scope = `out_trade_no`).
pub(crate) type RefundKey = (String, String, String);

/// A text message (短信) as the vendor keeps it.
pub(crate) struct Message {
    pub(crate) account: String,
    pub(crate) biz_id: String,
    pub(crate) phone: String,
    pub(crate) sign_name: String,
    pub(crate) template_code: String,
    pub(crate) template_param: String,
    pub(crate) out_id: Option<String>,
    pub(crate) accepted_at: Timestamp,
    /// When its receipt is due; `None`: it was accepted and then lost.
    pub(crate) reported_at: Option<Timestamp>,
    pub(crate) delivered: bool,
}

/// A bill file that was made and waits for its download.
pub(crate) struct BillFile {
    pub(crate) merchant: String,
    pub(crate) expires_at: Timestamp,
    pub(crate) bytes: Vec<u8>,
}

/// Everything that the providers remember.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) orders: BTreeMap<OrderKey, Order>,
    /// What the old interface of WeChat Pay remembers beside the order.
    pub(crate) slips: BTreeMap<OrderKey, Slip>,
    /// Combined orders by who combines and their number.
    pub(crate) combined: BTreeMap<OrderKey, Combined>,
    /// From the provider's trade number to the order.
    pub(crate) trades: BTreeMap<String, OrderKey>,
    pub(crate) refunds: BTreeMap<RefundKey, Refund>,
    pub(crate) messages: Vec<Message>,
    /// By the token as it stands in the URL, still encoded.
    pub(crate) bills: BTreeMap<String, BillFile>,
    /// Nonces that the SMS vendor has seen: each is good once.
    pub(crate) nonces: BTreeSet<String>,
}

impl Book {
    /// The order of that merchant.
    pub(crate) fn order(&self, merchant: &str, out_trade_no: &str) -> Option<&Order> {
        self.orders.get(&(merchant.to_owned(), out_trade_no.to_owned()))
    }

    /// The order of that merchant, to be changed.
    pub(crate) fn order_mut(&mut self, merchant: &str, out_trade_no: &str) -> Option<&mut Order> {
        self.orders.get_mut(&(merchant.to_owned(), out_trade_no.to_owned()))
    }

    /// The order of that merchant which has the provider's trade number.
    pub(crate) fn trade(&self, merchant: &str, trade_no: &str) -> Option<&Order> {
        let key = self.trades.get(trade_no)?;
        self.orders.get(key).filter(|order| order.merchant == merchant)
    }

    /// The refunds of an order, in the order in which they were accepted.
    pub(crate) fn refunds_of<'a>(&'a self, order: &'a Order) -> impl Iterator<Item = &'a Refund> {
        order.refunds.iter().filter_map(|key| self.refunds.get(key))
    }

    /// What has been given back of an order, or is on its way, `ABNORMAL` ones included.
    pub(crate) fn refunded(&self, order: &Order) -> Fen {
        Fen::sum(self.refunds_of(order).map(|refund| refund.amount)).unwrap_or(Fen::ZERO)
    }

    /// Files a refund under its order.
    pub(crate) fn file_refund(&mut self, key: RefundKey, refund: Refund) {
        if let Some(order) = self.order_mut(&refund.merchant, &refund.out_trade_no) {
            order.refunds.push(key.clone());
        }
        self.refunds.insert(key, refund);
    }
}

/// `now` and so many seconds, clamped at the end of time.
pub(crate) fn later(now: Timestamp, seconds: u32) -> Timestamp {
    now.saturating_add(jiff::SignedDuration::from_secs(i64::from(seconds)))
        .unwrap_or(Timestamp::MAX)
}

/// What a provider takes of `amount` at a rate in millionths, half up to the fen.
pub(crate) fn fee_of(amount: Fen, rate_ppm: i64) -> Fen {
    let millionths = i128::from(amount.get()).saturating_mul(i128::from(rate_ppm));
    let fen = millionths.saturating_add(500_000).div_euclid(1_000_000);
    Fen::new(i64::try_from(fen).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_are_rounded_half_up_to_the_fen() {
        for (amount, fee) in [(8000, 48), (1, 0), (83, 0), (84, 1), (250, 2), (55_000, 330)] {
            assert_eq!(fee_of(Fen::new(amount), 6000), Fen::new(fee), "{amount}");
        }
    }
}
