//! The people at the counter: a payer who opens a code and pays, finance staff who refund in the
//! provider's own portal.

use domain::Fen;
use domain::provider::Provider;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Engine, World};
use crate::error::ControlError;
use crate::state::{Order, OrderKey, Payment, Person};
use crate::{alipay, text, wechat};

/// A payer pays an order.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pay {
    /// Which order.
    pub out_trade_no: String,
    /// Whose, where two merchants have the same number.
    #[serde(default)]
    pub merchant: Option<String>,
    /// Whether the provider calls back; absent: yes.
    #[serde(default)]
    pub notify: Option<bool>,
    /// Pay although it is closed, expired or paid already: the payer was quicker than the close, or
    /// two payers scanned.
    #[serde(default)]
    pub force: bool,
    /// Whose wallet it is; absent: whoever the order asks for.
    #[serde(default)]
    pub payer: Option<Person>,
    /// How much of the amount a coupon of the merchant covers; the payer pays the rest.
    #[serde(default)]
    pub coupon_fen: Option<Fen>,
}

/// What was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Paid {
    /// mchid or `app_id`.
    pub merchant: String,
    /// The order.
    pub out_trade_no: String,
    /// The provider's number.
    pub provider_trade_no: String,
    /// How much, in fen.
    pub amount_fen: Fen,
    /// When.
    pub paid_at: Timestamp,
    /// Of a combined order: what each payee was paid. The provider's number is then the first
    /// part's, because the whole has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Paid>,
}

/// Finance staff refund in the provider's portal, past the hub.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PortalRefund {
    /// Which order.
    pub out_trade_no: String,
    /// Whose, where two merchants have the same number.
    #[serde(default)]
    pub merchant: Option<String>,
    /// How much, in fen.
    pub amount_fen: Fen,
    /// Under which number; absent: the portal makes one.
    #[serde(default)]
    pub out_refund_no: Option<String>,
}

/// What was refunded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refunded {
    /// mchid or `app_id`.
    pub merchant: String,
    /// The order.
    pub out_trade_no: String,
    /// The refund.
    pub out_refund_no: String,
    /// How much, in fen.
    pub amount_fen: Fen,
}

impl Engine {
    /// A payer pays an order now, and the provider calls back if `notify`.
    ///
    /// # Errors
    /// When there is no such order or it cannot be paid.
    pub fn pay(&self, out_trade_no: &str, notify: bool) -> Result<Paid, ControlError> {
        self.pay_as(&Pay {
            out_trade_no: out_trade_no.to_owned(),
            notify: Some(notify),
            ..Pay::default()
        })
    }

    /// A payer pays an order now, in all detail.
    ///
    /// # Errors
    /// When there is no such order or it cannot be paid.
    pub fn pay_as(&self, pay: &Pay) -> Result<Paid, ControlError> {
        let now = self.now();
        let mut world = self.world();
        if let Some(whole) = world.find_combined(&pay.out_trade_no, pay.merchant.as_deref()) {
            return world.pay_combined(&whole, pay, now);
        }
        let key = world.find(&pay.out_trade_no, pay.merchant.as_deref())?;
        if world.book.orders.get(&key).is_some_and(|order| order.whole.is_some()) {
            let text = format!("{}: a part of a combined order is paid with the whole", key.1);
            return Err(ControlError::NotPayable(text));
        }
        world.may_pay(&key, pay, now)?;
        let payment = world.take_payment(&key, now, pay.coupon_fen.unwrap_or(Fen::ZERO))?;
        if pay.notify.unwrap_or(true)
            && let Some(order) = world.book.orders.get(&key)
        {
            match order.provider {
                Provider::Wechat => wechat::announce_payment(&mut world, &key, &payment, now),
                Provider::Alipay => alipay::announce_payment(&mut world, &key, &payment, now),
            }
        }
        Ok(Paid {
            merchant: key.0,
            out_trade_no: key.1,
            provider_trade_no: payment.trade_no,
            amount_fen: payment.amount,
            paid_at: payment.paid_at,
            parts: Vec::new(),
        })
    }

