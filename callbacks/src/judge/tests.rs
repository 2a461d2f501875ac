//! Stories of facts against orders, both ways of each rule.

use domain::fact::{PaymentFact, RefundFact, RefundStanding};
use domain::fee::FeeFacts;
use domain::ids::{FeeId, OrderId, PaymentId, RefundId};
use domain::journal::{EntryKind, Share};
use domain::money::Fen;
use domain::order::OrderState;
use domain::refund::RefundState;

use super::*;
use crate::effect::{Effect, PaymentEffect};
use crate::locked::{LockedFee, LockedPayment, LockedRefund};

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn fee_id(n: u32) -> FeeId {
    id(&format!("fee_{n:032x}"))
}

fn account() -> Account {
    Account { payee: "1900000001".to_owned(), app: "wx8888888888888888".to_owned() }
}

fn order(state: OrderState) -> LockedOrder {
    let fee = |n, fen| LockedFee {
        fee_id: fee_id(n),
        allocated: Fen::new(fen),
        facts: FeeFacts { total: Fen::new(fen), ..FeeFacts::default() },
        remitted: Fen::ZERO,
        treasury_refunding: Fen::ZERO,
    };
    LockedOrder {
        order_id: id::<OrderId>(&format!("ord_{:032x}", 1)),
        out_trade_no: id("P1"),
        amount: Fen::new(9000),
        state,
        fees: vec![fee(1, 8000), fee(2, 1000)],
        payments: Vec::new(),
        refunds: Vec::new(),
    }
}

fn paid(amount: i64) -> Claim {
    Claim {
        source: Source::Callback,
        fact: ProviderFact::Payment(PaymentFact {
            stated: Stated {
                payee: Some("1900000001".to_owned()),
                app: Some("wx8888888888888888".to_owned()),
                currency: Some("CNY".to_owned()),
            },
            out_trade_no: id("P1"),
            provider_trade_no: id("4200001"),
            amount: Fen::new(amount),
            coupon: Fen::ZERO,
            paid_at: "2018-11-30T02:00:00Z".parse().unwrap(),
        }),
    }
}

fn of(claim: &Claim, order: &LockedOrder) -> Judgement {
    judge(claim, Some(order), &account(), Policy::default())
}

#[track_caller]
fn payment(judgement: Judgement) -> PaymentEffect {
    let Judgement::Apply(Effect::Payment(effect)) = judgement else {
        panic!("no payment: {judgement:?}");
    };
    effect
}

#[track_caller]
fn check_incident(judgement: &Judgement, kind: IncidentKind) {
    let Judgement::Incident(incident) = judgement else { panic!("no incident: {judgement:?}") };
    assert_eq!(incident.kind, kind);
}

#[test]
fn a_payment_settles_every_fee_of_its_order() {
    for state in [OrderState::Created, OrderState::Pending, OrderState::Unknown] {
        let effect = payment(of(&paid(9000), &order(state)));
        assert_eq!(effect.settles, [fee_id(1), fee_id(2)]);
        assert!(effect.pays_order && !effect.late && effect.incident.is_none());
        assert_eq!(effect.surplus(), Fen::ZERO);
    }
}

#[test]
fn money_for_a_closed_order_settles_its_fee_and_is_called_late() {
    for state in [OrderState::Closed, OrderState::Failed] {
        let effect = payment(of(&paid(9000), &order(state)));
        assert!(effect.late && effect.settles.len() == 2);
        assert_eq!(effect.incident.map(|incident| incident.kind), Some(IncidentKind::LatePayment));
    }
}

#[test]
fn late_money_is_surplus_when_the_office_wants_it_so() {
    let policy = Policy { late_payment: LatePayment::Refund, ..Policy::default() };
    let late = judge(&paid(9000), Some(&order(OrderState::Closed)), &account(), policy);
    assert_eq!(payment(late).surplus(), Fen::new(9000));
    let in_time = judge(&paid(9000), Some(&order(OrderState::Pending)), &account(), policy);
    assert_eq!(payment(in_time).surplus(), Fen::ZERO);
}

#[test]
fn what_a_fee_no_longer_owes_is_surplus() {
    let mut order = order(OrderState::Closed);
    order.fees[0].facts.paid = Fen::new(8000);
    let effect = payment(of(&paid(9000), &order));
    assert_eq!(effect.surplus(), Fen::new(8000));
    assert_eq!(effect.settles, [fee_id(2)]);
    order.fees[1].facts.void = true;
    assert_eq!(payment(of(&paid(9000), &order)).surplus(), Fen::new(9000));
}

