//! Orders are offered, repeated, paid and found; and what cannot be placed is refused before
//! anything is sent.

use adapters::provider::{NewOrder, OrderKey, Pay, Placed, Product};
use adapters::wire::{Outcome, Reason};
use domain::Fen;
use domain::bill::Direction;
use domain::fact::OrderStanding;

use crate::conformance::case::{AMOUNT, Case, NO, URL, accepted};
use crate::office::morning;

/// What the payer of a product is given.
fn fits(case: &Case, pay: &Pay) -> bool {
    match case.product {
        Product::Native | Product::Precreate => matches!(pay, Pay::QrCode { .. }),
        Product::Jsapi | Product::Create => matches!(pay, Pay::Jsapi { .. }),
        Product::H5 | Product::Wap => matches!(pay, Pay::Redirect { .. }),
        Product::App => matches!(pay, Pay::App { .. }),
        Product::Page => matches!(pay, Pay::Form { .. }),
        Product::Codepay | Product::Pay => *pay == Pay::None,
    }
}

pub(in crate::conformance) fn an_order_is_offered_as_its_product_says_and_paid(case: &Case) {
    let pay = case.open();
    assert!(fits(case, &pay), "{pay:?}");
    let unpaid =
        if case.is_unknown_until_seen() { OrderStanding::Absent } else { OrderStanding::Unpaid };
    assert_eq!(case.standing(), unpaid);
    case.payer_pays(&pay);
    case.found();
    assert_eq!(case.moves(), [(Direction::Payment, AMOUNT)]);
}

pub(in crate::conformance) fn a_repeat_of_placing_is_the_same_byte_for_byte_and_is_accepted(
    case: &Case,
) {
    let order = case.order(URL);
    let (first, again) = (case.hub.place(&order).unwrap(), case.hub.place(&order).unwrap());
    // Only a sealed name would differ, and these orders name nobody.
    assert_eq!(first, again);
    let kept = serde_json::to_string(&first).unwrap();
    let kept = serde_json::from_str(&kept).unwrap();
    assert_eq!(first, kept, "stored and read again");
    match accepted(case.placed(&first)) {
        Placed::Offered(pay) => {
            assert!(matches!(accepted(case.placed(&kept)), Placed::Offered(_)));
            case.payer_pays(&pay);
        }
        // Who is paid already is told so, or is told to ask; he is not paid twice.
        Placed::Paid(_) => match case.placed(&kept) {
            Outcome::Accepted(_) | Outcome::Unknown(_) => {}
            Outcome::Refused(refusal) => assert_eq!(refusal.reason, Reason::AlreadyPaid),
        },
    }
    case.found();
    assert_eq!(case.moves(), [(Direction::Payment, AMOUNT)]);
}

pub(in crate::conformance) fn a_payment_is_found_under_both_numbers_and_names_payee_app_amount_and_number(
    case: &Case,
) {
    let fact = case.paid();
    assert_eq!((fact.out_trade_no.as_str(), fact.amount), (NO, AMOUNT));
    assert_eq!((fact.paid_at, fact.coupon), (morning(), Fen::ZERO));
    let account = case.hub.account();
    // An answer of Alipay's names neither; whoever names them names ours.
    let named = (fact.stated.payee.as_deref(), fact.stated.app.as_deref());
    let ours = (Some(account.payee.as_str()), Some(account.app.as_str()));
    assert_eq!(named, if case.mode.is_alipay() { (None, None) } else { ours });
    let theirs = OrderKey { provider_trade_no: Some(&fact.provider_trade_no), ..case.key() };
    assert_eq!(accepted(case.query(&theirs)), OrderStanding::Paid(fact.clone()));
}

pub(in crate::conformance) fn products_are_exactly_what_can_be_placed(case: &Case) {
    for product in Product::ALL {
        let order = NewOrder { product, ..case.order(URL) };
        let placed = case.hub.place(&order).is_ok();
        assert_eq!(placed, case.hub.products().contains(&product), "{}", product.as_str());
    }
    assert!(case.hub.products().contains(&case.product));
}

pub(in crate::conformance) fn limits_refuse_an_order_before_it_is_sent(case: &Case) {
    let good = || case.order(URL);
    assert!(case.hub.place(&good()).is_ok());
    let long = "登".repeat(300);
    let far = format!("https://pay.example.cn/{}", "a".repeat(300));
    let mut spoiled = vec![
        ("amount_fen", NewOrder { amount: Fen::ZERO, ..good() }),
        ("amount_fen", NewOrder { amount: Fen::new(-1), ..good() }),
        ("subject", NewOrder { subject: " ", ..good() }),
        ("subject", NewOrder { subject: "一\n二", ..good() }),
        ("subject", NewOrder { subject: &long, ..good() }),
    ];
    if !case.product.is_at_counter() || case.mode.is_alipay() {
        let url = "https://pay.example.cn/callbacks?merchant=1";
        spoiled.push(("notify_url", NewOrder { notify_url: url, ..good() }));
        spoiled.push(("notify_url", NewOrder { notify_url: &far, ..good() }));
        spoiled.push(("expires_in_s", NewOrder { expires_at: morning(), ..good() }));
    }
    match case.product {
        Product::Jsapi => spoiled.push(("payer.openid", NewOrder { payer: None, ..good() })),
        Product::Create => spoiled.push(("payer.buyer_id", NewOrder { payer: None, ..good() })),
        Product::Codepay | Product::Pay => {
            spoiled.push(("auth_code", NewOrder { auth_code: None, ..good() }));
        }
        Product::H5 => {
            spoiled.push(("payer.client_ip", NewOrder { client_ip: Some("somewhere"), ..good() }));
        }
        Product::Native | Product::App | Product::Precreate | Product::Page | Product::Wap => {}
    }
    for (field, order) in spoiled {
        let broken = case.hub.place(&order).expect_err(field);
        assert_eq!(broken.field, field, "{broken}");
    }
}
