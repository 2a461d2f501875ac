//! Callbacks over real HTTP to a receiver whose answer changes; the clock is moved by hand.

use std::collections::BTreeMap;
use std::sync::Arc;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ManualClock;
use sandbox::{Action, Delivered, DeliveryState, Fault, Place, Running, Sandbox};
use serde_json::{Value, json};

use crate::office::{
    APIV3_KEY, APP_ID, Office, PLATFORM_ID, SELLER, alipay_verifies, config, morning,
    wechatpay_verifies,
};
use crate::receiver::{Receiver, Taken};

struct Scene {
    office: Office,
    running: Running,
    hub: Receiver,
}

fn scene() -> Scene {
    let clock = ManualClock::at(morning());
    let running = Sandbox::start(&config(), Arc::new(clock.clone())).unwrap();
    let office = Office { engine: running.engine().clone(), clock };
    Scene { office, running, hub: Receiver::start() }
}

impl Scene {
    fn wechat_paid(&self, no: &str) {
        self.office.native(no, 8000, &self.hub.url);
        self.office.engine.pay(no, true).unwrap();
    }

    fn alipay_paid(&self, no: &str) {
        self.office.precreate(no, "80.00", &self.hub.url);
        self.office.engine.pay(no, true).unwrap();
    }

    fn fault(&self, action: Action) {
        self.office.engine.set_fault(Fault::new(Place::Callback, action).times(1)).unwrap();
    }

    async fn deliver(&self) -> Delivered {
        self.running.deliver_due().await
    }
}

fn wechat_authentic(taken: &Taken) -> bool {
    let header = |name: &str| taken.headers.get(name).cloned().unwrap_or_default();
    let mut message =
        format!("{}\n{}\n", header("wechatpay-timestamp"), header("wechatpay-nonce")).into_bytes();
    message.extend_from_slice(&taken.body);
    message.push(b'\n');
    header("wechatpay-serial") == PLATFORM_ID
        && wechatpay_verifies(&message, &header("wechatpay-signature"))
}

pub(crate) fn opened(taken: &Taken) -> (Value, Value) {
    let notice: Value = serde_json::from_slice(&taken.body).unwrap();
    let resource = &notice["resource"];
    let text = |name: &str| resource[name].as_str().unwrap();
    let sealed = STANDARD.decode(text("ciphertext")).unwrap();
    let cipher = aes_gcm::Aes256Gcm::new_from_slice(APIV3_KEY.as_bytes()).unwrap();
    let nonce = aes_gcm::Nonce::try_from(text("nonce").as_bytes()).unwrap();
    let payload = Payload { msg: &sealed, aad: text("associated_data").as_bytes() };
    let plain = cipher.decrypt(&nonce, payload).unwrap();
    (serde_json::from_slice(&plain).unwrap(), notice)
}

