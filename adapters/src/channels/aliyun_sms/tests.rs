//! Aliyun's wire by vectors and by what its kits really send; each answer as one of six outcomes.

use domain::delivery::Arrival;
use jiff::civil::date;

use super::*;
use crate::wire::Headers;

const OUT_ID: &str = "ntf_00000000000000000000000000000007";

fn config() -> AliyunSmsConfig {
    AliyunSmsConfig {
        access_key_id: "testId".to_owned(),
        access_key_secret: Secret::new("testSecret"),
        sign_name: "园区不动产".to_owned(),
        endpoint: "https://dysmsapi.aliyuncs.com".to_owned(),
    }
}

fn channel() -> AliyunSms {
    AliyunSms::new(config()).unwrap()
}

fn now() -> Timestamp {
    "2018-11-30T14:03:25+08:00".parse().unwrap()
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { status, headers: Headers::default(), body: body.as_bytes().to_vec() }
}

fn send_to(phone: &str) -> Result<Call, LimitError> {
    let params =
        [("no".to_owned(), "2018 0001".to_owned()), ("amt".to_owned(), "80.00".to_owned())];
    channel().send(&SmsMessage {
        phone: &Personal::new(phone),
        template_code: "SMS_1",
        params: &params,
        out_id: OUT_ID,
    })
}

