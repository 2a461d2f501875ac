//! The control and the page, and what the sandbox refuses to be.

use std::sync::Arc;

use domain::ManualClock;
use sandbox::{Engine, Received, Sandbox, SandboxError};
use serde_json::{Value, json};

use crate::office::{Office, config, morning, office};

const URL: &str = "http://127.0.0.1:9/callbacks/a";

fn get(office: &Office, target: &str, host: &str) -> (u16, String) {
    let reply = office.engine.answer(&Received {
        method: "GET".to_owned(),
        target: target.to_owned(),
        headers: vec![("Host".to_owned(), host.to_owned())],
        body: Vec::new(),
    });
    (reply.status, String::from_utf8(reply.body).unwrap())
}

#[test]
fn paying_refunding_and_the_state_over_http() {
    let office = office();
    office.native("ORDER0001", 8000, URL);
    let (status, paid) = office.control("/sandbox/pay", &json!({"out_trade_no": "ORDER0001"}));
    assert_eq!((status, &paid["amount_fen"]), (200, &json!(8000)));
    let again = office.control("/sandbox/pay", &json!({"out_trade_no": "ORDER0001"}));
    assert_eq!(again.0, 409);
    let nobody = office.control("/sandbox/pay", &json!({"out_trade_no": "ORDER0404"}));
    assert_eq!(nobody.0, 404);
    let refund = json!({"out_trade_no": "ORDER0001", "amount_fen": 3000});
    assert_eq!(office.control("/sandbox/refund", &refund).0, 200);
    let (_, state) = get(&office, "/sandbox/state", "localhost:9010");
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["orders"][0]["paid_fen"], 8000);
    assert_eq!(state["orders"][0]["refunded_fen"], 3000);
    assert_eq!(state["moves"].as_array().unwrap().len(), 1, "the refund is on its way");
    assert_eq!(state["callbacks"][0]["operation"], "payment");
}

#[test]
fn a_payer_can_be_quicker_than_a_close_and_two_can_pay() {
    let office = office();
    office.native("ORDER0001", 8000, URL);
    assert_eq!(office.close("ORDER0001").status, 204);
    let force = json!({"out_trade_no": "ORDER0001", "force": true});
    assert_eq!(office.control("/sandbox/pay", &force).0, 200);
    assert_eq!(office.query("ORDER0001").body["trade_state"], "SUCCESS");
    assert_eq!(office.control("/sandbox/pay", &force).0, 200);
    let order = &office.engine.state().orders[0];
    assert_eq!(order.paid_fen, domain::Fen::new(16_000));
    assert_ne!(order.provider_trade_nos[0], order.provider_trade_nos[1]);
}

#[test]
fn faults_are_set_and_lifted_and_nonsense_is_refused() {
    let office = office();
    let fault = json!({"on": "answer", "operation": "place", "do": "status_500", "match": {"out_trade_no": "ORDER0001"}});
    assert_eq!(office.control("/sandbox/faults", &fault), (200, json!({"id": 1})));
    assert_eq!(office.native("ORDER0001", 1, URL).status, 500);
    assert_eq!(office.native("ORDER0002", 1, URL).status, 200);
    assert_eq!(office.control("/sandbox/faults/lift", &json!({"id": 1})).0, 200);
    assert_eq!(office.native("ORDER0001", 1, URL).status, 200);
    for wrong in [
        json!({"on": "bill", "do": "drop"}),
        json!({"on": "answer", "do": "explode"}),
        json!({"on": "answer", "do": "drop", "when": "now"}),
        json!({"on": "answer", "do": "drop", "probability": 1001}),
    ] {
        assert_eq!(office.control("/sandbox/faults", &wrong).0, 400, "{wrong}");
    }
}

#[test]
fn only_a_clock_of_its_own_can_be_moved() {
    let given = office();
    assert_eq!(given.control("/sandbox/clock", &json!({"advance_s": 60})).0, 409);
    let mut config = config();
    config.manual_clock_from = Some(morning());
    let clock = ManualClock::at(jiff::Timestamp::UNIX_EPOCH);
    let engine = Arc::new(Engine::new(&config, Arc::new(clock.clone())).unwrap());
    let own = Office { engine, clock };
    let (status, told) = own.control("/sandbox/clock", &json!({"advance_s": 60}));
    assert_eq!((status, &told["now"]), (200, &json!("2026-11-20T02:01:00Z")));
    assert_eq!(own.control("/sandbox/clock", &json!({})).0, 400);
}

