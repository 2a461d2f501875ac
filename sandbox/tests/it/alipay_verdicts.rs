//! What the log says of requests to Alipay's gateway: the signature, and each departure from the
//! manual.

use std::collections::BTreeMap;

use sandbox::{Proof, Verdict};
use serde_json::{Value, json};

use crate::alipay_office::order;
use crate::office::{Office, office};

const HTTPS: &str = "https://pay.example.cn/callbacks/b";

fn last(office: &Office) -> Verdict {
    office.engine.state().requests.last().unwrap().clone()
}

fn fine(office: &Office) -> BTreeMap<String, String> {
    let mut content = order("A0001", "FACE_TO_FACE_PAYMENT");
    content["time_expire"] = json!("2026-11-20 12:00:00");
    office.alipay_parameters("alipay.trade.precreate", &content, Some(HTTPS))
}

#[test]
fn a_request_by_the_manual_has_no_deviation() {
    let office = office();
    office.alipay_reply(fine(&office));
    let verdict = last(&office);
    assert_eq!(verdict.deviations, Vec::<String>::new());
    assert_eq!((verdict.signature, verdict.status), (Proof::Ok, 200));
    assert_eq!(verdict.call.as_deref(), Some("alipay.trade.precreate"));
    assert_eq!(verdict.provider, "alipay");
}

#[track_caller]
fn around(name: &str, value: &str, deviation: &str) {
    let office = office();
    let mut parameters = fine(&office);
    if value.is_empty() {
        parameters.remove(name);
    } else {
        parameters.insert(name.to_owned(), value.to_owned());
    }
    office.alipay_reply(parameters);
    let deviations = last(&office).deviations;
    assert!(deviations.iter().any(|said| said == deviation), "{deviations:?}");
}

#[test]
fn what_departs_around_the_content_is_on_record() {
    around("charset", "", "charset: missing");
    around("charset", "UTF-8", "charset: not written utf-8");
    around("format", "", "format: missing");
    around("format", "json", "format: not written JSON");
    around("sign_type", "RSA", "sign_type: not RSA2");
    around("timestamp", "2026-11-20 02:00:00", "timestamp: -8 h off; it must be Beijing's time");
    around("timestamp", "2026-11-20 10:05:00", "timestamp: +300 s off");
    around("timestamp", "20.11.2026", "timestamp: not yyyy-MM-dd HH:mm:ss");
    around("notify_url", "http://pay.example.cn/a", "notify_url: not https");
    around("notify_url", "https://pay.example.cn/a?b=1", "notify_url: has a query");
    around(
        "notify_url",
        "http://127.0.0.1/a",
        "notify_url: loopback; the real gateway needs a public address",
    );
    around("notify_url", "/callbacks", "notify_url: no absolute address");
    around("trace", "1", "trace: no public parameter of the manual");
}

#[track_caller]
fn inside(name: &str, value: Value, deviation: &str) {
    let office = office();
    let mut parameters = fine(&office);
    let mut content: Value = serde_json::from_str(&parameters["biz_content"]).unwrap();
    content[name] = value;
    parameters.insert("biz_content".to_owned(), content.to_string());
    office.alipay_reply(parameters);
    let deviations = last(&office).deviations;
    assert_eq!(deviations, [deviation]);
}

#[test]
fn what_departs_inside_the_content_is_on_record() {
    inside("body", Value::Null, "biz_content.body: null; leave it out");
    inside("body", json!(""), "biz_content.body: empty; leave it out");
    inside("currency", json!("CNY"), "biz_content.currency: unknown to the manual");
    inside("subject", json!("a&b"), "biz_content.subject: has /, = or &");
    inside("total_amount", json!("80"), "biz_content.total_amount: not with two decimals");
    inside(
        "timeout_express",
        json!("90m"),
        "biz_content.timeout_express: useless beside time_expire",
    );
    inside(
        "extend_params",
        json!({"sys_service_provider_id": null}),
        "biz_content.extend_params.sys_service_provider_id: null; leave it out",
    );
}

#[test]
fn a_signature_that_is_bad_or_missing_is_on_record_as_such() {
    let office = office();
    let mut parameters = fine(&office);
    office.alipay_send(&parameters);
    assert_eq!(last(&office).signature, Proof::Missing);
    parameters.insert("sign".to_owned(), "AAAA".to_owned());
    office.alipay_send(&parameters);
    assert_eq!(last(&office).signature, Proof::Bad);
}
