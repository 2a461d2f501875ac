//! What leaves the hub for WeChat in v2: settings, limits, and the bytes.

use domain::money::Fen;
use domain::personal::{Personal, Secret};
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};

use super::{BOTH, NOTIFY_URL, config, hub, hub_of, hub_with, placing, service_provider};
use crate::provider::{
    BillKind, BillTicket, FundAccount, Identity, NewOrder, NewRefund, OrderKey,
    PaymentProvider as _, Product,
};
use crate::testing::{
    NOW, new_order, new_refund, now, order_key, printed_in_zone, refund_key, refund_no, stamp,
    trade_no,
};
use crate::wechat::SubMerchant;
use crate::wechat_v2::{WechatV2, WechatV2Config, xml};
use crate::wire::{Call, Headers, Method, Request, Stamp};

#[track_caller]
fn check_setting(change: impl FnOnce(&mut WechatV2Config), expected: Option<&str>) {
    let mut config = config();
    change(&mut config);
    assert_eq!(WechatV2::new(config).err().map(|error| error.key), expected);
}

#[test]
fn a_wrong_setting_is_named_by_its_key() {
    check_setting(|_| (), None);
    check_setting(|config| config.mchid.clear(), Some("mchid"));
    check_setting(|config| config.appid = "wx\"".to_owned(), Some("appid"));
    check_setting(|config| config.api_key = Secret::new("short"), Some("api_key"));
    let plain = "http://api.mch.weixin.qq.com";
    check_setting(|config| config.base_url = plain.to_owned(), Some("base_url"));
    check_setting(|config| config.second_base_url = Some(plain.into()), Some("second_base_url"));
    let sub = |mchid: &str, appid: Option<&str>| {
        Some(SubMerchant { mchid: mchid.to_owned(), appid: appid.map(str::to_owned) })
    };
    check_setting(|config| config.sub_merchant = sub("1", None), None);
    check_setting(|config| config.sub_merchant = sub("", None), Some("sub_mchid"));
    check_setting(|config| config.sub_merchant = sub("1", Some("")), Some("sub_appid"));
    assert_eq!("MD5".parse(), Ok(BOTH[0]));
    assert_eq!("HMAC-SHA256".parse(), Ok(BOTH[1]));
    assert!("SHA256".parse::<crate::wechat_v2::SignType>().is_err());
}

