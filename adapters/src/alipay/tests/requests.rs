//! What leaves the hub for Alipay.

use domain::money::Fen;
use domain::personal::Personal;
use jiff::Timestamp;

use super::NOTIFY_URL;
use crate::alipay::Alipay;
use crate::provider::{
    AccountKind, BillKind, BillTicket, FundAccount, LimitError, NewOrder, PaymentProvider as _,
    Product, Redirect,
};
use crate::testing::order_key;
use crate::testing::{
    NOW, alipay, alipay_at, alipay_config, new_order, new_refund, printed_in_zone, refund_no,
    stamp, trade_no,
};
use crate::wire::{Call, Headers, Method, Stamp};

#[test]
fn a_wrong_setting_is_named_by_its_key() {
    let plain = alipay_config("http://openapi.alipay.com/gateway.do");
    assert_eq!(Alipay::new(plain).unwrap_err().key, "gateway_url");
    let mut nameless = alipay_config("https://openapi.alipay.com/gateway.do");
    nameless.app_id.clear();
    assert_eq!(Alipay::new(nameless).unwrap_err().key, "app_id");
}

fn place(change: impl FnOnce(&mut NewOrder<'_>)) -> Result<Call, LimitError> {
    let number = trade_no();
    let mut order = new_order(Product::Precreate, &number, NOTIFY_URL);
    change(&mut order);
    alipay().place(&order)
}

fn field(placed: Result<Call, LimitError>) -> Option<&'static str> {
    placed.err().map(|error| error.field)
}

#[test]
fn a_limit_is_told_by_its_field_and_nothing_is_built() {
    assert!(place(|_| ()).is_ok());
    for product in [Product::Native, Product::Jsapi, Product::H5, Product::Codepay] {
        assert_eq!(field(place(|order| order.product = product)), Some("product"));
    }
    for subject in ["登记费/1", "a=b", "a&b", "", "a\nb"] {
        assert_eq!(field(place(|order| order.subject = subject)), Some("subject"), "{subject}");
    }
    let (longest, long) = ("登".repeat(256), "登".repeat(257));
    let number = trade_no();
    let mut order = new_order(Product::Precreate, &number, NOTIFY_URL);
    order.subject = &long;
    assert_eq!(field(alipay().place(&order)), Some("subject"));
    order.subject = &longest;
    assert!(alipay().place(&order).is_ok());
    for (fen, good) in [(0, false), (1, true), (10_000_000_000, true), (10_000_000_001, false)] {
        assert_eq!(place(|order| order.amount = Fen::new(fen)).is_ok(), good, "{fen}");
    }
    assert_eq!(field(place(|order| order.notify_url = "/callbacks")), Some("notify_url"));
    let marked = "P01234-5".parse().unwrap();
    order.out_trade_no = &marked;
    assert_eq!(field(alipay().place(&order)), Some("out_trade_no"));
}

#[test]
fn a_comma_leaves_as_a_full_width_one() {
    let call = place(|order| order.subject = "登记费, 工本费").unwrap();
    assert!(call.body.contains("\"subject\":\"登记费， 工本费\""), "{}", call.body);
}

#[test]
fn the_smallest_amount_is_one_fen_in_yuan() {
    let call = place(|order| order.amount = Fen::new(1)).unwrap();
    assert!(call.body.contains("\"total_amount\":\"0.01\""));
}

#[test]
fn a_refund_is_never_more_than_its_payment() {
    let (order, number) = (trade_no(), refund_no());
    let payment = "2018113022001400000000000001".parse().unwrap();
    let mut refund = new_refund(&order, &payment, &number, NOTIFY_URL);
    refund.amount = Fen::new(8000);
    assert!(alipay().refund(&refund).is_ok());
    refund.amount = Fen::new(8001);
    assert_eq!(alipay().refund(&refund).unwrap_err().field, "amount_fen");
}