    /// A payer opens the code and does not pay yet. For Alipay the trade exists from now on.
    ///
    /// # Errors
    /// When there is no such order or its code is dead.
    pub fn scan(&self, out_trade_no: &str, merchant: Option<&str>) -> Result<(), ControlError> {
        let now = self.now();
        let mut world = self.world();
        let keys = match world.find_combined(out_trade_no, merchant) {
            Some(whole) => world.parts_of(&whole),
            None => vec![world.find(out_trade_no, merchant)?],
        };
        for key in keys {
            if let Some(order) = world.book.orders.get(&key) {
                payable(order, now)?;
            }
            world.open_code(&key, now);
        }
        Ok(())
    }

    /// Finance staff refund in the provider's portal.
    ///
    /// # Errors
    /// When there is no such order or the refund breaks a rule of the provider.
    pub fn refund(&self, refund: &PortalRefund) -> Result<Refunded, ControlError> {
        let now = self.now();
        let mut world = self.world();
        let key = world.find(&refund.out_trade_no, refund.merchant.as_deref())?;
        let count = world.book.orders.get(&key).map_or(0, |order| order.refunds.len());
        let out_refund_no = refund.out_refund_no.clone().unwrap_or_else(|| {
            let names = ["portal", &key.0, &key.1, &count.to_string()];
            text::number(world.seed, &names, now, ("PORTAL", 0, 8))
        });
        let provider = world.book.orders.get(&key).map(|order| order.provider);
        match provider {
            Some(Provider::Wechat) => {
                wechat::portal_refund(&mut world, &key, &out_refund_no, refund.amount_fen, now)
            }
            Some(Provider::Alipay) => {
                alipay::portal_refund(&mut world, &key, &out_refund_no, refund.amount_fen, now)
            }
            None => Err(ControlError::NoSuchOrder(key.1.clone())),
        }?;
        let (merchant, out_trade_no) = key;
        Ok(Refunded { merchant, out_trade_no, out_refund_no, amount_fen: refund.amount_fen })
    }
}

impl World {
    fn find(&self, out_trade_no: &str, merchant: Option<&str>) -> Result<OrderKey, ControlError> {
        let wechat = self.keys.wechat.iter().map(|known| &known.config.mchid);
        let merchants = wechat.chain(self.keys.alipay.iter().map(|known| &known.config.app_id));
        let mut found = merchants
            .filter(|owner| merchant.is_none_or(|merchant| merchant == owner.as_str()))
            .map(|owner| (owner.clone(), out_trade_no.to_owned()))
            .filter(|key| self.book.orders.contains_key(key));
        match (found.next(), found.next()) {
            (Some(key), None) => Ok(key),
            _ => Err(ControlError::NoSuchOrder(out_trade_no.to_owned())),
        }
    }

    fn find_combined(&self, out_trade_no: &str, merchant: Option<&str>) -> Option<OrderKey> {
        let mut found = self.book.combined.keys().filter(|(mchid, no)| {
            no == out_trade_no && merchant.is_none_or(|merchant| merchant == mchid)
        });
        found.next().filter(|_| found.next().is_none()).cloned()
    }

    fn parts_of(&self, whole: &OrderKey) -> Vec<OrderKey> {
        self.book.combined.get(whole).map(|whole| whole.parts.clone()).unwrap_or_default()
    }

    /// Pays every part of a combined order, or none; one notice tells of all.
    fn pay_combined(
        &mut self,
        whole: &OrderKey,
        pay: &Pay,
        now: Timestamp,
    ) -> Result<Paid, ControlError> {
        let keys = self.parts_of(whole);
        if pay.coupon_fen.is_some() {
            let text = format!("{}: no coupons on combined orders here", whole.1);
            return Err(ControlError::NotPayable(text));
        }
        for key in &keys {
            self.may_pay(key, pay, now)?;
        }
        let mut parts = Vec::new();
        for (merchant, out_trade_no) in keys {
            let key = (merchant.clone(), out_trade_no.clone());
            let payment = self.take_payment(&key, now, Fen::ZERO)?;
            parts.push(Paid {
                merchant,
                out_trade_no,
                provider_trade_no: payment.trade_no,
                amount_fen: payment.amount,
                paid_at: now,
                parts: Vec::new(),
            });
        }
        if pay.notify.unwrap_or(true) {
            wechat::announce_combined(self, whole, now);
        }
        let first = parts.first().map(|part| part.provider_trade_no.clone());
        Ok(Paid {
            merchant: whole.0.clone(),
            out_trade_no: whole.1.clone(),
            provider_trade_no: first.unwrap_or_default(),
            amount_fen: Fen::sum(parts.iter().map(|part| part.amount_fen)).unwrap_or(Fen::ZERO),
            paid_at: now,
            parts,
        })
    }

