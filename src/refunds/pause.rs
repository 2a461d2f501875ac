//! The pause that a provider wants between two refunds of one payment. A refund that comes too soon
//! is not refused: it gets a place behind those that came before it.

use domain::ids::RefundId;
use jiff::{SignedDuration, Timestamp};

use crate::store::orders::OrderRecord;

/// When a refund may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// Now.
    Now,
    /// Not before then.
    At(Timestamp),
}

/// When the refund `refund_id` of `order`, which is locked, may leave.
pub(super) fn slot(
    order: &OrderRecord,
    refund_id: &RefundId,
    gap: SignedDuration,
    now: Timestamp,
) -> Slot {
    let Some(own) = order.refunds.iter().find(|refund| refund.id == *refund_id) else {
        return Slot::Now;
    };
    let others = order
        .refunds
        .iter()
        .filter(|refund| refund.payment_id == own.payment_id && refund.id != own.id);
    let sent = others.clone().filter_map(|refund| refund.sent_at).max();
    // A refund that holds no money any more will not use its place.
    let waiting = others
        .filter(|refund| refund.status.holds_money())
        .filter_map(|refund| refund.send_after)
        .max();
    let behind = |last: Timestamp| last.saturating_add(gap).unwrap_or(Timestamp::MAX);
    let free = sent.is_none_or(|sent| behind(sent) <= now);
    match own.send_after {
        Some(place) if place > now => Slot::At(place),
        Some(_) if free => Slot::Now,
        _ => match sent.max(waiting).map(behind) {
            Some(at) if at > now => Slot::At(at),
            Some(_) | None => Slot::Now,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const GAP: SignedDuration = SignedDuration::from_mins(1);

    fn minute(minute: i64) -> Timestamp {
        let opening: Timestamp = "2018-11-30T01:00:00Z".parse().unwrap();
        opening.checked_add(SignedDuration::from_mins(minute)).unwrap()
    }

    /// A refund of the payment `number`: when it was sent, and until when it waits.
    fn refund(number: u128, payment: u128, sent: Option<i64>, waits: Option<i64>) -> Value {
        json!({
            "id": RefundId::new(uuid::Uuid::from_u128(number)),
            "payment_id": domain::ids::PaymentId::new(uuid::Uuid::from_u128(payment)),
            "out_refund_no": format!("R{number}"), "amount_fen": 1, "surplus_fen": 0,
            "status": "submitted", "shares": [],
            "sent_at": sent.map(minute), "send_after": waits.map(minute),
        })
    }

    #[track_caller]
    fn check(refunds: Value, now: i64, wanted: Slot) {
        let order = json!({
            "id": domain::ids::OrderId::new(uuid::Uuid::nil()), "application_id": "registry",
            "merchant_id": "m", "provider": "wechat", "product": "native",
            "out_trade_no": "P00000000001", "amount_fen": 100, "subject": "", "status": "paid",
            "pay": null, "created_at": minute(0), "expires_at": minute(9), "paid_at": minute(0),
            "paid_late": false, "queries": 0, "fees": [], "payments": [], "refunds": refunds,
        });
        let order: OrderRecord = serde_json::from_value(order).unwrap();
        let own = RefundId::new(uuid::Uuid::from_u128(1));
        assert_eq!(slot(&order, &own, GAP, minute(now)), wanted);
    }

    #[test]
    fn two_refunds_of_one_payment_never_leave_closer_than_the_gap() {
        let own = || refund(1, 1, None, None);
        check(json!([own()]), 5, Slot::Now);
        check(json!([own(), refund(2, 1, Some(5), None)]), 5, Slot::At(minute(6)));
        check(json!([own(), refund(2, 1, Some(4), None)]), 5, Slot::Now);
        check(json!([own(), refund(2, 2, Some(5), None)]), 5, Slot::Now);
        let queue = json!([own(), refund(2, 1, Some(5), None), refund(3, 1, None, Some(6))]);
        check(queue, 5, Slot::At(minute(7)));
    }

    #[test]
    fn a_refund_whose_place_has_come_leaves_before_those_behind_it() {
        let own = || refund(1, 1, None, Some(6));
        check(
            json!([own(), refund(2, 1, Some(5), None), refund(3, 1, None, Some(7))]),
            6,
            Slot::Now,
        );
        check(json!([own(), refund(2, 1, Some(5), None)]), 5, Slot::At(minute(6)));
        // Somebody was sent again meanwhile: behind him, and behind those who wait.
        check(json!([own(), refund(2, 1, Some(6), None)]), 6, Slot::At(minute(7)));
    }
}