#[test]
fn a_payment_is_given_back_for_a_year_and_not_a_second_longer() {
    let (order, number) = (trade_no(), refund_no());
    let payment = "2018113022001400000000000001".parse().unwrap();
    let mut refund = new_refund(&order, &payment, &number, NOTIFY_URL);
    for (at, good) in [("2019-11-30T01:00:00Z", true), ("2019-11-30T01:00:01Z", false)] {
        refund.now = at.parse().unwrap();
        let field = alipay().refund(&refund).err().map(|error| error.field);
        assert_eq!(field, (!good).then_some("paid_at"), "{at}");
    }
    refund.now = refund.paid_at;
    for (fen, good) in [(0, false), (1, true)] {
        refund.amount = Fen::new(fen);
        assert_eq!(alipay().refund(&refund).is_ok(), good, "{fen}");
    }
    refund.amount = Fen::new(1);
    let long = "退".repeat(257);
    refund.reason = &long;
    assert_eq!(alipay().refund(&refund).unwrap_err().field, "reason");
}

#[test]
fn what_alipay_does_not_have_is_told_before_it_is_asked() {
    let number = refund_no();
    let theirs = "1".parse().unwrap();
    let redirect = Redirect {
        provider_refund_no: &theirs,
        out_refund_no: &number,
        to: AccountKind::MerchantAccount,
        bank: None,
        card: None,
        holder: None,
        now: crate::testing::now(),
        chance: &[7; 32],
    };
    assert_eq!(alipay().redirect_refund(&redirect).unwrap_err().field, "refund");
    let day = jiff::civil::date(2018, 11, 29);
    for (bill, word) in [
        (BillKind::Trade, Some("\"trade\"")),
        (BillKind::FundFlow(FundAccount::Basic), Some("\"signcustomer\"")),
        (BillKind::FundFlow(FundAccount::Operation), None),
        (BillKind::FundFlow(FundAccount::Fees), None),
        (BillKind::Payments, None),
        (BillKind::Refunds, None),
    ] {
        match (alipay().ask_bill(bill, day), word) {
            (Ok(call), Some(word)) => assert!(call.body.contains(word), "{}", call.body),
            (Err(error), None) => assert_eq!(error.field, "bill"),
            (other, _) => panic!("{bill:?}: {other:?}"),
        }
    }
}

#[test]
fn asking_has_a_limit_of_its_own_beside_paying() {
    let key = trade_no();
    let sort = |call: &Call| alipay().rate(call).sort;
    let placing = sort(&place(|_| ()).unwrap());
    let asking = sort(&alipay().query_order(&order_key(&key)));
    let fetching = sort(&alipay().fetch_bill(&BillTicket { url: "https://a/".into(), sha1: None }));
    assert_ne!(placing, asking);
    assert_eq!(
        fetching,
        sort(&alipay().ask_bill(BillKind::Trade, jiff::civil::date(2018, 11, 29)).unwrap())
    );
    assert_eq!(alipay().refund_gap(), jiff::SignedDuration::from_secs(3));
}

#[test]
fn a_repeat_sends_the_same_business_under_a_new_time() {
    let call = place(|_| ()).unwrap();
    let call: Call = serde_json::from_str(&serde_json::to_string(&call).unwrap()).unwrap();
    let later = Stamp { now: Timestamp::from_second(NOW + 60).unwrap(), ..stamp() };
    let (first, second) =
        (alipay().sign(&call, &stamp()).unwrap(), alipay().sign(&call, &later).unwrap());
    assert_eq!(first.body, second.body);
    assert_ne!(first.url, second.url);
    assert!(first.url.contains("timestamp=2018-11-30%2009%3A00%3A00"), "{}", first.url);
    assert!(!format!("{first:?}").contains("sign="), "no signature in a log");
}

#[test]
fn a_stored_call_cannot_replace_the_gateway_s_own_parameters() {
    for name in ["app_id", "sign", "method", "biz_content", "sign_type"] {
        let mut call = alipay().query_order(&order_key(&trade_no()));
        call.parameters.push((name.to_owned(), "other".to_owned()));
        assert!(alipay().sign(&call, &stamp()).is_err(), "{name}");
    }
}

#[track_caller]
fn check_download(gateway: &str, url: &str, good: bool) {
    let hub = alipay_at(gateway);
    let call = hub.fetch_bill(&BillTicket { url: url.to_owned(), sha1: None });
    let request = hub.sign(&call, &stamp());
    assert_eq!(request.is_ok(), good, "{gateway} {url}");
    if let Ok(request) = request {
        let fetched = url.strip_prefix("http://dw").map(|rest| format!("https://dw{rest}"));
        let fetched = fetched.as_deref().unwrap_or(url);
        assert_eq!((request.method, request.url.as_str()), (Method::Get, fetched));
        assert!(request.body.is_empty());
        let headers = Headers(request.headers);
        assert_eq!(headers.only("Authorization"), None, "nothing of the merchant's goes along");
    }
}

