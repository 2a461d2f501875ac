//! What the hub offers a payer instead of sending it, mini programs and barcodes, in every mode.

use adapters::PaymentProvider;
use adapters::alipay::Alipay;
use adapters::provider::{Closing, Pay, Placed, Product};
use adapters::wire::Outcome;
use domain::Fen;
use domain::fact::OrderStanding;
use domain::personal::Personal;
use sandbox::Received;
use serde_json::json;

use super::{
    NO, accepted, by_the_manual, close, hub, is_paid, modes, no, place, stamp, standing, target,
    wanted,
};
use crate::office::{APP_ID, Office, alipay_verifies, office};

/// What the payer carries instead of the hub.
fn offered(office: &Office, hub: &Alipay, product: Product) -> Pay {
    let no = no();
    let mut order = wanted(&no, product, office);
    order.return_url = Some("https://office.example.cn/back");
    let call = hub.place(&order).unwrap();
    hub.offer(&call, &stamp(office)).unwrap().unwrap()
}

/// The value of an attribute of the first tag that has `mark`, as a browser reads it.
fn attribute(html: &str, mark: &str, name: &str) -> String {
    let (_, rest) = html.split_once(mark).unwrap();
    let (_, rest) = rest.split_once(&format!("{name}=\"")).unwrap();
    let (value, _) = rest.split_once('"').unwrap();
    let value = value.replace("&quot;", "\"").replace("&#39;", "'").replace("&lt;", "<");
    value.replace("&gt;", ">").replace("&amp;", "&")
}

#[test]
fn a_form_an_address_and_an_order_string_of_the_hub_are_taken_and_paid() {
    for (office, hub) in modes() {
        let Pay::Form { html } = offered(&office, &hub, Product::Page) else { panic!("no form") };
        let content = attribute(&html, "name=\"biz_content\"", "value");
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("biz_content", &content);
        let reply = office.engine.answer(&Received {
            method: "POST".to_owned(),
            target: target(&attribute(&html, "<form", "action")),
            headers: vec![(
                "Content-Type".to_owned(),
                "application/x-www-form-urlencoded".to_owned(),
            )],
            body: form.finish().into_bytes(),
        });
        assert!(String::from_utf8(reply.body).unwrap().contains("¥80.00"));
        by_the_manual(&office);
        office.engine.pay(NO, true).unwrap();
        is_paid(&office, &hub);
    }
    let (office, hub) = (office(), hub());
    let Pay::Redirect { url } = offered(&office, &hub, Product::Wap) else { panic!("no address") };
    let reply = office.engine.answer(&Received {
        method: "GET".to_owned(),
        target: target(&url),
        headers: Vec::new(),
        body: Vec::new(),
    });
    assert!(String::from_utf8(reply.body).unwrap().contains("¥80.00"));
    by_the_manual(&office);

    let (office, hub) = (crate::office::office(), super::hub());
    let Pay::App { params } = offered(&office, &hub, Product::App) else { panic!("no order") };
    let taken = json!({"order_string": params["order_string"]});
    let (_, told) = office.control("/sandbox/alipay/app-pay", &taken);
    assert_eq!(told["resultStatus"], "9000", "{told}");
    is_paid(&office, &hub);
}

#[test]
fn a_mini_programs_trade_is_there_at_once_and_can_be_closed() {
    for (office, hub) in modes() {
        let (no, buyer) = (no(), Personal::new("2088102100000001"));
        let mut order = wanted(&no, Product::Create, &office);
        order.payer = Some(&buyer);
        let placed = accepted(place(&office, &hub, &order));
        assert!(matches!(placed, Placed::Offered(_)), "{placed:?}");
        assert_eq!(standing(&office, &hub), OrderStanding::Unpaid);
        assert_eq!(close(&office, &hub, Product::Create), Closing::Closed);
        assert_eq!(standing(&office, &hub), OrderStanding::Closed);
    }
}

fn scanned(office: &Office, hub: &Alipay, code: &str) -> Outcome<Placed> {
    let (no, code) = (no(), Personal::new(code));
    let mut order = wanted(&no, Product::Pay, office);
    order.auth_code = Some(&code);
    place(office, hub, &order)
}

#[test]
fn a_barcode_is_paid_waits_is_refused_or_unknown_in_the_hubs_words() {
    for (office, hub) in modes() {
        let placed = accepted(scanned(&office, &hub, "281234567890123456"));
        assert!(matches!(placed, Placed::Paid(fact) if fact.amount == Fen::new(8000)));
    }
    let office = office();
    let hub = hub();
    let placed = accepted(scanned(&office, &hub, "281234567890129900"));
    assert!(matches!(placed, Placed::Offered(Pay::None)), "{placed:?}");
    assert_eq!(standing(&office, &hub), OrderStanding::Unpaid);
    assert_eq!(close(&office, &hub, Product::Pay), Closing::Closed);
    for code in ["281234567890129902", "281234567890129903"] {
        let office = crate::office::office();
        let placed = scanned(&office, &hub, code);
        assert!(matches!(placed, Outcome::Refused(_)), "{placed:?}");
        assert_eq!(standing(&office, &hub), OrderStanding::Absent);
    }
    let office = crate::office::office();
    let placed = scanned(&office, &hub, "281234567890129901");
    assert!(matches!(placed, Outcome::Unknown(_)), "{placed:?}");
    is_paid(&office, &hub);
}

#[test]
fn the_way_back_of_the_cashier_is_signed_with_the_key_that_the_hub_knows() {
    let (office, hub) = (office(), hub());
    let Pay::Redirect { url } = offered(&office, &hub, Product::Wap) else { panic!("no address") };
    let _page = office.engine.answer(&Received {
        method: "GET".to_owned(),
        target: target(&url),
        headers: Vec::new(),
        body: Vec::new(),
    });
    let reply =
        office.press("/sandbox/alipay/cashier", &[("out_trade_no", NO), ("merchant", APP_ID)]);
    let back = url::Url::parse(reply.header("Location").unwrap()).unwrap();
    let mut fields: Vec<(String, String)> = back.query_pairs().into_owned().collect();
    let sign = fields.iter().find(|(name, _)| name == "sign").unwrap().1.clone();
    fields.retain(|(name, _)| name != "sign" && name != "sign_type");
    fields.sort();
    let text: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert!(alipay_verifies(text.join("&").as_bytes(), &sign));
}
