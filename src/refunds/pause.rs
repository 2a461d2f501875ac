//! The pause that a provider wants between two refunds of one payment. A refund that comes too soon
//! is not refused: it gets a place behind those that came before it, and keeps it.

use domain::ids::RefundId;
use domain::refund::RefundState;
use jiff::{SignedDuration, Timestamp};

use super::request::PICK_UP;
use crate::store::orders::{OrderRecord, OrderRefund};

/// When a refund may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// Now, for the first time.
    First,
    /// Now, and it left before.
    Again,
    /// Not before then: others of its payment go first.
    At(Timestamp),
    /// It left a moment ago, and may yet be answered until then.
    Asked(Timestamp),
    /// Not any more: it ended, or is a person's work.
    Never,
}

/// When the refund `refund_id` of `order`, which is locked, may leave. Only the locked row says
/// whether it left before: who asks may have read it long ago.
pub(super) fn slot(
    order: &OrderRecord,
    refund_id: &RefundId,
    gap: SignedDuration,
    now: Timestamp,
) -> Slot {
    let own = order.refunds.iter().find(|refund| refund.id == *refund_id);
    let Some(own) = own.filter(|own| may_be_sent(own.status)) else { return Slot::Never };
    let after = |at: Timestamp, pause| at.saturating_add(pause).unwrap_or(Timestamp::MAX);
    if let Some(asked) = own.sent_at.map(|sent| after(sent, gap.max(PICK_UP)))
        && asked > now
    {
        return Slot::Asked(asked);
    }
    let others = order
        .refunds
        .iter()
        .filter(|refund| refund.payment_id == own.payment_id && refund.id != own.id);
    let sent = others.clone().filter_map(|refund| refund.sent_at).max();
    let waiting = others.filter(|refund| may_be_sent(refund.status) && refund.send_after.is_some());
    // Who left before is asked for first, and nobody waits until that is answered.
    let before =
        waiting.clone().filter(|refund| refund.sent_at.is_none() && is_before(refund, own));
    let free = sent.map_or(now, |sent| after(sent, gap).max(now));
    let turn = before.fold(free, |at, _refund| after(at, gap));
    let at = match own.send_after {
        Some(place) => turn.max(place),
        None => waiting
            .filter_map(|refund| refund.send_after)
            .max()
            .map_or(turn, |last| turn.max(after(last, gap))),
    };
    if at > now {
        return Slot::At(at);
    }
    match own.sent_at {
        None => Slot::First,
        Some(_) => Slot::Again,
    }
}

/// Whether a refund in that state may be under way to its provider, now or later.
const fn may_be_sent(state: RefundState) -> bool {
    matches!(state, RefundState::Submitted | RefundState::Unknown | RefundState::Processing)
}

/// Whether a waiting refund has its place before another one, which may have none yet.
fn is_before(waiting: &OrderRefund, other: &OrderRefund) -> bool {
    let place = |refund: &OrderRefund| (refund.send_after, refund.id.as_str().to_owned());
    other.send_after.is_none() || place(waiting) < place(other)
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
        check(json!([own()]), 5, Slot::First);
        check(json!([own(), refund(2, 1, Some(5), None)]), 5, Slot::At(minute(6)));
        check(json!([own(), refund(2, 1, Some(4), None)]), 5, Slot::First);
        check(json!([own(), refund(2, 2, Some(5), None)]), 5, Slot::First);
        let queue = json!([own(), refund(2, 1, Some(5), None), refund(3, 1, None, Some(6))]);
        check(queue, 5, Slot::At(minute(7)));
        let late = json!([own(), refund(2, 1, Some(1), None), refund(3, 1, None, Some(2))]);
        check(late, 9, Slot::At(minute(10)));
    }

    #[test]
    fn a_refund_whose_place_has_come_leaves_before_those_behind_it() {
        let own = || refund(1, 1, None, Some(6));
        check(
            json!([own(), refund(2, 1, Some(5), None), refund(3, 1, None, Some(7))]),
            6,
            Slot::First,
        );
        check(json!([own(), refund(2, 1, Some(5), None)]), 5, Slot::At(minute(6)));
        // Somebody was sent again meanwhile: behind him, and still before those who wait.
        check(json!([own(), refund(2, 1, Some(6), None)]), 6, Slot::At(minute(7)));
        let queue = json!([own(), refund(2, 1, Some(6), None), refund(3, 1, None, Some(9))]);
        check(queue, 6, Slot::At(minute(7)));
    }

    #[test]
    fn refunds_that_waited_for_a_hub_leave_in_the_order_of_their_places() {
        let own = || refund(1, 1, None, Some(6));
        let third = json!([own(), refund(2, 1, None, Some(4)), refund(3, 1, None, Some(5))]);
        check(third, 20, Slot::At(minute(22)));
        let first = json!([own(), refund(2, 1, None, Some(7)), refund(3, 1, None, Some(8))]);
        check(first, 20, Slot::First);
        // One that left before waits for an answer to a question: nobody waits for that.
        let mut lost = refund(2, 1, Some(3), Some(4));
        check(json!([own(), lost.clone()]), 20, Slot::First);
        lost["status"] = json!("succeeded");
        lost["sent_at"] = Value::Null;
        check(json!([own(), lost]), 20, Slot::First);
    }

    #[test]
    fn a_refund_that_left_is_not_sent_again_while_it_may_be_answered() {
        let own = |sent, waits| json!([refund(1, 1, Some(sent), waits)]);
        check(own(5, None), 5, Slot::Asked(minute(6)));
        check(own(5, Some(5)), 5, Slot::Asked(minute(6)));
        check(own(5, None), 6, Slot::Again);
        check(own(5, Some(6)), 7, Slot::Again);
    }

    #[test]
    fn a_refund_that_ended_never_leaves() {
        for state in ["pending_approval", "declined", "succeeded", "failed", "abnormal"] {
            let mut own = refund(1, 1, None, Some(4));
            own["status"] = json!(state);
            check(json!([own]), 5, Slot::Never);
        }
    }
}