#[test]
fn other_sites_in_a_browser_cannot_reach_the_control() {
    let office = office();
    assert_eq!(get(&office, "/sandbox/state", "sandbox.example.com").0, 403);
    let reply = office.engine.answer(&Received {
        method: "POST".to_owned(),
        target: "/sandbox/faults/lift".to_owned(),
        headers: vec![
            ("Host".to_owned(), "127.0.0.1".to_owned()),
            ("Origin".to_owned(), "https://example.com".to_owned()),
        ],
        body: b"{}".to_vec(),
    });
    assert_eq!(reply.status, 403);
}

#[test]
fn the_page_shows_orders_and_escapes_what_came_from_outside() {
    let office = office();
    let body = crate::office::native("ORDER0001", 8000, URL).replace("不动产登记费", "<b>费</b>");
    office.wechat("POST", "/v3/pay/transactions/native", &body);
    let (status, page) = get(&office, "/", "127.0.0.1:9010");
    assert_eq!(status, 200);
    assert!(page.contains("ORDER0001") && page.contains("&#60;b&#62;费&#60;/b&#62;"));
    assert!(page.contains("PUB_KEY_ID_0114232134912410000000000000"));
    assert!(!page.contains("<b>费"));
}

#[test]
fn the_same_seed_gives_the_same_numbers() {
    let day = || {
        let office = office();
        office.native("ORDER0001", 8000, URL);
        office.engine.pay("ORDER0001", true).unwrap();
        serde_json::to_value(office.engine.state()).unwrap()
    };
    assert_eq!(day(), day());
}

#[test]
fn it_listens_on_loopback_only_and_names_what_is_wrong() {
    let clock = || Arc::new(ManualClock::at(morning()));
    let mut open = config();
    open.listen = ([0, 0, 0, 0], 0).into();
    assert!(matches!(Sandbox::start(&open, clock()), Err(SandboxError::NotLoopback(_))));

    let mut broken = config();
    broken.wechat[0].apiv3_key = "short".to_owned();
    let error = Engine::new(&broken, clock()).err().unwrap().to_string();
    assert_eq!(error, "apiv3_key of 1900000001: it must have exactly 32 bytes");
    let mut broken = config();
    broken.alipay[0].app_public_key = "-----BEGIN PUBLIC KEY-----".to_owned();
    let error = Engine::new(&broken, clock()).err().unwrap().to_string();
    assert!(error.starts_with("app_public_key of 2021000000000000: "), "{error}");
}

#[actix_web::test]
async fn a_used_port_is_an_error_with_the_address() {
    let clock = || Arc::new(ManualClock::at(morning()));
    let first = Sandbox::start(&config(), clock()).unwrap();
    let mut second = config();
    second.listen = first.address();
    let Err(error) = Sandbox::start(&second, clock()) else { panic!("two on one port") };
    assert!(error.to_string().contains(&first.address().to_string()));
    first.stop().await;
}

/// The configuration as `docs/sandbox.md` shows it.
fn documented() -> &'static str {
    let text = include_str!("../../../docs/sandbox.md");
    text.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0
}

#[test]
fn the_documented_configuration_is_read_and_an_unknown_key_is_not() {
    let config: sandbox::SandboxConfig = toml::from_str(documented()).unwrap();
    assert_eq!(config.wechat[0].mchid, crate::office::MCHID);
    assert_eq!(config.sms[0].receipt_delay_s, 5);
    let misspelt = documented().replace("refund_delay_s", "refund_delay");
    let error = toml::from_str::<sandbox::SandboxConfig>(&misspelt).err().unwrap().to_string();
    assert!(error.contains("refund_delay"), "{error}");
}

#[test]
fn keys_are_read_from_files_beside_the_configuration_or_named_when_missing() {
    let fixtures = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures"));
    let text = documented()
        .replace("keys/merchant_pub", "keys/wechat_merchant_pub")
        .replace("keys/platform", "keys/wechatpay_platform")
        .replace("keys/app_pub", "keys/alipay_app_pub")
        .replace("keys/alipay.pem", "keys/alipay_platform.pem");
    let config: sandbox::SandboxConfig = toml::from_str(&text).unwrap();
    let config = config.with_keys_read(fixtures).unwrap();
    assert!(Engine::new(&config, Arc::new(ManualClock::at(morning()))).is_ok());

    let text = text.replace("keys/alipay_platform.pem", "keys/gone.pem");
    let config: sandbox::SandboxConfig = toml::from_str(&text).unwrap();
    let error = config.with_keys_read(fixtures).err().unwrap().to_string();
    assert!(error.starts_with("alipay_private_key of 2021000000000000: cannot read"), "{error}");
    assert!(error.contains("keys/gone.pem"), "{error}");
}
