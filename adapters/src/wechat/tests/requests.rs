//! What leaves the hub for WeChat.

use domain::money::Fen;
use domain::personal::Secret;

use super::NOTIFY_URL;
use crate::provider::Rate;
use crate::provider::{BillKind, BillTicket, LimitError, NewOrder, PaymentProvider as _, Product};
use crate::testing::order_key;
use crate::testing::{new_order, new_refund, printed_in_zone, refund_no, stamp, trade_no};
use crate::testing::{wechat, wechat_at, wechat_config};
use crate::wechat::{SubMerchant, Wechat, WechatConfig};
use crate::wire::{Call, Headers, Method, Stamp};

#[track_caller]
fn check_setting(change: impl FnOnce(&mut WechatConfig), expected: Option<&str>) {
    let mut config = wechat_config("https://api.mch.weixin.qq.com");
    change(&mut config);
    assert_eq!(Wechat::new(config).err().map(|error| error.key), expected);
}

#[test]
fn a_wrong_setting_is_named_by_its_key() {
    check_setting(|_| (), None);
    check_setting(|config| config.apiv3_key = Secret::new("short"), Some("apiv3_key"));
    check_setting(|config| config.mchid = String::new(), Some("mchid"));
    check_setting(|config| config.appid = "wx\"".to_owned(), Some("appid"));
    check_setting(|config| config.merchant_serial_no.clear(), Some("merchant_serial_no"));
    check_setting(
        |config| config.public_key.as_mut().unwrap().id.clear(),
        Some("wechatpay_public_key_id"),
    );
    let plain = "http://api.mch.weixin.qq.com".to_owned();
    check_setting(|config| config.base_url = plain, Some("base_url"));
    check_setting(|config| config.public_key = None, None);
    let sub = |mchid: &str, appid: Option<&str>| {
        Some(SubMerchant { mchid: mchid.to_owned(), appid: appid.map(str::to_owned) })
    };
    check_setting(|config| config.sub_merchant = sub("1900000109", Some("wx1")), None);
    check_setting(|config| config.sub_merchant = sub("", None), Some("sub_mchid"));
    check_setting(|config| config.sub_merchant = sub("1900000001", None), Some("sub_mchid"));
    check_setting(|config| config.sub_merchant = sub("1900000109", Some("")), Some("sub_appid"));
    check_setting(|config| config.api_key = Some(Secret::new("k".repeat(32))), None);
    check_setting(|config| config.api_key = Some(Secret::new("short")), Some("api_key"));
    let second = "second_base_url";
    for (url, fault) in [
        ("https://api2.mch.weixin.qq.com", None),
        ("https://api.mch.weixin.qq.com", Some(second)),
        ("https://api2.mch.weixin.qq.com/other", Some(second)),
        ("http://api2.mch.weixin.qq.com", Some(second)),
        ("api2", Some(second)),
    ] {
        check_setting(|config| config.second_base_url = Some(url.to_owned()), fault);
    }
}

