//! The SMS vendor: sending, querying, refusing.

use sandbox::{Action, Fault, Place};
use serde_json::{Value, json};

use crate::office::{Office, office};

const MESSAGE: &[(&str, &str)] = &[
    ("PhoneNumbers", "13800000000"),
    ("SignName", "园区 不动产"),
    ("TemplateCode", "SMS_1"),
    ("TemplateParam", r#"{"amount":"80.00 元","x":"a+b&c*~"}"#),
    ("OutId", "ntf_1"),
];

fn ask(office: &Office, request: &sandbox::Received) -> (u16, Value) {
    let reply = office.engine.answer(request);
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
}

fn send(office: &Office) -> (u16, Value) {
    office.pass(1);
    ask(office, &office.sms_request("SendSms", MESSAGE))
}

fn details(office: &Office) -> Value {
    office.pass(1);
    let query = [
        ("PhoneNumber", "13800000000"),
        ("SendDate", "20261120"),
        ("PageSize", "10"),
        ("CurrentPage", "1"),
    ];
    ask(office, &office.sms_request("QuerySendDetails", &query)).1
}

#[test]
fn a_message_is_accepted_kept_and_reported() {
    let office = office();
    let (status, told) = send(&office);
    assert_eq!((status, &told["Code"]), (200, &json!("OK")), "{told}");
    let kept = office.engine.state().sms;
    assert_eq!(kept[0].template_param, r#"{"amount":"80.00 元","x":"a+b&c*~"}"#);
    assert_eq!(Some(kept[0].biz_id.as_str()), told["BizId"].as_str());
    let row = &details(&office)["SmsSendDetailDTOs"]["SmsSendDetailDTO"][0];
    assert_eq!((&row["SendStatus"], &row["OutId"]), (&json!(1), &json!("ntf_1")));
    office.pass(5);
    let row = &details(&office)["SmsSendDetailDTOs"]["SmsSendDetailDTO"][0];
    assert_eq!((&row["SendStatus"], &row["ErrCode"]), (&json!(3), &json!("DELIVERED")));
}

#[test]
fn a_request_that_is_not_the_accounts_is_refused_and_a_nonce_is_good_once() {
    let office = office();
    let request = office.sms_request("SendSms", MESSAGE);
    let code = |request: &sandbox::Received| {
        let (status, told) = ask(&office, request);
        (status, told["Code"].as_str().unwrap_or_default().to_owned())
    };
    let replaced = |from: &str, to: &str| {
        let mut request = request.clone();
        for (_, value) in &mut request.headers {
            *value = value.replace(from, to);
        }
        request
    };
    let mismatch = (400, "SignatureDoesNotMatch".to_owned());
    assert_eq!(code(&replaced("SendSms", "SendBatchSms")), mismatch);
    assert_eq!(code(&replaced("host;", "")), mismatch, "host must be signed");
    assert_eq!(
        code(&replaced("sandboxAccessKeyId", "other")),
        (404, "InvalidAccessKeyId.NotFound".to_owned())
    );
    let mut other = request.clone();
    other.target.push_str("&OutId2=x");
    assert_eq!(code(&other), mismatch);
    let mut unsigned = request.clone();
    unsigned.headers.push(("x-acs-extra".to_owned(), "1".to_owned()));
    assert_eq!(code(&unsigned), mismatch, "every x-acs header must be signed");
    let mut body = request.clone();
    body.body = b"x".to_vec();
    assert_eq!(code(&body), mismatch);
    assert!(office.engine.state().sms.is_empty());
    assert_eq!(code(&request), (200, "OK".to_owned()));
    assert_eq!(code(&request), (400, "SignatureNonceUsed".to_owned()));
    let late = office.sms_request_with("SendSms", MESSAGE, "late");
    office.pass(901);
    assert_eq!(code(&late), (400, "InvalidTimeStamp.Expired".to_owned()));
}

#[test]
fn wrong_content_is_refused_by_its_code() {
    let office = office();
    for (field, value, code) in [
        ("PhoneNumbers", "123", "isv.MOBILE_NUMBER_ILLEGAL"),
        ("SignName", "", "isv.SMS_SIGNATURE_ILLEGAL"),
        ("TemplateCode", "X", "isv.SMS_TEMPLATE_ILLEGAL"),
        ("TemplateParam", "[]", "isv.INVALID_JSON_PARAM"),
    ] {
        office.pass(1);
        let message: Vec<(&str, &str)> = MESSAGE
            .iter()
            .map(|&(name, was)| (name, if name == field { value } else { was }))
            .collect();
        let (status, told) = ask(&office, &office.sms_request("SendSms", &message));
        assert_eq!((status, &told["Code"]), (200, &json!(code)));
    }
}

#[test]
fn throttle_and_empty_account_refuse_and_a_lost_message_is_never_reported() {
    let office = office();
    for (action, code) in [
        (Action::Throttle, "isv.BUSINESS_LIMIT_CONTROL"),
        (Action::NotEnough, "isv.AMOUNT_NOT_ENOUGH"),
    ] {
        office.engine.set_fault(Fault::new(Place::Sms, action).times(1)).unwrap();
        assert_eq!(send(&office).1["Code"], code);
    }
    assert!(office.engine.state().sms.is_empty());
    office.engine.set_fault(Fault::new(Place::Sms, Action::Drop).times(1)).unwrap();
    assert_eq!(send(&office).1["Code"], "OK");
    office.engine.set_fault(Fault::new(Place::Sms, Action::Undelivered).times(1)).unwrap();
    assert_eq!(send(&office).1["Code"], "OK");
    office.pass(86_000);
    let states: Vec<&str> = office.engine.state().sms.iter().map(|sms| sms.state).collect();
    assert_eq!(states, ["lost", "failed"]);
}