    /// Whether the wallet lets this payer pay this order.
    fn may_pay(&self, key: &OrderKey, pay: &Pay, now: Timestamp) -> Result<(), ControlError> {
        let no_order = || ControlError::NoSuchOrder(key.1.clone());
        let order = self.book.orders.get(key).ok_or_else(no_order)?;
        let refused =
            |fault: &str| Err(ControlError::NotPayable(format!("{}: {fault}", order.out_trade_no)));
        if !pay.force {
            payable(order, now)?;
        }
        if let (Some(only), Some(person)) = (&order.only_payer, &pay.payer)
            && !only.admits(person)
        {
            return refused("the wallet refuses: only another person may pay it");
        }
        let coupon = pay.coupon_fen.unwrap_or(Fen::ZERO);
        if coupon < Fen::ZERO || coupon >= order.amount {
            return refused("a coupon covers less than the whole amount");
        }
        Ok(())
    }

    /// Opens the code: gives the trade its number if it has none.
    pub(crate) fn open_code(&mut self, key: &OrderKey, now: Timestamp) {
        let seed = self.seed;
        let Some(order) = self.book.orders.get_mut(key) else { return };
        order.scanned_at.get_or_insert(now);
        if order.trade_no.is_empty() {
            order.trade_no = trade_no(seed, order, now, 0);
            self.book.trades.insert(order.trade_no.clone(), key.clone());
        }
    }

    /// Money moves now, whatever anybody thinks of it.
    pub(crate) fn take_payment(
        &mut self,
        key: &OrderKey,
        now: Timestamp,
        coupon: Fen,
    ) -> Result<Payment, ControlError> {
        self.open_code(key, now);
        let seed = self.seed;
        let order = self
            .book
            .orders
            .get_mut(key)
            .ok_or_else(|| ControlError::NoSuchOrder(key.1.clone()))?;
        let trade_no = match order.payments.len() {
            0 => order.trade_no.clone(),
            again => trade_no(seed, order, now, again),
        };
        let payment = Payment {
            trade_no: trade_no.clone(),
            amount: order.amount,
            paid_at: now,
            payer: order.payer.clone().unwrap_or_else(|| payer(seed, order)),
            coupon,
        };
        order.payments.push(payment.clone());
        self.book.trades.insert(trade_no, key.clone());
        Ok(payment)
    }
}

fn payable(order: &Order, now: Timestamp) -> Result<(), ControlError> {
    let fault = if order.is_paid() {
        "the order is paid already"
    } else if order.closed_at.is_some() {
        "the order is closed"
    } else if now >= order.expires_at {
        "the order has expired"
    } else if now >= order.code_expires_at {
        "the code has expired: the merchant must ask for a fresh one"
    } else {
        return Ok(());
    };
    Err(ControlError::NotPayable(format!("{}: {fault}", order.out_trade_no)))
}

fn trade_no(seed: u64, order: &Order, now: Timestamp, again: usize) -> String {
    let again = again.to_string();
    let names = ["trade", &order.merchant, &order.out_trade_no, &again];
    match order.provider {
        Provider::Wechat => text::number(seed, &names, now, ("42000", 5, 10)),
        Provider::Alipay => {
            format!("{}22001{}", text::day_digits(now), text::number(seed, &names, now, ("", 0, 7)))
        }
    }
}

fn payer(seed: u64, order: &Order) -> String {
    let mut chance =
        crate::random::Random::of(seed, &["payer", &order.merchant, &order.out_trade_no]);
    match order.provider {
        Provider::Wechat => format!("o{}", chance.nonce(27)),
        Provider::Alipay => format!("2088{}", chance.digits(12)),
    }
}
