//! Tests of reading bodies.

use domain::Fen;
use domain::personal::Personal;
use serde_json::json;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read by serde only")]
struct Wanted {
    amount_fen: Fen,
    #[serde(default)]
    payer: Option<Payer>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read by serde only")]
struct Payer {
    phone: Option<Personal>,
}

#[track_caller]
fn refused(text: &str, status: u16, code: &str, says: &str) {
    let fault = parse(text.as_bytes()).and_then(|value| read::<Wanted>(&value)).unwrap_err();
    assert_eq!((fault.status, fault.code), (status, code), "{}", fault.detail);
    assert!(fault.detail.contains(says), "{}", fault.detail);
}

#[test]
fn what_cannot_be_read_is_400_and_what_has_another_form_is_422_with_its_path() {
    refused("{", 400, "invalid_json", "EOF");
    refused(r#"{"amount_fen":1} x"#, 400, "invalid_json", "trailing");
    refused(r#"{"amount_fen":1,"amount_fen":2}"#, 400, "invalid_json", "amount_fen\" stands twice");
    refused(r#"{"amount_fen":1,"payer":{"a":1,"a":1}}"#, 400, "invalid_json", "stands twice");
    refused("", 422, "invalid_body", "missing field `amount_fen`");
    refused("[1]", 422, "invalid_body", "object");
    refused(r#"{"amount_fen":"1"}"#, 422, "invalid_body", "amount_fen: invalid type");
    refused(r#"{"amount_fen":1.5}"#, 422, "invalid_body", "numbers must be whole");
    refused(r#"{"amount_fen":1,"amount":2}"#, 422, "invalid_body", "unknown field `amount`");
}

#[test]
fn a_persons_data_is_never_repeated() {
    let value = json!({"amount_fen": 1, "payer": {"phone": 13_812_341_234_u64}});
    let fault = read::<Wanted>(&value).unwrap_err();
    assert_eq!(fault.detail, "payer.phone: has another form than asked for");
    let value = json!({"amount_fen": 1, "payer": {"fone": "1"}});
    assert!(read::<Wanted>(&value).unwrap_err().detail.contains("unknown field `fone`"));
}

#[test]
fn a_deep_body_is_refused_not_fatal() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(parse(deep.as_bytes()).unwrap_err().code, "invalid_json");
}

#[test]
fn bodies_are_equal_whatever_the_order_of_their_members() {
    let one = parse(br#"{"b":[1,{"y":null,"x":"\u4e2d"}],"a":true}"#).unwrap();
    let other = parse("{ \"a\":true, \"b\":[1,{\"x\":\"中\",\"y\":null}] }".as_bytes()).unwrap();
    assert_eq!(canonical(&one), canonical(&other));
    let swapped = parse(br#"{"b":[{"y":null,"x":"\u4e2d"},1],"a":true}"#).unwrap();
    assert_ne!(canonical(&one), canonical(&swapped));
}
