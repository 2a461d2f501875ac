//! Barcodes that are not paid at once, and the cashier's way back.

use adapters::PaymentProvider;
use adapters::alipay::Alipay;
use adapters::provider::{Pay, Placed, Product};
use adapters::wire::Outcome;
use domain::fact::OrderStanding;
use domain::personal::Personal;
use sandbox::Received;

use super::{NO, hub, is_paid, no, place, stamp, standing, target, wanted};
use crate::office::{APP_ID, Office, alipay_verifies, office};

/// What the payer carries instead of the hub.
fn offered(office: &Office, hub: &Alipay, product: Product) -> Pay {
    let no = no();
    let mut order = wanted(&no, product, office);
    order.return_url = Some("https://office.example.cn/back");
    let call = hub.place(&order).unwrap();
    hub.offer(&call, &stamp(office)).unwrap().unwrap()
}

fn scanned(office: &Office, hub: &Alipay, code: &str) -> Outcome<Placed> {
    let (no, code) = (no(), Personal::new(code));
    let mut order = wanted(&no, Product::Pay, office);
    order.auth_code = Some(&code);
    place(office, hub, &order)
}

#[test]
fn a_barcode_is_refused_or_unknown_in_the_hubs_words() {
    let hub = hub();
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