#[test]
fn a_message_goes_out_in_the_query_with_its_variables_in_order() {
    let call = send_to("+8613800000000").unwrap();
    assert_eq!(call.parameters[0], ("PhoneNumbers".to_owned(), "13800000000".to_owned()));
    assert_eq!(call.parameters[3].1, r#"{"no":"2018 0001","amt":"80.00"}"#);
    let stamp = Stamp { now: now(), nonce: "n".repeat(32) };
    let request = channel().sign(&call, &stamp).unwrap();
    assert!(request.body.is_empty());
    assert!(request.url.starts_with("https://dysmsapi.aliyuncs.com/?OutId=ntf_"));
    assert!(request.url.contains("TemplateParam=%7B%22no%22%3A%222018%200001%22%2C%22amt%22"));
    let date = request.headers.iter().find(|(name, _)| name == "x-acs-date").unwrap();
    assert_eq!(date.1, "2018-11-30T06:03:25Z");
    for shown in [format!("{call:?}"), format!("{request:?}"), format!("{:?}", channel())] {
        assert!(!shown.contains("138") && !shown.contains("testSecret"), "{shown}");
    }
}

#[test]
fn the_same_call_is_signed_anew_and_says_the_same() {
    let call = send_to("13800000000").unwrap();
    let sign = |nonce: &str| {
        channel().sign(&call, &Stamp { now: now(), nonce: nonce.to_owned() }).unwrap()
    };
    assert_eq!(sign("a").url, sign("b").url);
    assert_ne!(sign("a").headers, sign("b").headers);
    let foreign = Call { target: "CreateSmsSign".to_owned(), ..call };
    let stamp = Stamp { now: now(), nonce: "a".to_owned() };
    assert!(channel().sign(&foreign, &stamp).is_err());
}

#[test]
fn a_number_that_is_no_mainland_mobile_is_refused_before_it_costs_a_call() {
    for good in ["13800000000", "8613800000000", "008613800000000", "+8613800000000"] {
        assert!(send_to(good).is_ok(), "{good}");
    }
    for bad in ["", "1380000000", "138000000000", "0512-1234567", "+85291234567", "13800000000,1"] {
        assert_eq!(send_to(bad).unwrap_err().field, "phone", "{bad}");
    }
}

#[test]
fn a_configuration_that_cannot_work_names_its_key() {
    let check = |change: fn(&mut AliyunSmsConfig), key: Option<&str>| {
        let mut config = config();
        change(&mut config);
        assert_eq!(AliyunSms::new(config).err().map(|error| error.key), key);
    };
    check(|c| c.endpoint = "http://127.0.0.1:9100".into(), None);
    check(|c| c.endpoint = "http://localhost:9100/".into(), None);
    check(|c| c.endpoint = "http://dysmsapi.aliyuncs.com".into(), Some("endpoint"));
    check(|c| c.endpoint = "https://a.example/sms".into(), Some("endpoint"));
    check(|c| c.sign_name = "【园区】".into(), Some("sign_name"));
    check(|c| c.access_key_id = String::new(), Some("access_key_id"));
    check(|c| c.access_key_secret = Secret::new(""), Some("access_key_secret"));
}

#[track_caller]
fn check_send(status: u16, body: &str, expected: &str) {
    assert_eq!(channel().read_send(&answer(status, body), now()).as_str(), expected, "{body}");
}

#[test]
fn an_answer_is_a_yes_only_when_it_says_ok() {
    let ok = r#"{"Message":"OK","RequestId":"R","Code":"OK","BizId":"900619746936498440^0"}"#;
    let read = channel().read_send(&answer(200, ok), now());
    assert_eq!(read, Delivery::Accepted { vendor_ref: Some("900619746936498440^0".to_owned()) });
    check_send(200, r#"{"Code":"isv.MOBILE_NUMBER_ILLEGAL","Message":"x"}"#, "rejected");
    check_send(400, r#"{"Code":"SignatureDoesNotMatch","Message":"x"}"#, "account_fault");
    check_send(400, r#"{"Code":"Throttling.User"}"#, "throttled");
    check_send(200, r#"{"Code":"isp.SYSTEM_ERROR","Message":"x"}"#, "transient");
}

#[test]
fn an_answer_that_says_nothing_is_unknown_and_never_a_no() {
    for (status, body) in [
        (200, ""),
        (200, "<html>"),
        (200, r#"{"Message":"OK"}"#),
        (500, ""),
        (502, "<html>bad gateway</html>"),
        (504, ""),
        (404, ""),
        (500, ok_with_wrong_status()),
        (503, r#"{"Code":"ServiceUnavailable","Message":"x"}"#),
    ] {
        check_send(status, body, "unknown");
    }
    check_send(429, "", "throttled");
}

const fn ok_with_wrong_status() -> &'static str {
    r#"{"Code":"OK","BizId":"1^0"}"#
}

fn record(total: &str, details: &str) -> String {
    format!(
        r#"{{"TotalCount":{total},"Message":"OK","RequestId":"R","Code":"OK","SmsSendDetailDTOs":{{"SmsSendDetailDTO":[{details}]}}}}"#
    )
}

#[track_caller]
fn check_query(status: u16, body: &str, expected: &Lookup) {
    let phone = Personal::new("13800000000");
    let lookup = SmsLookup { phone: &phone, day: date(2018, 11, 30), out_id: OUT_ID };
    assert_eq!(channel().read_query(&lookup, &answer(status, body)), *expected, "{body}");
}

#[test]
fn the_vendors_record_decides_what_became_of_a_lost_answer() {
    let detail = |out_id: &str, status: u8, code: &str| {
        format!(
            r#"{{"OutId":"{out_id}","SendStatus":{status},"ErrCode":"{code}","PhoneNum":"13800000000"}}"#
        )
    };
    let other = detail("ntf_other", 3, "DELIVERED");
    let mine =
        |status, code: &str| record("2", &format!("{other},{}", detail(OUT_ID, status, code)));
    check_query(200, &mine(1, ""), &Lookup::Found(None));
    check_query(200, &mine(3, "DELIVERED"), &Lookup::Found(Some(Arrival::Delivered)));
    let undelivered = Arrival::Undelivered {
        reason: super::super::Undelivered::Unreachable,
        code: "UNDELIV".to_owned(),
    };
    check_query(200, &mine(2, "UNDELIV"), &Lookup::Found(Some(undelivered)));
    check_query(200, &record("1", &other), &Lookup::Absent);
    check_query(200, &record("\"0\"", ""), &Lookup::Absent);
}

#[test]
fn a_record_that_is_not_whole_does_not_say_that_a_message_is_absent() {
    let undecided = |status: u16, body: &str| {
        let phone = Personal::new("13800000000");
        let lookup = SmsLookup { phone: &phone, day: date(2018, 11, 30), out_id: OUT_ID };
        let read = channel().read_query(&lookup, &answer(status, body));
        assert!(matches!(read, Lookup::NoAnswer(_)), "{body}: {read:?}");
    };
    undecided(200, &record("51", ""));
    undecided(200, r#"{"Code":"OK","TotalCount":0}"#);
    undecided(200, r#"{"Code":"OK","SmsSendDetailDTOs":{"SmsSendDetailDTO":[]}}"#);
    undecided(200, r#"{"Code":"isp.SYSTEM_ERROR"}"#);
    undecided(500, &record("0", ""));
    undecided(504, "");
}

#[test]
fn a_question_names_phone_day_and_page() {
    let phone = Personal::new("+8613800000000");
    let lookup = SmsLookup { phone: &phone, day: date(2018, 1, 3), out_id: OUT_ID };
    let call = channel().query(&lookup).unwrap();
    let values: Vec<&str> = call.parameters.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["13800000000", "20180103", "50", "1"]);
}

#[test]
fn receipts_are_read_one_by_one_and_a_broken_one_spoils_none() {
    let body = r#"[
      {"phone_number":"13800000000","send_time":"2017-01-01 00:00:00","report_time":"2017-01-01 00:00:05",
       "success":true,"err_code":"DELIVERED","err_msg":"用户接收成功","sms_size":"2","biz_id":"932702304080415357^0","out_id":"ntf_1"},
      {"phone_number":"13900000000","success":false,"err_code":"UNDELIV","report_time":"later","out_id":""},
      {"success":true}, 7 ]"#;
    let batch = channel().read_receipts(body.as_bytes()).unwrap();
    assert_eq!((batch.receipts.len(), batch.unreadable), (2, 2));
    let first = &batch.receipts[0];
    assert_eq!(first.arrival, Arrival::Delivered);
    assert_eq!(first.vendor_ref.as_deref(), Some("932702304080415357^0"));
    assert_eq!((first.out_id.as_deref(), first.segments), (Some("ntf_1"), Some(2)));
    assert_eq!(first.reported_at, Some("2016-12-31T16:00:05Z".parse().unwrap()));
    assert_eq!((&batch.receipts[1].out_id, batch.receipts[1].reported_at), (&None, None));
    assert!(!format!("{batch:?}").contains("1380000"));
    assert!(channel().read_receipts(b"{}").is_err());
}

#[test]
fn a_number_with_a_control_character_names_no_message() {
    let body =
        r#"[{"phone_number":"13812345678","success":true,"biz_id":"a\u0000b","out_id":"c\nd"}]"#;
    let batch = channel().read_receipts(body.as_bytes()).unwrap();
    assert_eq!((&batch.receipts[0].vendor_ref, &batch.receipts[0].out_id), (&None, &None));
}

#[test]
fn receipts_are_acknowledged_by_a_numeric_zero_only_once_they_are_durable() {
    let taken = channel().acknowledge_receipts(true);
    assert_eq!((taken.status, taken.body), (200, r#"{"code":0,"msg":"接收成功"}"#.as_bytes()));
    assert_ne!(channel().acknowledge_receipts(false).status, 200);
}

#[test]
fn the_vendors_own_signer_makes_the_same_signature() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../../fixtures/vectors/channels.json")).unwrap();
    let now = Timestamp::from_second(vectors["unix_seconds"].as_i64().unwrap()).unwrap();
    let nonce = vectors["nonce"].as_str().unwrap().to_owned();
    let stamp = Stamp { now, nonce };
    let cases = vectors["aliyun_sms"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let host = case["host"].as_str().unwrap();
        let scheme = if host.starts_with("127.") { "http" } else { "https" };
        let endpoint = format!("{scheme}://{host}");
        let channel = AliyunSms::new(AliyunSmsConfig { endpoint, ..config() }).unwrap();
        let parameters = case["parameters"].as_object().unwrap();
        let value = |name: &str| parameters[name].as_str().unwrap();
        let call = if case["action"] == "SendSms" {
            let text: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(value("TemplateParam")).unwrap();
            let params: Vec<(String, String)> = text
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect();
            let message = SmsMessage {
                phone: &Personal::new(value("PhoneNumbers")),
                template_code: value("TemplateCode"),
                params: &params,
                out_id: value("OutId"),
            };
            channel.send(&message).unwrap()
        } else {
            let phone = Personal::new(value("PhoneNumber"));
            let day = date(2018, 11, 30);
            channel.query(&SmsLookup { phone: &phone, day, out_id: OUT_ID }).unwrap()
        };
        let request = channel.sign(&call, &stamp).unwrap();
        let header = request.headers.iter().find(|(name, _)| name == "authorization").unwrap();
        assert_eq!(header.1, case["authorization"].as_str().unwrap());
    }
}