#[test]
fn a_bill_is_fetched_from_alipay_only_and_without_credentials() {
    let real = "https://openapi.alipay.com/gateway.do";
    check_download(real, "https://dwbillcenter.alipay.com/downloadBillFile.resource?a=b", true);
    // Alipay writes its own addresses with http: the same one is fetched with https.
    let published = "http://dwbillcenter.alipay.com/downloadBillFile.resource?bizType=trade\
        &fileType=csv.zip&bizDates=20180509&fileId=/trade/2088/20180509.csv.zip&token=d77%2B";
    check_download(real, published, true);
    let trial = "https://openapi-sandbox.dl.alipaydev.com/gateway.do";
    check_download(trial, "http://dwbillcenter.alipaydev.com/bill?a=b", true);
    for url in [
        "http://dwbillcenter.alipay.com:8080/bill",
        "http://dwbillcenter.alipay.com.evil.example/",
        "http://evilalipay.com/",
        "http://user:word@dwbillcenter.alipay.com/",
        "http://127.0.0.1/",
        "ftp://dwbillcenter.alipay.com/",
        "https://dwbillcenter.alipay.com.evil.example/",
        "https://evilalipay.com/",
        "https://user:word@dwbillcenter.alipay.com/",
        "https://127.0.0.1/",
        "file:///etc/passwd",
        "not a url",
        "",
    ] {
        check_download(real, url, false);
    }
    let sandbox = "http://127.0.0.1:9000/gateway.do";
    check_download(sandbox, "http://127.0.0.1:9000/bill?a=b", true);
    check_download(sandbox, "http://10.0.0.1:9000/bill?a=b", false);
    check_download(sandbox, "https://dwbillcenter.alipay.com/bill", false);
}

#[test]
fn why_a_bill_is_not_fetched_is_told_apart() {
    let why = |url: &str| {
        let call = alipay().fetch_bill(&BillTicket { url: url.to_owned(), sha1: None });
        alipay().sign(&call, &stamp()).unwrap_err().to_string()
    };
    assert!(why("https://evil.example/").contains("not on one of Alipay's hosts"));
    assert!(why("http://dwbillcenter.alipay.com:8080/bill").contains("not https"));
    assert!(why("https://a:b@dwbillcenter.alipay.com/").contains("plain download"));
}

#[test]
fn nobody_is_called_back_about_an_order_at_the_counter() {
    let (number, code) = (trade_no(), Personal::new("281234567890123456"));
    let notified = |product: Product| {
        let mut order = new_order(product, &number, NOTIFY_URL);
        order.auth_code = Some(&code);
        alipay().place(&order).unwrap().parameters.iter().any(|(name, _)| name == "notify_url")
    };
    assert!(!notified(Product::Pay), "it may be taken back before the notice comes");
    for product in [Product::Precreate, Product::Page, Product::Wap, Product::App] {
        assert!(notified(product), "{product:?}");
    }
}

#[test]
fn a_payer_is_not_sent_where_the_product_has_none() {
    let payer = Personal::new("2088102534368455");
    let number = trade_no();
    let mut order = new_order(Product::Precreate, &number, NOTIFY_URL);
    order.payer = Some(&payer);
    assert!(!alipay().place(&order).unwrap().body.contains("2088102534368455"));
}

#[test]
fn t32_printed_bytes() {
    let call = place(|_| ()).unwrap();
    let request = alipay().sign(&call, &stamp()).unwrap();
    println!("\nbytes: {} {}", call.body, request.url);
    assert!(call.body.contains("\"time_expire\":\"2018-11-30 11:00:00\""));
}

#[test]
fn t32_the_bytes_do_not_depend_on_the_host_s_zone() {
    let test = "alipay::tests::requests::t32_printed_bytes";
    let utc = printed_in_zone(test, "UTC");
    assert!(utc.contains("2018-11-30 11:00:00"), "{utc}");
    assert_eq!(utc, printed_in_zone(test, "Asia/Shanghai"));
    assert_eq!(utc, printed_in_zone(test, "America/New_York"));
}
