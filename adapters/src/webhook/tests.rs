//! Signatures by the published vectors, the guard against private addresses, and the retries.

use domain::delivery::Delivery;

use super::*;
use crate::wire::Headers;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const SIGNED_AT: i64 = 1_614_265_330;
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

fn secret(text: &str) -> WebhookSecret {
    text.parse().unwrap()
}

fn other_secret() -> WebhookSecret {
    WebhookSecret::from_random(&[9; 32]).unwrap()
}

fn shared<'a>(secrets: &'a [&'a WebhookSecret]) -> Signers<'a> {
    Signers { secrets, pair: None }
}

fn at(unix_seconds: i64) -> Timestamp {
    Timestamp::from_second(unix_seconds).unwrap()
}

fn message() -> Message<'static> {
    Message { url: "https://registry.example/hooks?token=x", id: ID, body: BODY }
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Answer {
    let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Answer { status, headers: Headers(headers), body: Vec::new() }
}

#[test]
fn the_published_vector_is_reproduced() {
    assert_eq!(secret(SECRET).sign(ID, SIGNED_AT, BODY), SIGNATURE);
    assert_eq!(secret(SECRET).to_secret().expose(), SECRET);
}

#[test]
fn a_secret_of_the_wrong_form_is_refused_and_never_printed() {
    for (text, error) in [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", SecretError::Prefix),
        ("whsec_!", SecretError::Base64),
        ("whsec_AAAA", SecretError::Length(3)),
    ] {
        assert_eq!(text.parse::<WebhookSecret>().unwrap_err(), error);
    }
    assert!(WebhookSecret::from_random(&[1; 65]).is_err());
    assert_eq!(format!("{:?}", secret(SECRET)), "WebhookSecret(…)");
    assert!(!format!("{:?}", message()).contains("token"));
}

#[test]
fn a_receiver_believes_the_hub_under_the_old_and_the_new_secret() {
    let (old, new) = (secret(SECRET), other_secret());
    let request = build(&message(), &shared(&[&new, &old]), at(SIGNED_AT));
    let headers = Headers(request.headers);
    for held in [&old, &new] {
        assert_eq!(verify(&Verifier::Secrets(&[held]), &headers, BODY, at(SIGNED_AT)), Ok(()));
    }
    let third = WebhookSecret::from_random(&[3; 24]).unwrap();
    let verdict = verify(&Verifier::Secrets(&[&third]), &headers, BODY, at(SIGNED_AT));
    assert_eq!(verdict, Err(VerifyError::Signature));
}

#[test]
fn a_changed_or_old_webhook_is_not_believed() {
    let key = secret(SECRET);
    let headers = Headers(build(&message(), &shared(&[&key]), at(SIGNED_AT)).headers);
    let judge = |body: &[u8], now| verify(&Verifier::Secrets(&[&key]), &headers, body, at(now));
    assert_eq!(judge(BODY, SIGNED_AT + 300), Ok(()));
    assert_eq!(judge(BODY, SIGNED_AT + 301), Err(VerifyError::Stale));
    assert_eq!(judge(BODY, SIGNED_AT - 301), Err(VerifyError::Stale));
    assert_eq!(judge(b"{}", SIGNED_AT), Err(VerifyError::Signature));
    let twice = Headers([headers.0.clone(), headers.0.clone()].concat());
    let verdict = verify(&Verifier::Secrets(&[&key]), &twice, BODY, at(SIGNED_AT));
    assert_eq!(verdict, Err(VerifyError::Header("webhook-id")));
}

#[track_caller]
fn check_answer(status: u16, retry_after: Option<&str>, expected: &str) {
    let now = at(1_445_412_480); // 2015-10-21 07:28:00 UTC
    let headers: Vec<_> = retry_after.map(|value| ("Retry-After", value)).into_iter().collect();
    let read = read_answer(&answer(status, &headers), now);
    let mut shown = read.as_str().to_owned();
    if let Delivery::Throttled { until, .. } = &read {
        shown = format!("throttled {}", until.duration_since(now).as_secs());
    }
    assert_eq!(shown, expected, "{status} {retry_after:?}");
}

#[test]
fn only_a_2xx_is_a_yes_and_only_gone_disables() {
    for yes in [200, 201, 202, 204, 299] {
        check_answer(yes, None, "accepted");
    }
    for again in [100, 301, 302, 307, 308, 400, 401, 404, 409, 422, 500, 501] {
        check_answer(again, Some("7200"), "transient");
    }
    check_answer(410, None, "account_fault");
}

#[test]
fn an_overloaded_receiver_says_how_long() {
    for status in [429, 502, 503, 504] {
        check_answer(status, None, "throttled 60");
    }
    check_answer(429, Some("120"), "throttled 120");
    check_answer(429, Some("0"), "throttled 0");
    check_answer(503, Some("Wed, 21 Oct 2015 07:38:00 GMT"), "throttled 600");
    check_answer(503, Some("Wed, 21 Oct 2015 06:28:00 GMT"), "throttled 0");
    check_answer(503, Some("31536000"), "throttled 86400");
    check_answer(503, Some("99999999999999999999999"), "throttled 86400");
    check_answer(503, Some("-5"), "throttled 60");
    check_answer(503, Some("soon"), "throttled 60");
}

#[test]
fn only_a_receiver_that_names_a_time_itself_wants_to_hear_nothing_until_then() {
    let now = at(1_445_412_480); // 2015-10-21 07:28:00 UTC
    for (status, said, seconds) in [
        (429, Some("120"), Some(120)),
        (503, Some("Wed, 21 Oct 2015 07:38:00 GMT"), Some(600)),
        (503, Some("31536000"), Some(86400)),
        (429, None, None),
        (429, Some("0"), None),
        (429, Some("soon"), None),
        (503, Some("Wed, 21 Oct 2015 06:28:00 GMT"), None),
        (502, Some("120"), None),
        (504, Some("120"), None),
        (500, Some("120"), None),
        (200, Some("120"), None),
    ] {
        let headers: Vec<_> = said.map(|value| ("Retry-After", value)).into_iter().collect();
        let until = asked_to_wait(&answer(status, &headers), now);
        let waits = until.map(|until| until.duration_since(now).as_secs());
        assert_eq!(waits, seconds, "{status} {said:?}");
    }
}

#[test]
fn a_receiver_that_is_down_for_30_hours_still_gets_its_event() {
    // T26: without any luck in the jitter the last attempts lie behind 30 h and behind 75 h.
    let mut at_hours = Vec::new();
    let mut elapsed = SignedDuration::ZERO;
    for attempts_made in 0..ATTEMPTS {
        elapsed += next_attempt(attempts_made, None, 0).unwrap();
        at_hours.push(elapsed.as_hours());
    }
    assert_eq!(at_hours, [0, 0, 0, 0, 2, 7, 17, 31, 51, 75]);
    assert_eq!(next_attempt(ATTEMPTS, None, 0), None, "then it is a dead letter");
}

#[test]
fn chance_and_the_receiver_only_lengthen_a_wait() {
    let wait = |made, asked: Option<i64>, jitter| {
        next_attempt(made, asked.map(SignedDuration::from_secs), jitter).unwrap().as_secs()
    };
    assert_eq!(wait(2, None, 0), 300);
    assert_eq!(wait(2, None, 500), 330);
    assert_eq!(wait(2, None, 1000), 360);
    assert_eq!(wait(2, None, u16::MAX), 360);
    assert_eq!(wait(2, Some(10), 0), 300);
    assert_eq!(wait(2, Some(900), 0), 900);
    assert_eq!(wait(2, Some(-900), 0), 300);
    assert_eq!(wait(2, Some(10_000_000), 0), 86_400);
}

#[test]
fn only_public_addresses_are_public() {
    for closed in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:8.8.8.8",
        "::ffff:127.0.0.1",
        "::8.8.8.8",
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:2::1",
        "2001:db8::1",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(!is_public(closed.parse().unwrap()), "{closed}");
    }
    for open in [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "2400:3200::1",
        "2606:4700::1111",
        "2001:4860:4860::8888",
    ] {
        assert!(is_public(open.parse().unwrap()), "{open}");
    }
}

