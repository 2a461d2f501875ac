//! Refunds within WeChat's rules, and abnormal ones on their way elsewhere.

use domain::personal::Personal;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::NOTIFY_URL;
use crate::keys::open_oaep_sha1;
use crate::provider::{AccountKind, NewRefund, PaymentProvider as _, Redirect};
use crate::testing::{CHANCE, KEY_ID, fixture, new_refund, refund_no, stamp, trade_no, wechat};
use crate::wire::Headers;

#[track_caller]
fn check_refund(change: impl FnOnce(&mut NewRefund<'_>), fault: Option<&str>) {
    let (order, refund) = (trade_no(), refund_no());
    let payment = "4200000001201811300000000001".parse().unwrap();
    let mut refund = new_refund(&order, &payment, &refund, NOTIFY_URL);
    change(&mut refund);
    assert_eq!(wechat().refund(&refund).err().map(|error| error.field), fault);
}

#[test]
fn a_payment_is_given_back_within_a_year_and_in_fifty_parts() {
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let paid = |paid_at: Timestamp, now: Timestamp| {
        move |refund: &mut NewRefund<'_>| (refund.paid_at, refund.now) = (paid_at, now)
    };
    let payment = at("2017-11-30T09:00:00+08:00");
    check_refund(paid(payment, at("2018-11-30T09:00:00+08:00")), None);
    check_refund(paid(payment, at("2018-11-30T09:00:01+08:00")), Some("paid_at"));
    // The 29th of February has no anniversary.
    let leap = at("2016-02-29T12:00:00+08:00");
    check_refund(paid(leap, at("2017-02-28T12:00:00+08:00")), None);
    check_refund(paid(leap, at("2017-02-28T12:00:01+08:00")), Some("paid_at"));
    check_refund(|refund| refund.earlier = 49, None);
    check_refund(|refund| refund.earlier = 50, Some("out_refund_no"));
    assert_eq!(wechat().refund_gap().as_secs(), 60);
}

#[test]
fn a_refund_s_texts_have_their_limits() {
    for (number, good) in [("R@", true), (&*"R".repeat(64), true), ("R.1", false)] {
        if let Ok(number) = number.parse() {
            let number = Box::leak(Box::new(number));
            let fault = (!good).then_some("out_refund_no");
            check_refund(|refund| refund.out_refund_no = number, fault);
        }
    }
    let long = Box::leak(format!("https://pay.example.cn/{}", "a".repeat(234)).into_boxed_str());
    check_refund(|refund| refund.notify_url = long, Some("notify_url"));
    let longest = long.get(..256).unwrap();
    check_refund(|refund| refund.notify_url = longest, None);
    check_refund(|refund| refund.total = domain::Fen::ZERO, Some("total_fen"));
}

fn redirect<T>(
    change: impl FnOnce(&mut Redirect<'_>),
    read: impl FnOnce(Result<crate::wire::Call, crate::provider::LimitError>) -> T,
) -> T {
    let (number, theirs) = (refund_no(), "50300/0".parse().unwrap());
    let (card, holder) = (Personal::new("6225880137706868"), Personal::new("张三"));
    let mut redirect = Redirect {
        provider_refund_no: &theirs,
        out_refund_no: &number,
        to: AccountKind::PayerCard,
        bank: Some("CMB_DEBIT"),
        card: Some(&card),
        holder: Some(&holder),
        now: crate::testing::now(),
        chance: &CHANCE,
    };
    change(&mut redirect);
    read(wechat().redirect_refund(&redirect))
}

#[test]
fn an_abnormal_refund_goes_to_a_card_that_only_wechat_can_read() {
    let call = redirect(|_| (), Result::unwrap);
    assert_eq!(call.target, "/v3/refund/domestic/refunds/50300%2F0/apply-abnormal-refund");
    assert!(!call.body.contains("6225880137706868") && !call.body.contains("张三"));
    let body: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(
        (&body["type"], &body["bank_type"]),
        (&json!("USER_BANK_CARD"), &json!("CMB_DEBIT"))
    );
    let key = fixture("keys/wechatpay_platform.pem");
    let opened = |name: &str| open_oaep_sha1(&key, body[name].as_str().unwrap()).unwrap();
    assert_eq!(opened("bank_account"), b"6225880137706868");
    assert_eq!(opened("real_name"), "张三".as_bytes());
    let headers = Headers(wechat().sign(&call, &stamp()).unwrap().headers);
    assert_eq!(headers.only("Wechatpay-Serial"), Some(KEY_ID));
    assert_eq!(wechat().rate(&call).sort, "refund");
    assert_eq!(call, redirect(|_| (), Result::unwrap), "a function of its chance");
}

#[test]
fn an_abnormal_refund_goes_to_the_merchant_without_anybody_s_card() {
    let call = redirect(|redirect| redirect.to = AccountKind::MerchantAccount, Result::unwrap);
    let expected = json!({"out_refund_no": refund_no().as_str(), "type": "MERCHANT_BANK_CARD"});
    assert_eq!(serde_json::from_str::<Value>(&call.body).unwrap(), expected);
    assert!(call.parameters.is_empty());
}

#[test]
fn a_card_without_bank_number_or_holder_is_asked_for() {
    let field = |change: fn(&mut Redirect<'_>)| {
        redirect(change, |call| call.err().map(|error| error.field))
    };
    assert_eq!(field(|redirect| redirect.bank = None), Some("bank"));
    assert_eq!(field(|redirect| redirect.bank = Some("招商银行")), Some("bank"));
    assert_eq!(field(|redirect| redirect.card = None), Some("card"));
    assert_eq!(field(|redirect| redirect.holder = None), Some("holder"));
}
