//! Whatever stands in an order, what is signed is what is sent, and what is stated is read
//! alike in any order of its fields.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ids::OutTradeNo;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use url::Url;

use super::{NOTIFY_URL, signed, transaction};
use crate::provider::{OrderKey, Pay, PaymentProvider as _, Placed, Product};
use crate::testing::{fixture, new_order, now, order_key, stamp, trade_no, wechat};
use crate::wechat::{pay, sign};
use crate::wire::{Call, Method, Outcome};

/// A text as people write it, with what breaks encodings.
fn text() -> impl Strategy<Value = String> {
    prop::string::string_regex("[ -~登记费é\u{1f600}+%/&=?#|*\"\\\\]{0,24}").unwrap()
}

/// `object` with its members in another order, and more of them that nobody knows.
fn shuffled(object: &Value, seed: usize, more: &str) -> Value {
    let mut members: Vec<(String, Value)> = object
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            let value = if value.is_object() { shuffled(value, seed, more) } else { value.clone() };
            (name.clone(), value)
        })
        .collect();
    members.push((format!("unknown_{more}"), json!([more, {"a": null}])));
    let turn = seed.checked_rem(members.len()).unwrap();
    members.rotate_left(turn);
    if seed % 2 == 1 {
        members.reverse();
    }
    Value::Object(members.into_iter().collect::<Map<_, _>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_is_signed_is_what_is_sent(
        number in "[0-9A-Za-z_|*-]{6,32}",
        subject in text(),
        theirs in "[0-9A-Za-z]{1,32}",
    ) {
        let (hub, number): (_, OutTradeNo) = (wechat(), number.parse().unwrap());
        let theirs = theirs.parse().unwrap();
        let mut order = new_order(Product::Native, &number, NOTIFY_URL);
        order.subject = &subject;
        let by_theirs = OrderKey { out_trade_no: &number, provider_trade_no: Some(&theirs) };
        let mut calls = vec![
            hub.query_order(&order_key(&number)),
            hub.query_order(&by_theirs),
            hub.close_order(&number, Product::Native),
        ];
        calls.extend(hub.place(&order));
        prop_assert_eq!(calls.len() == 4, !subject.trim().is_empty());
        for call in calls {
            let stored: Call =
                serde_json::from_str(&serde_json::to_string(&call).unwrap()).unwrap();
            prop_assert_eq!(&stored, &call);
            let request = hub.sign(&stored, &stamp()).unwrap();
            let url = Url::parse(&request.url).unwrap();
            let path = match url.query() {
                Some(query) => format!("{}?{query}", url.path()),
                None => url.path().to_owned(),
            };
            prop_assert_eq!(&path, &call.target, "no client rewrites it");
            let message = sign::message(
                request.method,
                &path,
                now().as_second(),
                &stamp().nonce,
                std::str::from_utf8(&request.body).unwrap(),
            );
            let key = crate::testing::verifying_key("wechat_merchant");
            let header = &request.headers.iter().find(|(name, _)| name == "Authorization").unwrap().1;
            let signature = header.split("signature=\"").nth(1).unwrap().split('"').next().unwrap();
            prop_assert!(key.verifies(message.as_bytes(), signature));
            if request.method == Method::Post && !call.target.ends_with("close") {
                let body: Value = serde_json::from_slice(&request.body).unwrap();
                prop_assert_eq!(body["description"].as_str(), Some(subject.as_str()));
                prop_assert_eq!(body["out_trade_no"].as_str(), Some(number.as_str()));
            }
        }
    }

    #[test]
    fn a_browser_finds_back_to_any_address(back in text()) {
        let number = trade_no();
        let mut order = new_order(Product::H5, &number, NOTIFY_URL);
        let back = format!("https://pay.example.cn/paid?{back}");
        (order.client_ip, order.return_url) = (Some("::1"), Some(back.as_str()));
        let call = wechat().place(&order).unwrap();
        let answer = signed(200, &json!({"h5_url": "https://wx.tenpay.com/x?prepay_id=1"}));
        let outcome = wechat().read_placed(&call, &answer, &stamp());
        let Outcome::Accepted(Placed::Offered(Pay::Redirect { url })) = outcome else {
            panic!("not offered")
        };
        let url = Url::parse(&url).unwrap();
        let found = url.query_pairs().find(|(name, _)| name == "redirect_url").unwrap();
        prop_assert_eq!(found.1.as_ref(), back.as_str());
        prop_assert_eq!(url.query_pairs().count(), 2);
    }

    #[test]
    fn a_statement_is_read_in_any_order_of_its_fields(seed in 0_usize..64, more in text()) {
        let read = |body: &Value| {
            wechat().read_order(&order_key(&trade_no()), &signed(200, body), now())
        };
        let expected = read(&transaction());
        prop_assert!(matches!(expected, Outcome::Accepted(_)));
        prop_assert_eq!(read(&shuffled(&transaction(), seed, &more)), expected);
    }

    #[test]
    fn random_bytes_are_no_certificate_and_no_sealed_field(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(crate::keys::Certificate::read(&text).is_err());
        let key = fixture("keys/wechatpay_platform.pem");
        prop_assert!(crate::keys::open_oaep_sha1(&key, &STANDARD.encode(&bytes)).is_err());
    }
}

#[test]
fn the_payer_s_strings_end_every_line() {
    assert_eq!(pay::jsapi_message("wx1", 1, "n", "p"), "wx1\n1\nn\nprepay_id=p\n");
    assert_eq!(pay::app_message("wx1", 1, "n", "p"), "wx1\n1\nn\np\n");
    assert_eq!(sign::message(Method::Get, "/v3/x?a=b", 1, "n", ""), "GET\n/v3/x?a=b\n1\nn\n\n");
}