#[test]
fn the_operator_opens_private_networks_one_by_one() {
    let allowed = AllowList::parse(["10.0.0.0/8", "192.168.7.7", "fd00::/16"]).unwrap();
    for open in ["10.9.9.9", "::ffff:10.9.9.9", "192.168.7.7", "fd00::5", "8.8.8.8"] {
        assert!(allowed.permits(open.parse().unwrap()), "{open}");
    }
    for closed in ["192.168.7.8", "127.0.0.1", "::ffff:127.0.0.1", "fd01::5"] {
        assert!(!allowed.permits(closed.parse().unwrap()), "{closed}");
    }
    assert!(AllowList::parse(["10.0.0.0/33"]).is_err());
    assert!(AllowList::parse(["registry"]).is_err());
}

#[test]
fn a_url_that_points_inside_is_refused() {
    let none = AllowList::default();
    let read = |url: &str| read_target(url, &none);
    let target = read("https://registry.example/hooks").unwrap();
    assert_eq!(
        (target.host.as_str(), target.port, target.is_https),
        ("registry.example", 443, true)
    );
    assert_eq!(read("http://8.8.8.8:9000/").unwrap().port, 9000);
    for inside in [
        "http://127.0.0.1/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest",
    ] {
        assert!(matches!(read(inside), Err(TargetError::Closed(_))), "{inside}");
    }
    for wrong in ["ftp://a.example/", "file:///etc/passwd", "/hooks", "https://u:p@a.example/"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
    let allowed = AllowList::parse(["127.0.0.0/8"]).unwrap();
    assert!(read_target("http://127.0.0.1:9000/hooks", &allowed).is_ok());
}

#[test]
fn the_reference_library_makes_the_same_signatures() {
    let vectors: serde_json::Value =
        serde_json::from_str(include_str!("../../../fixtures/vectors/channels.json")).unwrap();
    let case = &vectors["webhook"];
    let texts = |key: &str| -> Vec<String> { serde_json::from_value(case[key].clone()).unwrap() };
    let secrets: Vec<WebhookSecret> = texts("secrets").iter().map(|text| secret(text)).collect();
    let message = Message {
        url: "https://registry.example/hooks",
        id: case["id"].as_str().unwrap(),
        body: case["body"].as_str().unwrap().as_bytes(),
    };
    let now = at(vectors["unix_seconds"].as_i64().unwrap());
    let request = build(&message, &shared(&secrets.iter().collect::<Vec<_>>()), now);
    let signature = Headers(request.headers);
    assert_eq!(signature.only("webhook-signature").unwrap(), texts("signatures").join(" "));
}

mod key_pair;