fn broken(change: impl FnOnce(&mut NewOrder<'_>)) -> Option<LimitError> {
    let number = trade_no();
    let mut order = new_order(Product::Native, &number, NOTIFY_URL);
    change(&mut order);
    wechat().place(&order).err()
}

#[test]
fn a_limit_is_told_by_its_field_and_nothing_is_built() {
    assert_eq!(broken(|_| ()), None);
    let field = |error: Option<LimitError>| error.map(|error| error.field);
    let counter = broken(|order| order.product = Product::Codepay).unwrap();
    assert_eq!(counter.field, "product");
    assert!(counter.rule.contains("`wechat-v2`"), "{counter}");
    let alipays = [Product::Precreate, Product::Page, Product::Wap, Product::Create, Product::Pay];
    for product in alipays {
        assert_eq!(field(broken(|order| order.product = product)), Some("product"));
    }
    for (seconds, good) in [(59, false), (60, true), (0, false), (-7200, false)] {
        let expires_at = jiff::Timestamp::from_second(crate::testing::NOW + seconds).unwrap();
        let error = field(broken(|order| order.expires_at = expires_at));
        assert_eq!(error, (!good).then_some("expires_in_s"), "{seconds}");
    }
    for (subject, good) in [
        ("x".repeat(127), true),
        ("x".repeat(128), false),
        ("登".repeat(43), false),
        (String::new(), false),
        ("a\u{0}b".to_owned(), false),
    ] {
        let number = trade_no();
        let mut order = new_order(Product::Native, &number, NOTIFY_URL);
        order.subject = &subject;
        assert_eq!(wechat().place(&order).is_ok(), good, "{subject:?}");
    }
    for (fen, good) in [(0, false), (-1, false), (1, true), (10_000_000_000, true)] {
        assert_eq!(broken(|order| order.amount = Fen::new(fen)).is_none(), good, "{fen}");
    }
    assert_eq!(
        field(broken(|order| order.notify_url = "https://pay.example.cn/?a=1")),
        Some("notify_url")
    );
    for number in ["P0123", "P01234@", &"P".repeat(33)] {
        let number = number.parse().unwrap();
        let error = broken(|order| order.out_trade_no = Box::leak(Box::new(number)));
        assert_eq!(field(error), Some("out_trade_no"));
    }
}

#[test]
fn a_refund_is_never_more_than_its_payment_nor_its_reason_too_long() {
    let (order, refund) = (trade_no(), refund_no());
    let payment = "4200000001201811300000000001".parse().unwrap();
    let field = |change: &dyn Fn(&mut crate::provider::NewRefund<'_>)| {
        let mut refund = new_refund(&order, &payment, &refund, NOTIFY_URL);
        change(&mut refund);
        wechat().refund(&refund).err().map(|error| error.field)
    };
    let (longest, long) = ("退".repeat(26), "退".repeat(27));
    assert_eq!(field(&|_| ()), None);
    assert_eq!(field(&|refund| refund.amount = Fen::new(8001)), Some("amount_fen"));
    assert_eq!(field(&|refund| refund.amount = Fen::new(8000)), None);
    assert_eq!(field(&|refund| refund.amount = Fen::ZERO), Some("amount_fen"));
    let mut too_long = new_refund(&order, &payment, &refund, NOTIFY_URL);
    too_long.reason = &long;
    assert_eq!(wechat().refund(&too_long).unwrap_err().field, "reason");
    too_long.reason = &longest;
    assert!(wechat().refund(&too_long).is_ok());
}

#[test]
fn every_request_says_who_asks_and_which_key_shall_answer() {
    let hub = wechat();
    for call in
        [hub.query_order(&order_key(&trade_no())), hub.close_order(&trade_no(), Product::Native)]
    {
        let request = hub.sign(&call, &stamp()).unwrap();
        let headers = Headers(request.headers.clone());
        for name in ["User-Agent", "Accept", "Authorization"] {
            assert!(headers.only(name).is_some_and(|value| !value.is_empty()), "{name}");
        }
        assert_eq!(headers.only("Wechatpay-Serial"), Some(crate::testing::KEY_ID));
        let post = request.method == Method::Post;
        assert_eq!(headers.only("Content-Type").is_some(), post);
    }
}

#[test]
fn a_repeat_sends_the_same_business_under_a_new_signature() {
    let hub = wechat();
    let call = hub.place(&new_order(Product::Native, &trade_no(), NOTIFY_URL)).unwrap();
    let stored = serde_json::to_string(&call).unwrap();
    let call: Call = serde_json::from_str(&stored).unwrap();
    let first = hub.sign(&call, &stamp()).unwrap();
    let second = hub.sign(&call, &Stamp { nonce: "another".to_owned(), ..stamp() }).unwrap();
    assert_eq!((&first.url, &first.body), (&second.url, &second.body));
    assert_ne!(first.headers, second.headers);
}

#[test]
fn odd_letters_of_a_number_are_encoded_before_they_are_signed() {
    let call = wechat().query_order(&order_key(&"a|b*c_d-e".parse().unwrap()));
    assert_eq!(call.target, "/v3/pay/transactions/out-trade-no/a%7Cb%2Ac_d-e?mchid=1900000001");
    assert!(wechat().sign(&call, &stamp()).unwrap().url.ends_with(&call.target));
}

#[track_caller]
fn check_download(base_url: &str, url: &str, good: bool) {
    let hub = wechat_at(base_url);
    let call = hub.fetch_bill(&BillTicket { url: url.to_owned(), sha1: None });
    let signed = hub.sign(&call, &stamp());
    assert_eq!(signed.is_ok(), good, "{base_url} {url}");
    if let Ok(request) = signed {
        assert_eq!(request.url, url, "verbatim");
        assert!(request.body.is_empty());
    }
}

#[test]
fn a_bill_is_fetched_from_wechat_only() {
    let real = "https://api.mch.weixin.qq.com";
    check_download(real, "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a%2Bb", true);
    check_download(real, "https://api2.wechatpay.cn/v3/billdownload/file?token=a", true);
    for url in [
        "https://evil.example/v3/billdownload/file?token=a",
        "http://api.mch.weixin.qq.com/v3/billdownload/file?token=a",
        "https://api.mch.weixin.qq.com.evil.example/v3/billdownload/file",
        "https://api.mch.weixin.qq.com@evil.example/v3/billdownload/file",
        "https://api.mch.weixin.qq.com:8443/v3/billdownload/file",
        "https://api.mch.weixin.qq.com",
        "https://api.mch.weixin.qq.com/v3/../x",
        "https://api.mch.weixin.qq.com/v3/a b",
        "file:///etc/passwd",
        "",
    ] {
        check_download(real, url, false);
    }
    let sandbox = "http://127.0.0.1:9000";
    check_download(sandbox, "http://127.0.0.1:9000/v3/billdownload/file?token=a", true);
    check_download(sandbox, "http://127.0.0.1:9001/v3/billdownload/file?token=a", false);
    // The sandbox's merchant has no business at WeChat.
    check_download(sandbox, "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a", false);
}

#[track_caller]
fn check_second(base: &str, second: Option<&str>, target: &str, expected: Option<&str>) {
    let mut config = wechat_config(base);
    config.second_base_url = second.map(str::to_owned);
    let hub = Wechat::new(config).unwrap();
    let request = hub.sign(&super::super::order::get(target.to_owned()), &stamp()).unwrap();
    assert_eq!(request.second_url.as_deref(), expected, "{base} {second:?} {target}");
    assert_ne!(request.second_url.as_deref(), Some(request.url.as_str()));
}

#[test]
fn the_same_request_may_go_to_the_second_host() {
    let (first, second) = ("https://api.mch.weixin.qq.com", "https://api2.mch.weixin.qq.com");
    let file = "/v3/billdownload/file?token=a%2Bb";
    check_second(first, None, "/v3/x", Some("https://api2.mch.weixin.qq.com/v3/x"));
    check_second(first, None, &format!("{first}{file}"), Some(&format!("{second}{file}")));
    check_second(first, None, &format!("{second}{file}"), Some(&format!("{first}{file}")));
    check_second("http://127.0.0.1:9000", None, "/v3/x", None);
    let (near, far) = ("http://127.0.0.1:9000/wx", "http://localhost:9001/wx/");
    check_second(near, Some(far), "/v3/x", Some("http://localhost:9001/wx/v3/x"));
}

#[test]
fn a_call_of_another_kind_is_not_signed() {
    let mut call = wechat().query_order(&order_key(&trade_no()));
    call.parameters.push(("notify_url".to_owned(), NOTIFY_URL.to_owned()));
    assert!(wechat().sign(&call, &stamp()).is_err());
}

#[test]
fn each_sort_of_call_has_its_pace() {
    let hub = wechat();
    let (order, number) = (trade_no(), refund_no());
    let payment = "4200000001201811300000000001".parse().unwrap();
    let refund = hub.refund(&new_refund(&order, &payment, &number, NOTIFY_URL)).unwrap();
    let key = crate::testing::refund_key(&order, &number);
    let bill = hub.ask_bill(BillKind::Trade, jiff::civil::date(2018, 11, 29)).unwrap();
    let url = "https://api.mch.weixin.qq.com/v3/billdownload/file?token=a".to_owned();
    for (call, sort, per_second) in [
        (super::placing(), "order", 500),
        (refund, "refund", 150),
        (hub.query_refund(&key), "refund_query", 300),
        (bill, "bill", 3),
        (hub.fetch_bill(&BillTicket { url, sha1: None }), "bill", 3),
        (hub.query_order(&order_key(&order)), "order_query", 300),
        (super::closing_call(), "close", 300),
        (super::super::order::get("/v3/certificates".to_owned()), "certificates", 10),
    ] {
        assert_eq!(hub.rate(&call), Rate { sort, per_second }, "{call:?}");
    }
}

#[test]
fn a_base_with_a_path_is_signed_with_it() {
    let hub = wechat_at("http://127.0.0.1:9000/wechat/");
    let request = hub.sign(&hub.query_order(&order_key(&trade_no())), &stamp()).unwrap();
    assert!(request.url.starts_with("http://127.0.0.1:9000/wechat/v3/pay/"));
}

#[test]
fn t32_printed_bytes() {
    let hub = wechat();
    let call = hub.place(&new_order(Product::Native, &trade_no(), NOTIFY_URL)).unwrap();
    let request = hub.sign(&call, &stamp()).unwrap();
    println!("\nbytes: {} {:?}", call.body, request.headers);
    assert!(call.body.contains("\"time_expire\":\"2018-11-30T11:00:00+08:00\""));
}

#[test]
fn t32_the_bytes_do_not_depend_on_the_host_s_zone() {
    let test = "wechat::tests::requests::t32_printed_bytes";
    let utc = printed_in_zone(test, "UTC");
    assert!(utc.contains("2018-11-30T11:00:00+08:00"), "{utc}");
    assert_eq!(utc, printed_in_zone(test, "Asia/Shanghai"));
    assert_eq!(utc, printed_in_zone(test, "America/New_York"));
}
