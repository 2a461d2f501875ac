//! Turns effects into rows. Balances move by sums, one row a fee and a payment, however many
//! effects touch it; journal entries wait for their numbers until the heads are locked.

mod differences;
mod evidence;
mod moved;
mod portal;
mod settlement;
mod transfer;
mod treasury;

use std::collections::{BTreeMap, BTreeSet};

use callbacks::{Claim, PaymentEffect, RefundEffect};
use domain::Fen;
use domain::ids::{FeeId, MerchantId, OrderId, PaymentId, RefundId};
use domain::journal::{EntryKind, Share, entry};
use domain::refund::RefundState;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use uuid::Uuid;

use super::chain::{Linked, link};
use super::outbox::Resources;
use super::{Arrival, RecordError, Telling, Unbooked, Verdict};
use crate::seal::Sealer;
use crate::store::effects::EffectRows;
use crate::store::fees::FeeRecord;
use crate::store::journal::{Head, Line};
use crate::store::orders::{OrderRecord, PaymentRecord};

use moved::{Moved, RefundOverflow, add, move_by};

pub use differences::Side;
pub(super) use evidence::cause;
pub use transfer::Transferred;
pub use treasury::TreasuryMove;

/// How soon a refund that is under way is asked for again.
const REFUND_PAUSE: SignedDuration = SignedDuration::from_secs(60);

/// Effects on their way to becoming rows.
#[derive(Debug)]
pub struct Effects {
    now: Timestamp,
    rows: EffectRows,
    fees: BTreeMap<FeeId, Moved>,
    payments: BTreeMap<PaymentId, Moved>,
    entries: Vec<Waiting>,
    tellings: Vec<Telling>,
    known: Resources,
}

/// An entry that waits for its number.
#[derive(Debug)]
struct Waiting {
    merchant_id: MerchantId,
    kind: EntryKind,
    subject_id: String,
    occurred_at: Timestamp,
    lines: Vec<Line>,
    fact: Vec<String>,
}

