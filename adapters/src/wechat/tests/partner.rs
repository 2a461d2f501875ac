//! A service provider acts for a merchant: both are named in every call, and must be in every
//! statement.

use domain::fact::{OrderStanding, ProviderFact};
use domain::personal::Personal;
use jiff::civil::date;
use serde_json::{Value, json};

use super::{NOTIFY_URL, partner, refund_notice, sealed, signed, signed_at, transaction, with};
use crate::provider::{
    AccountKind, BillKind, FundAccount, Notice, OrderKey, Pay, PaymentProvider as _, Placed,
    Product, Redirect,
};
use crate::testing::{CHANCE, NOW, REFUND_NO, new_order, new_refund, now, order_key, refund_key};
use crate::testing::{TRADE_NO, refund_no, said, stamp, standing, trade_no, word};
use crate::wechat::Wechat;
use crate::wire::{Call, Headers, Outcome};

fn jsapi(hub: &Wechat) -> Call {
    let payer = Personal::new("oUpF8");
    let number = trade_no();
    let mut order = new_order(Product::Jsapi, &number, NOTIFY_URL);
    order.payer = Some(&payer);
    hub.place(&order).unwrap()
}

fn json_of(call: &Call) -> Value {
    serde_json::from_str(&call.body).unwrap()
}