/// Which field an order breaks.
fn broken(product: Product, change: impl FnOnce(&mut NewOrder<'_>)) -> Option<&'static str> {
    let number = trade_no();
    let (openid, code) = (Personal::new("oUpF8"), Personal::new("151234567890123456"));
    let mut order = NewOrder {
        payer: Some(&openid),
        auth_code: Some(&code),
        client_ip: Some("2001:db8::1"),
        ..new_order(product, &number, NOTIFY_URL)
    };
    change(&mut order);
    hub().place(&order).err().map(|error| error.field)
}

#[test]
fn a_limit_is_told_by_its_field_and_nothing_is_built() {
    let native = Product::Native;
    for product in Product::ALL {
        let ours = hub().products().contains(&product);
        let expected = if ours { None } else { Some("product") };
        assert_eq!(broken(product, |_| ()), expected, "{product:?}");
    }
    for (subject, good) in
        [("登".repeat(42), true), ("登".repeat(43), false), (String::new(), false)]
    {
        let number = trade_no();
        let mut order = new_order(native, &number, NOTIFY_URL);
        order.subject = &subject;
        assert_eq!(hub().place(&order).is_ok(), good, "{subject}");
    }
    assert_eq!(broken(native, |order| order.subject = "a\u{0}"), Some("subject"));
    for (fen, good) in [(0, false), (-1, false), (1, true), (10_000_000_000, true)] {
        assert_eq!(broken(native, |order| order.amount = Fen::new(fen)).is_none(), good, "{fen}");
    }
    let long = format!("https://pay.example.cn/{}", "a".repeat(256));
    for url in ["https://pay.example.cn/?a=1", "/callbacks", long.as_str()] {
        let number = trade_no();
        let order = new_order(native, &number, url);
        assert_eq!(hub().place(&order).unwrap_err().field, "notify_url");
    }
    for (number, good) in [("A".repeat(32), true), ("A".repeat(33), false), ("A@".into(), false)] {
        let number = number.parse().unwrap();
        let order = new_order(native, &number, NOTIFY_URL);
        assert_eq!(hub().place(&order).is_ok(), good);
    }
    for (seconds, good) in [(59, false), (60, true), (-1, false)] {
        let ends = now() + SignedDuration::from_secs(seconds);
        assert_eq!(broken(native, |order| order.expires_at = ends).is_none(), good);
    }
    assert_eq!(broken(native, |order| order.client_ip = Some("here")), Some("payer.client_ip"));
    assert_eq!(broken(native, |order| order.client_ip = None), None);
}

#[test]
fn each_product_asks_for_what_it_needs() {
    assert_eq!(broken(Product::Jsapi, |order| order.payer = None), Some("payer.openid"));
    assert_eq!(broken(Product::H5, |order| order.client_ip = None), Some("payer.client_ip"));
    assert_eq!(broken(Product::H5, |order| order.return_url = Some("x")), Some("return_url"));
    assert_eq!(
        broken(Product::H5, |order| order.return_url = Some("javascript:alert(1)")),
        Some("return_url")
    );
    assert_eq!(broken(Product::App, |order| order.payer = None), None);
    for (code, good) in [
        ("101234567890123456", true),
        ("151234567890123456", true),
        ("091234567890123456", false),
        ("161234567890123456", false),
        ("15123456789012345", false),
        ("1512345678901234567", false),
        ("15123456789012345x", false),
        ("", false),
    ] {
        let number = trade_no();
        let code = Personal::new(code);
        let order =
            NewOrder { auth_code: Some(&code), ..new_order(Product::Codepay, &number, NOTIFY_URL) };
        assert_eq!(hub().place(&order).is_ok(), good, "{code:?}");
    }
    assert_eq!(broken(Product::Codepay, |order| order.auth_code = None), Some("auth_code"));
}

#[test]
fn v2_cannot_ask_who_pays() {
    let who = Identity {
        name: Personal::new("张三"),
        id_no: Personal::new("11010519491231002X"),
        document: crate::provider::Document::IdentityCard,
    };
    let number = trade_no();
    let order =
        NewOrder { identity: Some(&who), ..new_order(Product::Native, &number, NOTIFY_URL) };
    assert_eq!(hub().place(&order).unwrap_err().field, "payer.identity");
}

fn refund_field(change: impl FnOnce(&mut NewRefund<'_>)) -> Option<&'static str> {
    let (order, refund) = (trade_no(), refund_no());
    let payment = "4200000001201811300000000001".parse().unwrap();
    let mut refund = new_refund(&order, &payment, &refund, NOTIFY_URL);
    change(&mut refund);
    hub().refund(&refund).err().map(|error| error.field)
}

#[test]
fn a_refund_keeps_within_a_year_fifty_times_and_the_payment() {
    assert_eq!(refund_field(|_| ()), None);
    assert_eq!(refund_field(|refund| refund.amount = Fen::new(8001)), Some("amount_fen"));
    assert_eq!(refund_field(|refund| refund.amount = Fen::new(8000)), None);
    assert_eq!(refund_field(|refund| refund.amount = Fen::ZERO), Some("amount_fen"));
    assert_eq!(refund_field(|refund| refund.earlier = 49), None);
    assert_eq!(refund_field(|refund| refund.earlier = 50), Some("out_refund_no"));
    assert_eq!(refund_field(|refund| refund.reason = ""), Some("reason"));
    assert_eq!(refund_field(|refund| refund.notify_url = "x"), Some("notify_url"));
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let last = at("2019-11-30T01:00:00Z");
    assert_eq!(refund_field(|refund| refund.now = last), None);
    assert_eq!(refund_field(|refund| refund.now = at("2019-11-30T01:00:01Z")), Some("paid_at"));
    assert_eq!(hub().refund_gap(), SignedDuration::from_secs(60));
}

#[test]
fn without_a_certificate_nothing_is_given_back_and_no_counter_opened() {
    let bare = hub_with(|config| config.has_client_identity = false);
    let (order, refund, payment) = (trade_no(), refund_no(), "4200".parse().unwrap());
    let limit = bare.refund(&new_refund(&order, &payment, &refund, NOTIFY_URL)).unwrap_err();
    assert_eq!(limit.field, "client_identity");
    assert!(!bare.products().contains(&Product::Codepay));
    let code = Personal::new("151234567890123456");
    let scan =
        NewOrder { auth_code: Some(&code), ..new_order(Product::Codepay, &order, NOTIFY_URL) };
    assert_eq!(bare.place(&scan).unwrap_err().field, "client_identity");
    let flow = BillKind::FundFlow(FundAccount::Basic);
    assert_eq!(bare.ask_bill(flow, date(2018, 11, 29)).unwrap_err().field, "client_identity");
    // Nor is a call signed that was stored when there was one.
    assert!(bare.sign(&hub().close_order(&order, Product::Codepay), &stamp()).is_err());
    assert!(bare.sign(&hub().close_order(&order, Product::Native), &stamp()).is_ok());
}

fn signed(hub: &WechatV2, call: &Call) -> Request {
    hub.sign(call, &stamp()).unwrap()
}

#[test]
fn each_call_goes_to_its_own_address_with_a_certificate_where_wechat_wants_one() {
    let (order, refund, payment) = (trade_no(), refund_no(), "4200".parse().unwrap());
    let day = date(2018, 11, 29);
    let flow = BillKind::FundFlow(FundAccount::Fees);
    let hub = hub_with(|config| {
        config.second_base_url = Some("https://api2.mch.weixin.qq.com/".to_owned());
    });
    let refund_call = hub.refund(&new_refund(&order, &payment, &refund, NOTIFY_URL)).unwrap();
    for (call, path, mutual, sort, rate) in [
        (placing(&hub, Product::Native), "/pay/unifiedorder", false, "order", 500),
        (placing(&hub, Product::Codepay), "/pay/micropay", false, "micropay", 33),
        (hub.query_order(&order_key(&order)), "/pay/orderquery", false, "order_query", 300),
        (hub.close_order(&order, Product::H5), "/pay/closeorder", false, "close", 300),
        (hub.close_order(&order, Product::Codepay), "/secapi/pay/reverse", true, "reverse", 33),
        (refund_call, "/secapi/pay/refund", true, "refund", 150),
        (
            hub.query_refund(&refund_key(&order, &refund)),
            "/pay/refundquery",
            false,
            "refund_query",
            300,
        ),
        (hub.ask_bill(BillKind::Trade, day).unwrap(), "/pay/downloadbill", false, "bill", 3),
        (hub.ask_bill(flow, day).unwrap(), "/pay/downloadfundflow", true, "bill", 3),
    ] {
        let request = signed(&hub, &call);
        assert_eq!(request.url, format!("https://api.mch.weixin.qq.com{path}"));
        let second = format!("https://api2.mch.weixin.qq.com{path}");
        assert_eq!(request.second_url, Some(second));
        assert_eq!((request.method, request.mutual_tls), (Method::Post, mutual), "{path}");
        let limit = hub.rate(&call);
        assert_eq!((limit.sort, limit.per_second), (sort, rate), "{path}");
        let headers = Headers(request.headers);
        assert!(headers.only("User-Agent").is_some_and(|agent| agent.starts_with("payhub/")));
        assert_eq!(headers.only("Content-Type"), Some("text/xml; charset=utf-8"));
    }
}

#[test]
fn a_repeat_sends_the_same_business_under_a_new_nonce_and_signature() {
    let call = placing(hub(), Product::Native);
    for word in ["nonce_str", "sign", "sign_type"] {
        assert!(!call.body.contains(&format!("<{word}>")), "{word} is not business");
    }
    let stored = serde_json::to_string(&call).unwrap();
    let call: Call = serde_json::from_str(&stored).unwrap();
    let business = |request: Request| {
        let fields = xml::read("xml", &request.body).unwrap();
        let own = ["nonce_str", "sign"];
        let (fresh, same): (Vec<_>, Vec<_>) = fields
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .partition(|(name, _)| own.contains(&name.as_str()));
        (fresh, same)
    };
    let first = business(signed(hub(), &call));
    let again = Stamp { nonce: "another".to_owned(), ..stamp() };
    let second = business(hub().sign(&call, &again).unwrap());
    assert_eq!(first.1, second.1);
    assert!(first.0.iter().zip(&second.0).all(|(one, other)| one != other));
}

#[test]
fn only_a_stored_call_of_v2_is_signed() {
    let good = placing(hub(), Product::Native);
    let with = |change: &dyn Fn(&mut Call)| {
        let mut call = good.clone();
        change(&mut call);
        hub().sign(&call, &stamp()).is_ok()
    };
    assert!(with(&|_| ()));
    assert!(!with(&|call| call.method = Method::Get));
    assert!(!with(&|call| call.target = "/v3/certificates".to_owned()));
    assert!(!with(&|call| call.target = "https://evil.example/pay/unifiedorder".to_owned()));
    assert!(!with(&|call| call.target = "/secapi/mch/modifymchinfo".to_owned()));
    assert!(!with(&|call| call.body = "{}".to_owned()));
    assert!(!with(&|call| call.body = "<xml><sign>A</sign></xml>".to_owned()));
    assert!(!with(&|call| call.body = "<xml><sign_type>MD5</sign_type></xml>".to_owned()));
    let ticket = BillTicket { url: "https://evil.example/".to_owned(), sha1: None };
    assert!(hub().sign(&hub().fetch_bill(&ticket), &stamp()).is_err());
    for nonce in ["", "a b", "a&key=b", "123456789012345678901234567890123"] {
        let stamp = Stamp { nonce: nonce.to_owned(), ..stamp() };
        assert!(hub().sign(&good, &stamp).is_err(), "{nonce}");
    }
}

#[test]
fn an_order_is_asked_for_by_wechat_s_own_number_where_it_is_known() {
    let (number, own) = (trade_no(), "4200000001".parse().unwrap());
    let fields = |key: &OrderKey<'_>| hub().query_order(key).body;
    assert!(fields(&order_key(&number)).contains("<out_trade_no>"));
    let body = fields(&OrderKey { out_trade_no: &number, provider_trade_no: Some(&own) });
    assert!(body.contains("<transaction_id><![CDATA[4200000001]]>") && !body.contains("out_trade"));
}

#[test]
fn a_service_provider_names_the_merchant_that_it_acts_for() {
    let plain = service_provider(None);
    let body = placing(&plain, Product::Jsapi).body;
    assert!(body.contains("<sub_mch_id><![CDATA[1900000109]]>") && !body.contains("sub_appid"));
    assert!(body.contains("<openid>"));
    let own_app = service_provider(Some("wx0000000000000001"));
    let body = placing(&own_app, Product::Jsapi).body;
    assert!(body.contains("<sub_appid><![CDATA[wx0000000000000001]]>"));
    assert!(body.contains("<sub_openid>") && !body.contains("<openid>"));
    assert_eq!(plain.account().payee, "1900000109");
    assert_eq!(plain.account().app, "wx8888888888888888");
    let flow = BillKind::FundFlow(FundAccount::Basic);
    assert_eq!(plain.ask_bill(flow, date(2018, 11, 29)).unwrap_err().field, "bill");
}

#[test]
fn fund_flow_bills_are_signed_with_hmac_whatever_the_merchant_uses() {
    for sign_type in BOTH {
        let hub = hub_of(sign_type);
        let day = date(2018, 11, 29);
        let sent = |kind| {
            let request = signed(&hub, &hub.ask_bill(kind, day).unwrap());
            let fields = xml::read("xml", &request.body).unwrap();
            let get = |name: &str| fields.get(name).unwrap_or_default().to_owned();
            (get("sign_type"), get("sign").len(), get("account_type") + &get("bill_type"))
        };
        for (account, word) in [
            (FundAccount::Basic, "Basic"),
            (FundAccount::Operation, "Operation"),
            (FundAccount::Fees, "Fees"),
        ] {
            let flow = sent(BillKind::FundFlow(account));
            assert_eq!(flow, ("HMAC-SHA256".to_owned(), 64, word.to_owned()));
        }
        for (kind, word) in [
            (BillKind::Trade, "ALL"),
            (BillKind::Payments, "SUCCESS"),
            (BillKind::Refunds, "REFUND"),
        ] {
            let trade = sent(kind);
            assert_eq!((trade.0.as_str(), trade.2.as_str()), (sign_type.as_str(), word));
        }
    }
}

#[test]
fn t32_printed_bytes() {
    let call = placing(hub(), Product::Native);
    println!("\nbytes: {} {:?}", call.body, signed(hub(), &call).body);
    assert!(call.body.contains("<time_expire><![CDATA[20181130110000]]>"));
    // 23:59:59 of the last second before Beijing's midnight, not UTC's.
    let number = trade_no();
    let mut order = new_order(Product::Native, &number, NOTIFY_URL);
    order.expires_at = Timestamp::from_second(NOW + 15 * 3600 - 1).unwrap();
    assert!(hub().place(&order).unwrap().body.contains("20181130235959"));
}

#[test]
fn t32_the_bytes_do_not_depend_on_the_host_s_zone() {
    let test = "wechat_v2::tests::requests::t32_printed_bytes";
    let utc = printed_in_zone(test, "UTC");
    assert!(utc.contains("20181130110000"), "{utc}");
    assert_eq!(utc, printed_in_zone(test, "Asia/Shanghai"));
    assert_eq!(utc, printed_in_zone(test, "America/New_York"));
}