impl Effects {
    /// Nothing yet, at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        // The database keeps microseconds; what is chained must be what is read back.
        let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
        Self {
            now,
            rows: EffectRows::default(),
            fees: BTreeMap::new(),
            payments: BTreeMap::new(),
            entries: Vec::new(),
            tellings: Vec::new(),
            known: Resources::default(),
        }
    }

    /// Books a payment, and gives it as it will stand.
    pub(super) fn payment(
        &mut self,
        arrival: &Arrival<'_>,
        claim: &Claim,
        order: &OrderRecord,
        effect: &PaymentEffect,
    ) -> Result<PaymentRecord, RecordError> {
        let payment_id = PaymentId::new(Uuid::now_v7());
        self.rows.payments.push(json!({
            "payment_id": payment_id,
            "merchant_id": order.merchant_id,
            "provider": order.provider,
            "provider_trade_no": effect.provider_trade_no,
            "order_id": order.id,
            "amount_fen": effect.amount,
            "coupon_fen": effect.coupon,
            "surplus_fen": effect.surplus(),
            "late": effect.late,
            "paid_at": effect.paid_at,
            "source": claim.source.as_str(),
            "callback_id": arrival.evidence.as_ref().map(|evidence| &evidence.callback_id),
        }));
        for share in &effect.shares {
            let Some(fee_id) = &share.fee_id else { continue };
            self.rows.payment_shares.push(json!({
                "payment_id": payment_id, "fee_id": fee_id, "amount_fen": share.amount_fen,
            }));
            let moved = self.fees.entry(fee_id.clone()).or_default();
            moved.paid = add(moved.paid, share.amount_fen)?;
        }
        if effect.pays_order {
            self.rows.paid_orders.push(json!({
                "order_id": order.id, "paid_at": effect.paid_at, "late": effect.late,
                "provider_trade_no": effect.provider_trade_no,
            }));
            self.tellings.push(Telling::OrderPaid { order: order.id.clone(), late: effect.late });
        }
        let (merchant, at) = (&order.merchant_id, effect.paid_at);
        self.post(merchant, EntryKind::PaymentReceived, payment_id.as_str(), at, &effect.shares);
        if let Some(entry) = self.entries.last_mut() {
            entry.fact = vec![
                order.provider.as_str().to_owned(),
                effect.provider_trade_no.to_string(),
                order.id.to_string(),
                effect.coupon.get().to_string(),
            ];
        }
        if effect.surplus() > Fen::ZERO {
            let (order, payment) = (order.id.clone(), payment_id.clone());
            self.tellings.push(Telling::Surplus { order, payment });
        }
        for fee in &effect.settles {
            self.tellings.push(Telling::FeePaid { fee: fee.clone(), order: order.id.clone() });
        }
        if let Some(incident) = &effect.incident {
            self.incident(arrival, claim, incident, Some(order));
        }
        Ok(PaymentRecord::new(payment_id, effect, claim.source))
    }

    /// Says how an order stands once all this is written.
    pub(super) fn stands(&mut self, order: &OrderRecord) {
        self.known.orders.insert(order.id.clone(), order.clone());
    }

    /// Takes locked fees as they were, to say how they stand once all this is written. Nothing may
    /// be added to these effects after it.
    pub(super) fn stand(&mut self, fees: Vec<FeeRecord>) {
        let paid: BTreeSet<&str> =
            self.rows.paid_orders.iter().filter_map(|row| row.get("order_id")?.as_str()).collect();
        for mut fee in fees {
            let moved = self.fees.get(&fee.id).copied().unwrap_or_default();
            // A sum that does not fit is refused when its row is written.
            let moves = [
                (&mut fee.paid_fen, moved.paid),
                (&mut fee.refunding_fen, moved.refunding),
                (&mut fee.refunded_fen, moved.refunded),
                (&mut fee.remitted_fen, moved.remitted),
            ];
            for (sum, moved) in moves {
                *sum = sum.plus(moved).unwrap_or(*sum);
            }
            fee.live_order_id.take_if(|live| paid.contains(live.as_str()));
            self.known.fees.insert(fee.id.clone(), fee);
        }
    }

    /// Books what a provider says about a refund.
    pub(super) fn refund(
        &mut self,
        arrival: &Arrival<'_>,
        claim: &Claim,
        order: &OrderRecord,
        effect: &RefundEffect,
    ) -> Result<(), RefundOverflow> {
        let at = effect.at.unwrap_or(self.now);
        let succeeded = effect.after == RefundState::Succeeded;
        // An abnormal one is asked for where it was sent to another account: an old notice may lie.
        let asked = matches!(effect.after, RefundState::Processing | RefundState::Abnormal);
        self.rows.refunds.push(json!({
            "refund_id": effect.refund_id,
            "state": effect.after.as_str(),
            "provider_refund_no": effect.provider_refund_no,
            "accepted_at": effect.accepted_at,
            "known_at": at.min(self.now),
            "succeeded_at": succeeded.then_some(at),
            "next_query_at": asked.then(|| later(self.now, REFUND_PAUSE)),
        }));
        for kind in &effect.entries {
            self.move_refund(*kind, &effect.payment_id, effect.amount, &effect.shares)?;
            self.post(&order.merchant_id, *kind, effect.refund_id.as_str(), at, &effect.shares);
        }
        if succeeded || effect.after == RefundState::Failed {
            self.ended(&effect.refund_id, &order.id, succeeded);
        }
        if let Some(incident) = &effect.incident {
            self.incident(arrival, claim, incident, Some(order));
        }
        Ok(())
    }

    /// Reserves a refund's money: the hub's own fact, posted when the refund is written down.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn reserve(
        &mut self,
        merchant: &MerchantId,
        refund: (&RefundId, &PaymentId, Fen),
        shares: &[Share],
    ) -> Result<(), RecordError> {
        self.promise(EntryKind::RefundRequested, merchant, refund, shares)
    }

    /// Releases a refund's money: it was refused or declined, and nothing moved.
    ///
    /// # Errors
    /// When a sum does not fit.
    pub fn release(
        &mut self,
        merchant: &MerchantId,
        refund: (&RefundId, &PaymentId, Fen),
        shares: &[Share],
    ) -> Result<(), RecordError> {
        self.promise(EntryKind::RefundReleased, merchant, refund, shares)
    }

    /// Posts that a refund's money is promised, or that the promise is taken back.
    fn promise(
        &mut self,
        kind: EntryKind,
        merchant: &MerchantId,
        (refund_id, payment_id, amount): (&RefundId, &PaymentId, Fen),
        shares: &[Share],
    ) -> Result<(), RecordError> {
        self.move_refund(kind, payment_id, amount, shares)?;
        let now = self.now;
        self.post(merchant, kind, refund_id.as_str(), now, shares);
        Ok(())
    }

    /// Tells that a refund ended.
    pub fn ended(&mut self, refund: &RefundId, order: &OrderId, succeeded: bool) {
        self.tellings.push(Telling::RefundEnded {
            refund: refund.clone(),
            order: order.clone(),
            succeeded,
        });
    }

    /// Tells that an order was closed.
    pub fn closed(&mut self, order: &OrderId) {
        self.tellings.push(Telling::OrderClosed { order: order.clone() });
    }

    fn move_refund(
        &mut self,
        kind: EntryKind,
        payment_id: &PaymentId,
        amount: Fen,
        shares: &[Share],
    ) -> Result<(), RefundOverflow> {
        let payment = self.payments.entry(payment_id.clone()).or_default();
        move_by(payment, kind, amount)?;
        for share in shares {
            match &share.fee_id {
                Some(fee_id) => {
                    move_by(self.fees.entry(fee_id.clone()).or_default(), kind, share.amount_fen)?;
                }
                None => {
                    let payment = self.payments.entry(payment_id.clone()).or_default();
                    let mut surplus = Moved::default();
                    move_by(&mut surplus, kind, share.amount_fen)?;
                    payment.surplus_refunding = add(payment.surplus_refunding, surplus.refunding)?;
                }
            }
        }
        Ok(())
    }

    fn post(
        &mut self,
        merchant: &MerchantId,
        kind: EntryKind,
        subject: &str,
        at: Timestamp,
        shares: &[Share],
    ) {
        let lines = entry(kind, shares)
            .into_iter()
            .map(|line| Line {
                debit: line.debit.as_str().to_owned(),
                credit: line.credit.as_str().to_owned(),
                amount_fen: line.amount_fen.get(),
                fee_id: line.fee_id.map(String::from),
            })
            .collect();
        self.entries.push(Waiting {
            merchant_id: merchant.clone(),
            kind,
            subject_id: subject.to_owned(),
            occurred_at: Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at),
            lines,
            fact: Vec::new(),
        });
    }

    /// The merchants whose journals learn something.
    pub(super) fn journals(&self) -> BTreeSet<MerchantId> {
        self.entries.iter().map(|entry| entry.merchant_id.clone()).collect()
    }

    /// What is to be told, and the resources of which it is known how they will stand.
    pub(super) fn tellings(&mut self) -> (Vec<Telling>, Resources) {
        (std::mem::take(&mut self.tellings), std::mem::take(&mut self.known))
    }

    /// The finished rows, with the entries numbered and linked behind `heads`.
    pub(super) fn into_rows(mut self, sealer: &Sealer, heads: &[Head]) -> (EffectRows, Timestamp) {
        let mut heads: BTreeMap<MerchantId, (i64, Vec<u8>)> = heads
            .iter()
            .map(|head| (head.merchant_id.clone(), (head.seq, head.mac.clone())))
            .collect();
        for entry in std::mem::take(&mut self.entries) {
            let head = heads.entry(entry.merchant_id.clone()).or_default();
            let seq = head.0.saturating_add(1);
            let mac = link(
                sealer,
                &head.1,
                &Linked {
                    merchant_id: &entry.merchant_id,
                    seq,
                    kind: entry.kind.as_str(),
                    subject_id: &entry.subject_id,
                    occurred_at: entry.occurred_at,
                    recorded_at: self.now,
                    lines: &entry.lines,
                    fact: &entry.fact,
                },
            );
            *head = (seq, mac.to_vec());
            self.rows.links.push(mac.to_vec());
            self.entry_rows(&entry, seq);
        }
        for (merchant, (seq, mac)) in heads {
            if let Some(index) = self.rows.links.iter().position(|link| *link == mac) {
                let link = index.saturating_add(1);
                self.rows.heads.push(json!({"merchant_id": merchant, "seq": seq, "link": link}));
            }
        }
        self.balance_rows();
        (self.rows, self.now)
    }

    fn entry_rows(&mut self, entry: &Waiting, seq: i64) {
        self.rows.entries.push(json!({
            "merchant_id": entry.merchant_id, "seq": seq, "kind": entry.kind.as_str(),
            "subject_id": entry.subject_id, "occurred_at": entry.occurred_at,
            "link": self.rows.links.len(),
        }));
        for (index, line) in entry.lines.iter().enumerate() {
            self.rows.lines.push(json!({
                "merchant_id": entry.merchant_id, "seq": seq, "line": index.saturating_add(1),
                "debit": line.debit, "credit": line.credit, "amount_fen": line.amount_fen,
                "fee_id": line.fee_id,
            }));
        }
    }

    fn balance_rows(&mut self) {
        for (fee_id, moved) in std::mem::take(&mut self.fees) {
            self.rows.fees.push(json!({
                "fee_id": fee_id, "paid_fen": moved.paid, "refunding_fen": moved.refunding,
                "refunded_fen": moved.refunded, "remitted_fen": moved.remitted,
                "treasury_refunding_fen": moved.treasury_refunding,
            }));
        }
        for (payment_id, moved) in std::mem::take(&mut self.payments) {
            self.rows.payment_balances.push(json!({
                "payment_id": payment_id, "refunding_fen": moved.refunding,
                "refunded_fen": moved.refunded,
                "surplus_refunding_fen": moved.surplus_refunding,
            }));
        }
    }
}

fn later(now: Timestamp, pause: SignedDuration) -> Timestamp {
    now.saturating_add(pause).unwrap_or(Timestamp::MAX)
}
