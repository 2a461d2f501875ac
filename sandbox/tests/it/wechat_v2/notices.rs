//! Callbacks of the old interface over real HTTP: payments signed, refunds sealed, repeated until
//! exactly the XML of success comes back.

use std::sync::Arc;

use aes_gcm::aes::{self, Aes256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ManualClock;
use md5::{Digest as _, Md5};
use sandbox::{Action, DeliveryState, Fault, Place, PortalRefund, Running, Sandbox};

use super::{API_KEY, Fields, PAYEE, accepted, parsed, signature, unified};
use crate::office::{APPID, Office, config, hex, morning};
use crate::receiver::{Receiver, Taken};

const TAKEN: &str = "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";

struct Scene {
    office: Office,
    running: Running,
    hub: Receiver,
}

fn scene() -> Scene {
    let clock = ManualClock::at(morning());
    let running = Sandbox::start(&config(), Arc::new(clock.clone())).unwrap();
    let office = Office { engine: running.engine().clone(), clock };
    let hub = Receiver::start();
    hub.answers(200, TAKEN);
    Scene { office, running, hub }
}

impl Scene {
    fn placed(&self, number: &str, hmac: bool) {
        let fields = unified(number, &[("notify_url", &self.hub.url)]);
        let request = self.office.v2_request("/pay/unifiedorder", fields, hmac);
        assert_eq!(self.office.engine.answer(&request).status, 200);
    }

    fn told(&self, place: usize) -> Fields {
        said(&self.hub.taken()[place])
    }

    fn fault(&self, action: Action) {
        self.office.engine.set_fault(Fault::new(Place::Callback, action).times(1)).unwrap();
    }
}

fn said(taken: &Taken) -> Fields {
    parsed(std::str::from_utf8(&taken.body).unwrap(), "xml")
}

/// Opens `req_info` block by block, by a library of its own.
fn opened(sealed: &str) -> Option<Fields> {
    use aes::cipher::{Block, BlockCipherDecrypt as _, KeyInit as _};
    let key = hex(&Md5::digest(API_KEY));
    let cipher = Aes256::new_from_slice(key.as_bytes()).unwrap();
    let mut bytes = STANDARD.decode(sealed).unwrap();
    for block in bytes.chunks_exact_mut(16) {
        cipher.decrypt_block(<&mut Block<Aes256>>::try_from(block).unwrap());
    }
    let padding = usize::from(*bytes.last()?);
    bytes.truncate(bytes.len().checked_sub(padding)?);
    Some(parsed(&String::from_utf8(bytes).ok()?, "root"))
}

#[actix_web::test]
async fn a_payment_is_called_back_signed_by_the_algorithm_of_its_order() {
    for hmac in [false, true] {
        let scene = scene();
        scene.placed("ORDER0001", hmac);
        let paid = scene.office.engine.pay("ORDER0001", true).unwrap();
        assert_eq!(scene.running.deliver_due().await.acknowledged, 1);
        let told = scene.told(0);
        assert_eq!(told["sign"], signature(&told, hmac));
        assert_eq!(
            (told["return_code"].as_str(), told["result_code"].as_str()),
            ("SUCCESS", "SUCCESS")
        );
        assert_eq!((told["appid"].as_str(), told["mch_id"].as_str()), (APPID, PAYEE));
        assert_eq!((told["total_fee"].as_str(), told["attach"].as_str()), ("8000", "FEE1"));
        assert_eq!(told["transaction_id"], paid.provider_trade_no);
        assert_eq!(told["time_end"], "20261120100000");
    }
}

#[actix_web::test]
async fn only_the_exact_words_of_success_end_the_repeats() {
    let scene = scene();
    scene.placed("ORDER0001", false);
    scene.office.engine.pay("ORDER0001", true).unwrap();
    for (status, body) in [
        (200, "success"),
        (204, ""),
        (200, "<xml><return_code>FAIL</return_code></xml>"),
        (500, TAKEN),
        (200, &format!("{TAKEN}\n")),
    ] {
        scene.hub.answers(status, body);
        assert_eq!(scene.running.deliver_due().await.failed, 1, "{status} {body}");
        scene.office.clock.set(scene.office.engine.next_due().unwrap());
    }
    scene.hub.answers(200, TAKEN);
    assert_eq!(scene.running.deliver_due().await.acknowledged, 1);
    let callback = &scene.office.engine.state().callbacks[0];
    assert_eq!(callback.state, DeliveryState::Acknowledged);
    let gaps: Vec<i64> = callback
        .attempts
        .windows(2)
        .map(|pair| pair[1].at.duration_since(pair[0].at).as_secs())
        .collect();
    assert_eq!(gaps, [15, 15, 30, 180, 600]);
    let nonces: std::collections::BTreeSet<String> =
        scene.hub.taken().iter().map(|taken| said(taken)["nonce_str"].clone()).collect();
    assert_eq!(nonces.len(), 6, "each try is signed anew");
}

#[actix_web::test]
async fn a_refund_is_called_back_sealed_and_unsigned_when_it_has_arrived() {
    let scene = scene();
    scene.placed("ORDER0001", false);
    scene.office.engine.pay("ORDER0001", false).unwrap();
    accepted(&scene.office.v2_refund("ORDER0001", "R1", 3000, &scene.hub.url));
    assert_eq!(scene.running.deliver_due().await.sent, 0);
    scene.office.pass(60);
    assert_eq!(scene.running.deliver_due().await.acknowledged, 1);
    let told = scene.told(0);
    assert_eq!((told.get("sign"), told.get("result_code")), (None, None));
    assert_eq!((told["return_code"].as_str(), told["mch_id"].as_str()), ("SUCCESS", PAYEE));
    let plain = opened(&told["req_info"]).unwrap();
    assert_eq!((plain["out_refund_no"].as_str(), plain["refund_fee"].as_str()), ("R1", "3000"));
    assert_eq!(plain["refund_status"], "SUCCESS");
    assert_eq!(plain["success_time"], "2026-11-20 10:01:00");
    assert_eq!(plain["refund_request_source"], "API");
}

#[actix_web::test]
async fn a_refund_in_the_portal_is_told_in_the_old_xml() {
    let scene = scene();
    scene.placed("ORDER0001", false);
    scene.office.engine.pay("ORDER0001", false).unwrap();
    let refund = PortalRefund {
        out_trade_no: "ORDER0001".to_owned(),
        merchant: None,
        amount_fen: domain::Fen::new(3000),
        out_refund_no: None,
    };
    scene.office.engine.refund(&refund).unwrap();
    scene.office.pass(60);
    assert_eq!(scene.running.deliver_due().await.acknowledged, 1);
    let plain = opened(&scene.told(0)["req_info"]).unwrap();
    assert_eq!(plain["refund_request_source"], "VENDOR_PLATFORM");
    assert_eq!(
        (plain["out_trade_no"].as_str(), plain["refund_fee"].as_str()),
        ("ORDER0001", "3000")
    );
}

#[actix_web::test]
async fn spoilt_callbacks_do_not_verify_and_the_next_try_does() {
    for action in [Action::WrongSignature, Action::UnknownSerial, Action::SignTest] {
        let scene = scene();
        scene.placed("ORDER0001", false);
        scene.office.engine.pay("ORDER0001", true).unwrap();
        scene.fault(action);
        scene.hub.answers(401, "");
        scene.running.deliver_due().await;
        let told = scene.told(0);
        assert_ne!(told["sign"], signature(&told, false), "{action:?}");
        scene.hub.answers(200, TAKEN);
        scene.office.pass(15);
        assert_eq!(scene.running.deliver_due().await.acknowledged, 1);
        assert_eq!(scene.told(1)["sign"], signature(&scene.told(1), false));
    }
    let scene = scene();
    scene.placed("ORDER0001", false);
    scene.office.engine.pay("ORDER0001", false).unwrap();
    scene.office.v2_refund("ORDER0001", "R1", 3000, &scene.hub.url);
    scene.office.pass(60);
    scene.fault(Action::WrongSignature);
    scene.running.deliver_due().await;
    assert_eq!(opened(&scene.told(0)["req_info"]), None, "sealed under another key");
}

#[actix_web::test]
async fn a_probe_for_external_entities_comes_instead_of_the_notice_at_either_interface() {
    let scene = scene();
    scene.placed("ORDER0001", false);
    scene.office.native("ORDER0002", 8000, &scene.hub.url);
    for number in ["ORDER0001", "ORDER0002"] {
        scene.office.engine.pay(number, true).unwrap();
        scene.fault(Action::XxeProbe);
        scene.hub.answers(400, "");
        scene.running.deliver_due().await;
        let taken = scene.hub.taken().pop().unwrap();
        let text = String::from_utf8(taken.body).unwrap();
        assert!(text.contains("<!DOCTYPE") && text.contains("<!ENTITY"), "{text}");
        assert_eq!(taken.headers["content-type"], "text/xml");
        scene.hub.answers(200, if number == "ORDER0001" { TAKEN } else { "" });
        scene.office.pass(15);
        assert_eq!(scene.running.deliver_due().await.acknowledged, 1, "the notice comes next");
    }
}