#[test]
fn the_same_payment_again_changes_nothing_and_another_one_is_surplus() {
    let mut order = order(OrderState::Paid);
    order.payments.push(LockedPayment {
        payment_id: id::<PaymentId>(&format!("pay_{:032x}", 1)),
        provider_trade_no: id("4200001"),
        amount: Fen::new(9000),
        refunding: Fen::ZERO,
        surplus: Fen::ZERO,
        surplus_refunding: Fen::ZERO,
        shares: Vec::new(),
    });
    assert_eq!(of(&paid(9000), &order), Judgement::Known);
    check_incident(&of(&paid(8999), &order), IncidentKind::AmountDiffers);
    order.payments[0].provider_trade_no = id("4200002");
    let second = payment(of(&paid(9000), &order));
    assert!(!second.pays_order);
    assert_eq!(second.surplus(), Fen::new(9000));
}

#[test]
fn t04_a_statement_about_anything_else_is_an_incident_and_applies_nothing() {
    let order = order(OrderState::Pending);
    check_incident(&of(&paid(8999), &order), IncidentKind::AmountDiffers);
    check_incident(
        &judge(&paid(9000), None, &account(), Policy::default()),
        IncidentKind::OrderUnknown,
    );
    let with = |change: fn(&mut Stated)| {
        let mut claim = paid(9000);
        if let ProviderFact::Payment(fact) = &mut claim.fact {
            change(&mut fact.stated);
        }
        of(&claim, &order)
    };
    check_incident(&with(|s| s.payee = Some("1".into())), IncidentKind::MerchantDiffers);
    check_incident(&with(|s| s.payee = None), IncidentKind::MerchantDiffers);
    check_incident(&with(|s| s.app = Some("wx1".into())), IncidentKind::AppDiffers);
    check_incident(&with(|s| s.currency = Some("USD".into())), IncidentKind::CurrencyDiffers);
}

fn refunding(state: RefundState, standing: RefundStanding, stated: Option<i64>) -> Judgement {
    let (order, claim) = refunded(state, standing, stated);
    of(&claim, &order)
}

/// A paid order with one refund of 5 yuan out of its first fee, and what is said of the refund.
fn refunded(
    state: RefundState,
    standing: RefundStanding,
    stated: Option<i64>,
) -> (LockedOrder, Claim) {
    let mut order = order(OrderState::Paid);
    order.fees[0].facts.paid = Fen::new(8000);
    order.fees[0].facts.refunding = if state.holds_money() { Fen::new(500) } else { Fen::ZERO };
    order.payments.push(LockedPayment {
        payment_id: id::<PaymentId>(&format!("pay_{:032x}", 1)),
        provider_trade_no: id("4200001"),
        amount: Fen::new(9000),
        refunding: order.fees[0].facts.refunding,
        surplus: Fen::new(1000),
        surplus_refunding: Fen::ZERO,
        shares: Vec::new(),
    });
    order.refunds.push(LockedRefund {
        refund_id: id::<RefundId>(&format!("rfd_{:032x}", 1)),
        out_refund_no: id("R1"),
        payment_id: id::<PaymentId>(&format!("pay_{:032x}", 1)),
        amount: Fen::new(500),
        state,
        shares: vec![Share { fee_id: Some(fee_id(1)), amount_fen: Fen::new(500) }],
    });
    let fact = RefundFact {
        stated: Stated::default(),
        out_trade_no: id("P1"),
        out_refund_no: id("R1"),
        provider_trade_no: None,
        provider_refund_no: None,
        amount: stated.map(Fen::new),
        given_back: None,
        standing,
        at: None,
        accepted_at: None,
    };
    (order, Claim { source: Source::Callback, fact: ProviderFact::Refund(fact) })
}

#[track_caller]
fn check_refund(state: RefundState, standing: RefundStanding, entries: &[EntryKind]) {
    let judgement = refunding(state, standing, Some(500));
    let Judgement::Apply(Effect::Refund(effect)) = judgement else {
        panic!("nothing moved: {judgement:?}");
    };
    assert_eq!(effect.entries, entries);
}

#[test]
fn a_refund_is_released_or_paid_out_exactly_once() {
    use RefundStanding::{Abnormal, Failed, Processing, Succeeded};
    check_refund(RefundState::Unknown, Succeeded, &[EntryKind::RefundSucceeded]);
    check_refund(RefundState::Submitted, Processing, &[]);
    check_refund(RefundState::Processing, Failed, &[EntryKind::RefundReleased]);
    check_refund(RefundState::Processing, Abnormal, &[]);
    check_refund(
        RefundState::Failed,
        Succeeded,
        &[EntryKind::RefundRequested, EntryKind::RefundSucceeded],
    );
    assert_eq!(refunding(RefundState::Succeeded, Succeeded, None), Judgement::Known);
    assert_eq!(refunding(RefundState::Succeeded, Processing, None), Judgement::Known);
    assert_eq!(refunding(RefundState::Failed, Failed, None), Judgement::Known);
}

#[test]
fn a_refund_of_another_amount_or_before_its_approval_is_an_incident() {
    let other = refunding(RefundState::Processing, RefundStanding::Succeeded, Some(501));
    check_incident(&other, IncidentKind::RefundAmountDiffers);
    let unapproved = refunding(RefundState::PendingApproval, RefundStanding::Succeeded, None);
    check_incident(&unapproved, IncidentKind::RefundContradicts);
}