fn alipay_fields(taken: &Taken) -> (BTreeMap<String, String>, bool) {
    let fields: BTreeMap<String, String> =
        url::form_urlencoded::parse(&taken.body).into_owned().collect();
    let text: Vec<String> = fields
        .iter()
        .filter(|(name, value)| !matches!(name.as_str(), "sign" | "sign_type") && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let authentic = alipay_verifies(text.join("&").as_bytes(), &fields["sign"]);
    (fields, authentic)
}

#[actix_web::test]
async fn a_wechat_payment_is_called_back_sealed_and_signed() {
    let scene = scene();
    scene.wechat_paid("ORDER0001");
    assert_eq!(
        scene.deliver().await,
        Delivered { sent: 1, acknowledged: 1, failed: 0, dropped: 0 }
    );
    let taken = scene.hub.taken();
    assert!(wechat_authentic(&taken[0]));
    let (plain, notice) = opened(&taken[0]);
    assert_eq!(notice["event_type"], "TRANSACTION.SUCCESS");
    assert_eq!(plain, scene.office.query("ORDER0001").body);
    assert_eq!(scene.running.engine().next_due(), None);
}

#[actix_web::test]
async fn a_wechat_refund_is_called_back_when_it_has_arrived() {
    let scene = scene();
    scene.office.native("ORDER0001", 8000, &scene.hub.url);
    scene.office.engine.pay("ORDER0001", false).unwrap();
    scene.office.wechat_refund("ORDER0001", "R1", 3000, 8000, &scene.hub.url);
    assert_eq!(scene.deliver().await.sent, 0);
    scene.office.pass(60);
    assert_eq!(scene.deliver().await.acknowledged, 1);
    let (plain, notice) = opened(&scene.hub.taken()[0]);
    assert_eq!(notice["event_type"], "REFUND.SUCCESS");
    assert_eq!(
        (&plain["refund_status"], &plain["out_refund_no"]),
        (&json!("SUCCESS"), &json!("R1"))
    );
    assert_eq!(plain.get("status"), None);
}

#[actix_web::test]
async fn an_alipay_payment_and_refund_are_noticed_and_signed() {
    let scene = scene();
    scene.alipay_paid("A0001");
    scene.deliver().await;
    let content =
        json!({"out_trade_no": "A0001", "out_request_no": "R1", "refund_amount": "80.00"});
    scene.office.alipay("alipay.trade.refund", &content);
    scene.deliver().await;
    let taken = scene.hub.taken();
    let (payment, authentic) = alipay_fields(&taken[0]);
    assert!(authentic);
    assert_eq!(
        (payment["trade_status"].as_str(), payment["total_amount"].as_str()),
        ("TRADE_SUCCESS", "80.00")
    );
    assert_eq!((payment["app_id"].as_str(), payment["seller_id"].as_str()), (APP_ID, SELLER));
    let (refund, authentic) = alipay_fields(&taken[1]);
    assert!(authentic);
    assert_eq!(refund["trade_status"], "TRADE_CLOSED");
    assert_eq!((refund["out_biz_no"].as_str(), refund["refund_fee"].as_str()), ("R1", "80.00"));
}

/// The seconds after the first try at which the others come.
#[track_caller]
fn check_cadence(scene: &Scene, gaps: &[i64]) {
    let callback = &scene.running.engine().state().callbacks[0];
    let tries: Vec<i64> = callback
        .attempts
        .windows(2)
        .map(|pair| pair[1].at.duration_since(pair[0].at).as_secs())
        .collect();
    assert_eq!(tries, gaps);
    assert_eq!(callback.state, DeliveryState::GivenUp);
}

async fn until_given_up(scene: &Scene) {
    scene.deliver().await;
    while let Some(due) = scene.running.engine().next_due() {
        scene.office.clock.set(due);
        scene.deliver().await;
    }
}

#[actix_web::test]
async fn wechat_repeats_by_its_cadence_until_it_hears_200_or_204() {
    let scene = scene();
    scene.hub.answers(500, "{}");
    scene.wechat_paid("ORDER0001");
    until_given_up(&scene).await;
    check_cadence(
        &scene,
        &[15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600],
    );
    let taken = scene.hub.taken();
    assert!(taken.iter().all(wechat_authentic), "each try is signed anew");
    let ids: Vec<Value> = taken.iter().map(|taken| opened(taken).1["id"].clone()).collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "the id stays");
}

#[actix_web::test]
async fn alipay_repeats_by_its_cadence_until_it_hears_exactly_success() {
    let scene = scene();
    scene.hub.answers(200, "success\n");
    scene.alipay_paid("A0001");
    until_given_up(&scene).await;
    check_cadence(&scene, &[240, 600, 600, 3600, 7200, 21600, 54000]);
    assert!(scene.hub.taken().iter().all(|taken| alipay_fields(taken).1));
}

