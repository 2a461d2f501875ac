//! What the provider says by itself: proved, whole, and until it is heard.

use std::sync::Arc;

use adapters::provider::{Acknowledgement, OpenedNotice};
use domain::ManualClock;
use domain::fact::{PaymentFact, ProviderFact, RefundStanding, Stated};
use sandbox::Sandbox;

use crate::conformance::case::{Case, accepted};
use crate::conformance::money::{Posted, refund_no};
use crate::office::morning;
use crate::receiver::Receiver;

/// The notice of the payment; `None`: nothing calls back from the counter.
fn of_payment(case: &Case) -> Option<(PaymentFact, Posted)> {
    let payment = case.paid();
    let posted = case.posted();
    assert_eq!(posted.is_none(), case.product.is_at_counter());
    Some((payment, posted?))
}

#[track_caller]
fn payment_in(opened: &OpenedNotice) -> &PaymentFact {
    match &opened.facts[..] {
        [ProviderFact::Payment(fact)] => fact,
        other => panic!("{other:?}"),
    }
}

pub(in crate::conformance) fn the_notice_of_a_payment_says_what_the_query_says(case: &Case) {
    let Some((payment, posted)) = of_payment(case) else { return };
    let opened = case.opened(&posted).unwrap();
    let account = case.hub.account();
    let fact = payment_in(&opened).clone();
    assert_eq!(fact.stated.payee.as_deref(), Some(account.payee.as_str()));
    assert_eq!(fact.stated.app.as_deref(), Some(account.app.as_str()));
    let unstated = |fact: PaymentFact| PaymentFact { stated: Stated::default(), ..fact };
    assert_eq!(unstated(fact), unstated(payment));
    let again = case.hub.reread_notice(&opened.plaintext).unwrap();
    assert_eq!(again.facts, opened.facts, "kept and read again");
}

pub(in crate::conformance) fn the_notice_of_a_refund_opens(case: &Case) {
    let payment = case.paid();
    let refunded = accepted(case.refund(&payment, 1, 3000));
    case.pass(60);
    let posted = case.posted();
    // Alipay tells of refunds where the order is told of, and the counter's is not.
    let is_silent = case.mode.is_alipay() && case.product.is_at_counter();
    assert_eq!(posted.is_none(), is_silent);
    let Some(posted) = posted else { return };
    let opened = case.opened(&posted).unwrap();
    if case.mode.is_v2() {
        assert_eq!(opened.facts, [], "nobody signed it");
        let hint = opened.hints.first().unwrap();
        assert_eq!((&hint.out_refund_no, Some(hint.amount)), (&refund_no(1), refunded.amount));
        return;
    }
    let refund = opened.facts.iter().find_map(|fact| match fact {
        ProviderFact::Refund(refund) => Some(refund),
        ProviderFact::Payment(_) => None,
    });
    let refund = refund.unwrap();
    assert_eq!(
        (&refund.out_refund_no, refund.standing),
        (&refund_no(1), RefundStanding::Succeeded)
    );
    assert!(refund.amount.is_none_or(|amount| Some(amount) == refunded.amount), "{refund:?}");
}

pub(in crate::conformance) fn no_changed_byte_of_a_notice_says_anything_else(case: &Case) {
    let Some((_, posted)) = of_payment(case) else { return };
    let said = case.opened(&posted).unwrap().facts;
    let places: Vec<usize> = (0..posted.body.len()).step_by(13).collect();
    let mut taken = Vec::new();
    for place in &places {
        let mut changed = posted.clone();
        changed.body[*place] ^= 1;
        if let Ok(opened) = case.opened(&changed) {
            assert_eq!(opened.facts, said, "byte {place}");
            taken.push(*place);
        }
    }
    // Between two tags may stand a blank, which the old interface does not sign.
    let most = if case.mode.is_v2() { places.len().div_euclid(10) } else { 0 };
    assert!(taken.len() <= most, "{taken:?} of {}", places.len());
}

pub(in crate::conformance) fn a_notice_comes_again_until_it_is_acknowledged(case: &Case) {
    if case.product.is_at_counter() {
        return; // nothing calls back
    }
    actix_web::rt::System::new().block_on(async {
        let clock = ManualClock::at(morning());
        let running = Sandbox::start(&case.mode.config(), Arc::new(clock.clone())).unwrap();
        let engine = running.engine().clone();
        let case = Case::at(case.mode, case.product, engine, clock);
        let receiver = Receiver::start();
        let answers = |acknowledgement| {
            let word = case.hub.acknowledge(b"", acknowledgement);
            receiver.answers(word.status, std::str::from_utf8(word.body).unwrap());
        };
        case.paid_towards(&receiver.url);
        for word in [Acknowledgement::TryAgain, Acknowledgement::Refused] {
            answers(word);
            assert_eq!(running.deliver_due().await.failed, 1, "{word:?}");
            case.pass(3600);
        }
        answers(Acknowledgement::Taken);
        assert_eq!(running.deliver_due().await.acknowledged, 1);
        case.pass(86_400);
        let more = running.deliver_due().await;
        assert_eq!((more.failed, more.acknowledged), (0, 0), "it was heard");
        assert_eq!(receiver.taken().len(), 3);
        running.stop().await;
    });
}