#[test]
fn t13_a_refund_of_which_less_is_told_than_was_asked_is_an_incident() {
    let told = |sum: i64| {
        let (order, mut claim) = refunded(RefundState::Processing, RefundStanding::Succeeded, None);
        let ProviderFact::Refund(fact) = &mut claim.fact else { panic!("no refund") };
        fact.given_back = Some(Fen::new(sum));
        of(&claim, &order)
    };
    for less in [0, 1, 499] {
        check_incident(&told(less), IncidentKind::RefundAmountDiffers);
    }
    for enough in [500, 9000] {
        assert!(matches!(told(enough), Judgement::Apply(Effect::Refund(_))), "{enough}");
    }
}

#[test]
fn a_refund_that_failed_and_yet_succeeded_takes_only_what_is_left_of_its_surplus() {
    let (mut order, claim) = refunded(RefundState::Failed, RefundStanding::Succeeded, None);
    order.refunds[0].shares = vec![Share { fee_id: None, amount_fen: Fen::new(500) }];
    order.payments[0].surplus_refunding = Fen::new(500);
    assert!(matches!(of(&claim, &order), Judgement::Apply(Effect::Refund(_))));
    order.payments[0].surplus_refunding = Fen::new(501);
    check_incident(&of(&claim, &order), IncidentKind::RefundContradicts);
}

#[test]
fn a_refund_that_failed_and_yet_succeeded_takes_nothing_that_was_paid_over_to_the_treasury() {
    let (mut order, claim) = refunded(RefundState::Failed, RefundStanding::Succeeded, None);
    let mut judged = |remitted: i64, refunding: i64, by_treasury: i64| {
        let fee = &mut order.fees[0];
        (fee.remitted, fee.facts.refunding) = (Fen::new(remitted), Fen::new(refunding));
        fee.treasury_refunding = Fen::new(by_treasury);
        of(&claim, &order)
    };
    // Of 8000 that were paid, 500 are left at the provider: all that the refund needs.
    for (remitted, refunding, by_treasury) in [(7500, 0, 0), (7500, 7500, 7500), (7000, 1500, 1000)]
    {
        let judgement = judged(remitted, refunding, by_treasury);
        assert!(matches!(judgement, Judgement::Apply(Effect::Refund(_))), "{judgement:?}");
    }
    for (remitted, refunding, by_treasury) in [(8000, 0, 0), (7501, 7501, 7501), (7000, 1501, 1000)]
    {
        let judgement = judged(remitted, refunding, by_treasury);
        check_incident(&judgement, IncidentKind::RefundContradicts);
    }
}

/// A payment of 9000, 1000 of it surplus, of which the portal gave back `amount` under a new number.
fn portal(amount: i64, source: Source) -> Judgement {
    let (mut order, mut claim) = refunded(RefundState::Processing, RefundStanding::Succeeded, None);
    order.payments[0].shares = vec![Share { fee_id: Some(fee_id(1)), amount_fen: Fen::new(8000) }];
    order.fees[0].facts.paid = Fen::new(8000);
    order.fees[0].facts.refunding = Fen::new(500);
    let ProviderFact::Refund(fact) = &mut claim.fact else { panic!("no refund") };
    fact.out_refund_no = id("HAND1");
    fact.amount = Some(Fen::new(amount));
    claim.source = source;
    of(&claim, &order)
}

#[test]
fn a_refund_of_the_portal_takes_surplus_first_and_then_the_fees_in_their_order() {
    let Judgement::Apply(Effect::PortalRefund(effect)) = portal(3000, Source::Bill) else {
        panic!("not booked");
    };
    let shares: Vec<(Option<FeeId>, i64)> =
        effect.shares.iter().map(|it| (it.fee_id.clone(), it.amount_fen.get())).collect();
    assert_eq!(shares, [(Some(fee_id(1)), 2000), (None, 1000)]);
    assert_eq!(effect.entries, [EntryKind::RefundRequested, EntryKind::RefundSucceeded]);
    assert_eq!(effect.incidents[0].kind, IncidentKind::PortalRefund);
}

#[test]
fn a_refund_of_the_portal_is_booked_to_the_last_fen_and_not_one_beyond() {
    let left = 9000 - 500;
    assert!(matches!(portal(left, Source::Bill), Judgement::Apply(Effect::PortalRefund(_))));
    check_incident(&portal(left + 1, Source::Bill), IncidentKind::PortalRefundExceeds);
    check_incident(&portal(0, Source::Bill), IncidentKind::PortalRefundExceeds);
}

#[test]
fn a_notice_or_a_query_alone_books_no_refund_that_nobody_asked_for() {
    for source in [Source::Callback, Source::Query] {
        check_incident(&portal(3000, source), IncidentKind::RefundUnknown);
    }
}
