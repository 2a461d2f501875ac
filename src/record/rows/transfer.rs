//! What a payer's transfer brings: a payment of fees that is at the bank already.

use domain::Fen;
use domain::fact::Source;
use domain::ids::{FeeId, MerchantId, OrderId, PaymentId, ProviderTradeNo};
use domain::journal::{EntryKind, Share};
use domain::provider::PaidThrough;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::{Effects, RecordError, add};
use crate::record::Telling;

/// A transfer to be booked.
#[derive(Debug)]
pub struct Transferred<'a> {
    /// In whose journal.
    pub journal: &'a MerchantId,
    /// The order that it is.
    pub order_id: &'a OrderId,
    /// The bank's number.
    pub bank_serial: &'a ProviderTradeNo,
    /// When the money came.
    pub paid_at: Timestamp,
    /// What came.
    pub amount: Fen,
    /// What of it pays which fee.
    pub shares: &'a [(FeeId, Fen)],
    /// What of it pays none.
    pub surplus: Fen,
    /// The fees that it pays off.
    pub settles: &'a [FeeId],
}

impl Effects {
    /// Books a transfer: the payment, what it pays, one entry, and what is told of it.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn transfer(&mut self, came: &Transferred<'_>) -> Result<(), RecordError> {
        let payment_id = PaymentId::new(Uuid::now_v7());
        let through = PaidThrough::Bank;
        self.rows.payments.push(json!({
            "payment_id": payment_id, "merchant_id": came.journal, "provider": through,
            "provider_trade_no": came.bank_serial, "order_id": came.order_id,
            "amount_fen": came.amount, "coupon_fen": 0, "surplus_fen": came.surplus, "late": false,
            "paid_at": came.paid_at, "source": Source::Bank.as_str(), "callback_id": null,
        }));
        let mut lines: Vec<Share> = came
            .shares
            .iter()
            .map(|(fee, amount)| Share { fee_id: Some(fee.clone()), amount_fen: *amount })
            .collect();
        if came.surplus > Fen::ZERO {
            lines.push(Share { fee_id: None, amount_fen: came.surplus });
        }
        for (fee_id, amount) in came.shares {
            self.rows.payment_shares.push(json!({
                "payment_id": payment_id, "fee_id": fee_id, "amount_fen": amount,
            }));
            let moved = self.fees.entry(fee_id.clone()).or_default();
            moved.paid = add(moved.paid, *amount)?;
        }
        let (kind, subject) = (EntryKind::TransferReceived, payment_id.as_str());
        self.post(came.journal, kind, subject, came.paid_at, &lines);
        if let Some(entry) = self.entries.last_mut() {
            entry.fact = vec![
                through.as_str().to_owned(),
                came.bank_serial.to_string(),
                came.order_id.to_string(),
                "0".to_owned(),
            ];
        }
        if came.surplus > Fen::ZERO {
            let order = came.order_id.clone();
            self.tellings.push(Telling::Surplus { order, payment: payment_id });
        }
        for fee in came.settles {
            let (fee, order) = (fee.clone(), came.order_id.clone());
            self.tellings.push(Telling::FeePaid { fee, order });
        }
        Ok(())
    }
}
