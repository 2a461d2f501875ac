//! The rows of a refund that was made in the provider's portal: written down as it stands there.

use callbacks::{Claim, PortalRefundEffect};
use domain::Fen;
use domain::ids::RefundId;
use domain::refund::RefundState;
use serde_json::json;
use uuid::Uuid;

use super::moved::RefundOverflow;
use super::{Arrival, Effects, OrderRecord, REFUND_PAUSE, later};

/// Why it was made, as its row says: nobody here knows more.
const REASON: &str = "商户平台退款";

impl Effects {
    /// Books a refund that nobody asked for here.
    pub(in crate::record) fn portal_refund(
        &mut self,
        arrival: &Arrival<'_>,
        claim: &Claim,
        order: &OrderRecord,
        effect: &PortalRefundEffect,
    ) -> Result<(), RefundOverflow> {
        let refund_id = RefundId::new(Uuid::now_v7());
        let at = effect.at.or(effect.accepted_at).unwrap_or(self.now);
        let succeeded = effect.state == RefundState::Succeeded;
        let surplus = effect.shares.iter().find(|share| share.fee_id.is_none());
        self.rows.portal_refunds.push(json!({
            "refund_id": refund_id,
            "application_id": order.application_id,
            "merchant_id": order.merchant_id,
            "order_id": order.id,
            "payment_id": effect.payment_id,
            "out_refund_no": effect.out_refund_no,
            "amount_fen": effect.amount,
            "surplus_fen": surplus.map_or(Fen::ZERO, |share| share.amount_fen),
            "reason": REASON,
            "state": effect.state.as_str(),
            "provider_refund_no": effect.provider_refund_no,
            "created_at": self.now,
            "accepted_at": effect.accepted_at.unwrap_or(at),
            "succeeded_at": succeeded.then_some(at),
            "next_query_at": (effect.state == RefundState::Processing)
                .then(|| later(self.now, REFUND_PAUSE)),
        }));
        for share in &effect.shares {
            let Some(fee_id) = &share.fee_id else { continue };
            self.rows.portal_refund_shares.push(json!({
                "refund_id": refund_id, "fee_id": fee_id, "amount_fen": share.amount_fen,
            }));
        }
        for kind in &effect.entries {
            self.move_refund(*kind, &effect.payment_id, effect.amount, &effect.shares)?;
            self.post(&order.merchant_id, *kind, refund_id.as_str(), at, &effect.shares);
        }
        if succeeded {
            self.ended(&refund_id, &order.id, true);
        }
        for incident in &effect.incidents {
            self.incident(arrival, claim, incident, Some(order));
        }
        Ok(())
    }
}