#[actix_web::test]
async fn a_receipt_is_pushed_again_until_code_is_the_number_zero() {
    let scene = scene();
    scene.running.engine().set_receipt_url("sandboxAccessKeyId", &scene.hub.url).unwrap();
    scene.hub.answers(200, r#"{"code":"0"}"#);
    let message = [
        ("PhoneNumbers", "13800000000"),
        ("SignName", "园区不动产"),
        ("TemplateCode", "SMS_1"),
        ("OutId", "ntf_1"),
    ];
    let sent = scene.running.engine().answer(&scene.office.sms_request("SendSms", &message));
    assert_eq!(sent.status, 200);
    assert_eq!(scene.deliver().await.sent, 0, "not before its time");
    scene.office.pass(5);
    assert_eq!(scene.deliver().await.failed, 1);
    scene.hub.answers(200, r#"{"code":0,"msg":"接收成功"}"#);
    scene.office.pass(60);
    assert_eq!(scene.deliver().await.acknowledged, 1);
    let receipts: Value = serde_json::from_slice(&scene.hub.taken()[0].body).unwrap();
    assert_eq!((&receipts[0]["out_id"], &receipts[0]["success"]), (&json!("ntf_1"), &json!(true)));
}

#[actix_web::test]
async fn compression_shortens_the_gaps() {
    let clock = ManualClock::at(morning());
    let mut config = config();
    config.callback_compression = 100;
    let running = Sandbox::start(&config, Arc::new(clock.clone())).unwrap();
    let office = Office { engine: running.engine().clone(), clock };
    let scene = Scene { office, running, hub: Receiver::start() };
    scene.hub.answers(500, "");
    scene.wechat_paid("ORDER0001");
    scene.deliver().await;
    let gap = scene.running.engine().next_due().unwrap().duration_since(morning());
    assert_eq!(gap.as_millis(), 150);
}

#[actix_web::test]
async fn spoilt_callbacks_do_not_verify_and_the_next_try_does() {
    for action in [Action::Corrupt, Action::WrongSignature, Action::UnknownSerial, Action::SignTest]
    {
        let scene = scene();
        scene.fault(action);
        scene.hub.answers(401, "{}");
        scene.wechat_paid("ORDER0001");
        scene.deliver().await;
        scene.hub.answers(204, "");
        scene.office.pass(15);
        assert_eq!(scene.deliver().await.acknowledged, 1);
        let taken = scene.hub.taken();
        assert!(!wechat_authentic(&taken[0]), "{action:?}");
        assert!(wechat_authentic(&taken[1]), "{action:?}");
        let probe = taken[0].headers["wechatpay-signature"].starts_with("WECHATPAY/SIGNTEST/");
        assert_eq!(probe, action == Action::SignTest);
    }
    for action in [Action::Corrupt, Action::WrongSignature] {
        let scene = scene();
        scene.fault(action);
        scene.alipay_paid("A0001");
        scene.deliver().await;
        assert!(!alipay_fields(&scene.hub.taken()[0]).1, "{action:?}");
    }
}

#[actix_web::test]
async fn callbacks_are_lost_doubled_delayed_and_reordered() {
    let scene = scene();
    scene.fault(Action::Drop);
    scene.wechat_paid("ORDER0001");
    assert_eq!(scene.deliver().await, Delivered { dropped: 1, ..Delivered::default() });
    scene.office.pass(15);
    assert_eq!(scene.deliver().await.acknowledged, 1, "its cadence goes on");

    scene.fault(Action::Duplicate);
    scene.wechat_paid("ORDER0002");
    assert_eq!(scene.deliver().await.sent, 2);
    let taken = scene.hub.taken();
    assert_eq!(opened(&taken[1]).0, opened(&taken[2]).0);

    scene.fault(Action::Delay);
    scene.wechat_paid("ORDER0003");
    assert_eq!(scene.deliver().await.sent, 0);
    scene.office.pass(30);
    assert_eq!(scene.deliver().await.sent, 1);

    scene.fault(Action::Reorder);
    scene.wechat_paid("ORDER0004");
    scene.wechat_paid("ORDER0005");
    assert_eq!(scene.deliver().await.sent, 2);
    let taken = scene.hub.taken();
    let order = |place: usize| opened(&taken[place]).0["out_trade_no"].clone();
    assert_eq!((order(4), order(5)), (json!("ORDER0005"), json!("ORDER0004")));
}

#[actix_web::test]
async fn after_a_rotation_callbacks_come_under_the_new_key_or_with_overlap_under_either() {
    let scene = scene();
    let engine = scene.running.engine();
    let (id, public_key) = engine.rotate_key(crate::office::MCHID, false).unwrap();
    scene.wechat_paid("ORDER0001");
    scene.deliver().await;
    let taken = &scene.hub.taken()[0];
    assert_eq!(taken.headers["wechatpay-serial"], id);
    let header = |name: &str| taken.headers[name].clone();
    let mut message =
        format!("{}\n{}\n", header("wechatpay-timestamp"), header("wechatpay-nonce")).into_bytes();
    message.extend_from_slice(&taken.body);
    message.push(b'\n');
    assert!(crate::office::verifies(&public_key, &message, &header("wechatpay-signature")));

    engine.rotate_key(crate::office::MCHID, true).unwrap();
    for count in 0..20 {
        scene.wechat_paid(&format!("ORDER1{count:03}"));
    }
    scene.deliver().await;
    let serials: std::collections::BTreeSet<String> = scene.hub.taken()[1..]
        .iter()
        .map(|taken| taken.headers["wechatpay-serial"].clone())
        .collect();
    assert_eq!(serials.len(), 2, "both within a minute");
}

#[actix_web::test]
async fn an_alipay_key_that_was_rotated_signs_no_more() {
    let scene = scene();
    scene.office.precreate("A0001", "80.00", &scene.hub.url);
    scene.running.engine().rotate_key(APP_ID, false).unwrap();
    scene.running.engine().pay("A0001", true).unwrap();
    scene.deliver().await;
    assert!(!alipay_fields(&scene.hub.taken()[0]).1);
    assert!(scene.running.engine().rotate_key("nobody", false).is_err());
}

#[actix_web::test]
async fn a_round_that_is_given_up_loses_no_callback() {
    let scene = scene();
    scene.wechat_paid("ORDER0001");
    scene.wechat_paid("ORDER0002");
    {
        let round = std::pin::pin!(scene.running.deliver_due());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(round.poll(&mut context).is_pending(), "begun, and dropped here");
    }
    assert_eq!(scene.running.engine().next_due(), Some(morning()));
    assert_eq!(scene.deliver().await.acknowledged, 2);
}

#[actix_web::test]
async fn nobody_beyond_loopback_is_called() {
    let scene = scene();
    scene.office.native("ORDER0001", 8000, "http://192.0.2.1/callbacks");
    scene.office.engine.pay("ORDER0001", true).unwrap();
    assert_eq!(scene.deliver().await.failed, 1);
    let callback = &scene.running.engine().state().callbacks[0];
    assert!(callback.attempts[0].outcome.contains("not loopback"));
}