#[test]
fn an_order_names_the_provider_and_the_merchant() {
    let call = jsapi(&partner(None));
    assert_eq!(call.target, "/v3/pay/partner/transactions/jsapi");
    let body = json_of(&call);
    assert_eq!(body["sp_appid"], "wx8888888888888888");
    assert_eq!(
        (&body["sp_mchid"], &body["sub_mchid"]),
        (&json!("1900000001"), &json!("1900000109"))
    );
    assert_eq!(body["payer"], json!({"sp_openid": "oUpF8"}));
    for absent in ["appid", "mchid", "sub_appid"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
    let body = json_of(&jsapi(&partner(Some("wx9"))));
    assert_eq!(body["sub_appid"], "wx9");
    assert_eq!(body["payer"], json!({"sub_openid": "oUpF8"}));
}

#[test]
fn the_payer_pays_under_the_application_that_names_him() {
    for (sub_appid, app) in [(None, "wx8888888888888888"), (Some("wx9"), "wx9")] {
        let hub = partner(sub_appid);
        let answer = signed(200, &json!({"prepay_id": "wx1"}));
        let outcome = hub.read_placed(&jsapi(&hub), &answer, &stamp());
        let Outcome::Accepted(Placed::Offered(Pay::Jsapi { params })) = outcome else {
            panic!("not offered")
        };
        assert_eq!(params["appId"], app);
    }
}

#[test]
fn every_other_call_names_the_merchant_too() {
    let (hub, order, number) = (partner(None), trade_no(), refund_no());
    let payment = "42000".parse().unwrap();
    let root = "/v3/pay/partner/transactions";
    let who = "sp_mchid=1900000001&sub_mchid=1900000109";
    let query = |key| hub.query_order(&key).target;
    assert_eq!(query(order_key(&order)), format!("{root}/out-trade-no/{TRADE_NO}?{who}"));
    let theirs = OrderKey { out_trade_no: &order, provider_trade_no: Some(&payment) };
    assert_eq!(query(theirs), format!("{root}/id/42000?{who}"));
    let close = hub.close_order(&order, Product::Jsapi);
    assert_eq!(close.target, format!("{root}/out-trade-no/{TRADE_NO}/close"));
    assert_eq!(close.body, r#"{"sp_mchid":"1900000001","sub_mchid":"1900000109"}"#);
    let refund = hub.refund(&new_refund(&order, &payment, &number, NOTIFY_URL)).unwrap();
    assert_eq!(json_of(&refund)["sub_mchid"], "1900000109");
    let asked = hub.query_refund(&refund_key(&order, &number)).target;
    assert_eq!(asked, format!("/v3/refund/domestic/refunds/{REFUND_NO}?sub_mchid=1900000109"));
    let redirect = Redirect {
        provider_refund_no: &"503000".parse().unwrap(),
        out_refund_no: &number,
        to: AccountKind::MerchantAccount,
        bank: None,
        card: None,
        holder: None,
        now: crate::testing::now(),
        chance: &CHANCE,
    };
    assert_eq!(json_of(&hub.redirect_refund(&redirect).unwrap())["sub_mchid"], "1900000109");
    let bill = hub.ask_bill(BillKind::Trade, date(2018, 11, 29)).unwrap();
    assert!(bill.target.ends_with("&sub_mchid=1900000109"), "{}", bill.target);
    let flow = hub.ask_bill(BillKind::FundFlow(FundAccount::Basic), date(2018, 11, 29));
    assert_eq!(flow.unwrap_err().field, "bill");
}

#[test]
fn the_service_provider_signs_and_the_merchant_is_paid() {
    let hub = partner(None);
    assert_eq!(hub.account().payee, "1900000109");
    assert_eq!(hub.account().app, "wx8888888888888888");
    let request = hub.sign(&jsapi(&hub), &stamp()).unwrap();
    let headers = Headers(request.headers);
    assert!(headers.only("Authorization").unwrap().contains("mchid=\"1900000001\""));
}

/// A paid transaction as a service provider is told it.
fn told() -> Value {
    with(
        transaction(),
        &json!({
            "mchid": null, "appid": null, "sp_mchid": "1900000001",
            "sp_appid": "wx8888888888888888", "sub_mchid": "1900000109", "sub_appid": "wx9",
        }),
    )
}

#[track_caller]
fn check_told(change: &Value, expected: &str) {
    let answer = signed(200, &with(told(), change));
    let outcome = partner(None).read_order(&order_key(&trade_no()), &answer, now());
    assert_eq!(said(&outcome, standing), expected, "{change}");
    let body = sealed("TRANSACTION.SUCCESS", &with(told(), change).to_string());
    let headers = signed_at(NOW, &body);
    let notice = Notice { headers: &headers, body: &body, received_at: now() };
    let opened = partner(None).open_notice(&notice).unwrap();
    assert_eq!(opened.facts.len(), usize::from(expected == "paid"), "{change}");
    assert_eq!(opened.unreadable.is_some(), expected != "paid", "{change}");
}

#[test]
fn t04_a_statement_names_the_provider_and_the_merchant() {
    check_told(&json!({}), "paid");
    for field in ["sp_mchid", "sp_appid", "sub_mchid"] {
        check_told(&json!({ field: null }), "unknown");
    }
    check_told(&json!({"sp_mchid": "1900000009"}), "unknown");
    // A direct merchant's statement is none of a service provider's.
    check_told(&json!({"sp_mchid": null, "mchid": "1900000109"}), "unknown");
    // Another merchant of the same provider is told as stated; whoever records it compares.
    check_told(&json!({"sub_mchid": "1900000110"}), "paid");
}

#[test]
fn the_money_is_the_merchant_s() {
    let answer = signed(200, &told());
    let outcome = partner(None).read_order(&order_key(&trade_no()), &answer, now());
    let Outcome::Accepted(OrderStanding::Paid(fact)) = outcome else { panic!("not paid") };
    assert_eq!(fact.stated.payee.as_deref(), Some("1900000109"));
    assert_eq!(fact.stated.app.as_deref(), Some("wx8888888888888888"));
}

#[test]
fn a_refund_is_the_merchant_s_too() {
    let hub = partner(None);
    let named = json!({"mchid": null, "sp_mchid": "1900000001", "sub_mchid": "1900000109"});
    let open = |change: &Value| {
        let plaintext = with(with(refund_notice(), &named), change).to_string();
        let body = sealed("REFUND.SUCCESS", &plaintext);
        let headers = signed_at(NOW, &body);
        hub.open_notice(&Notice { headers: &headers, body: &body, received_at: now() }).unwrap()
    };
    let opened = open(&json!({}));
    let [ProviderFact::Refund(fact)] = opened.facts.as_slice() else { panic!("no refund") };
    assert_eq!(fact.stated.payee.as_deref(), Some("1900000109"));
    for change in
        [json!({"sp_mchid": null}), json!({"sub_mchid": null}), json!({"sp_mchid": "1900000009"})]
    {
        assert!(open(&change).unreadable.is_some(), "{change}");
    }
    let answer = |change: &Value| {
        let body = with(refund_notice(), &json!({"mchid": null, "status": "SUCCESS"}));
        let (order, number) = (trade_no(), refund_no());
        word(&hub.read_refunded(
            &refund_key(&order, &number),
            &signed(200, &with(body, change)),
            now(),
        ))
    };
    assert_eq!(answer(&json!({})), "accepted", "an answer may leave the parties out");
    assert_eq!(answer(&json!({"sp_mchid": "1900000009"})), "unknown");
}
