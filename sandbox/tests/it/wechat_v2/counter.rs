//! The counter scans the payer: paid, waiting, refused, taken back.

use super::{PAYEE, accepted, refused};
use crate::office::{Office, SERIAL, office, sign};

const MERCHANT: &str = include_str!("../../../../fixtures/keys/wechat_merchant.pem");

const PAYS: &str = "134567890123456789";
const ASKS_PASSWORD: &str = "134567890123459900";

#[test]
fn the_counter_is_paid_at_once_and_nobody_is_called_back() {
    let office = office();
    let told = office.scan("COUNTER1", PAYS);
    accepted(&told);
    assert_eq!((told.get("trade_type"), told.get("total_fee")), ("MICROPAY", "8000"));
    assert_eq!(told.get("transaction_id").len(), 28);
    assert_eq!(office.v2_query("COUNTER1").get("trade_state"), "SUCCESS");
    assert!(office.engine.state().callbacks.is_empty());
    refused(&office.scan("COUNTER1", PAYS), "ORDERPAID");
    assert_eq!(office.engine.state().moves.len(), 1);
    refused(&office.v2("/pay/closeorder", &[("out_trade_no", "COUNTER1")]), "ORDERPAID");
}

#[test]
fn a_payer_who_must_enter_a_password_has_thirty_seconds() {
    let office = office();
    let state = |number: &str| office.v2_query(number).get("trade_state").to_owned();
    refused(&office.scan("COUNTER1", ASKS_PASSWORD), "USERPAYING");
    office.pass(5);
    assert_eq!(state("COUNTER1"), "USERPAYING");
    refused(&office.scan("COUNTER1", ASKS_PASSWORD), "USERPAYING");
    refused(&office.scan("COUNTER1", PAYS), "OUT_TRADE_NO_USED");
    office.engine.pay("COUNTER1", true).unwrap();
    assert_eq!(state("COUNTER1"), "SUCCESS");
    assert!(office.engine.state().callbacks.is_empty(), "nobody is called back");

    refused(&office.scan("COUNTER2", ASKS_PASSWORD), "USERPAYING");
    office.pass(30);
    assert_eq!(state("COUNTER2"), "PAYERROR");
    assert!(office.engine.pay("COUNTER2", false).is_err());
    refused(&office.scan("COUNTER2", ASKS_PASSWORD), "TRADE_ERROR");
}

#[test]
fn codes_end_as_their_last_digits_say() {
    for (tail, code, state, moved) in [
        ("01", "SYSTEMERROR", "SUCCESS", 1),
        ("02", "AUTHCODEEXPIRE", "", 0),
        ("03", "NOTENOUGH", "PAYERROR", 0),
        ("04", "BANKERROR", "USERPAYING", 0),
    ] {
        let office = office();
        refused(&office.scan("COUNTER1", &format!("1345678901234599{tail}")), code);
        assert_eq!(office.v2_query("COUNTER1").get("trade_state"), state, "{tail}");
        assert_eq!(office.engine.state().moves.len(), moved, "{tail}");
    }
    for code in
        ["2345678901234567890", "284567890123456789", "13456789012345678", "13456789012345678a"]
    {
        refused(&office().scan("COUNTER1", code), "AUTH_CODE_INVALID");
    }
    refused(&office().scan("COUNTER1", ""), "LACK_PARAMS");
}

#[test]
fn a_reversal_revokes_what_is_unpaid_and_gives_back_what_is_paid() {
    let office = office();
    office.scan("COUNTER1", ASKS_PASSWORD);
    let told = office.reverse("COUNTER1");
    accepted(&told);
    assert_eq!(told.get("recall"), "N");
    assert_eq!(office.v2_query("COUNTER1").get("trade_state"), "REVOKED");
    assert!(office.engine.pay("COUNTER1", false).is_err(), "the payer comes too late");
    refused(&office.scan("COUNTER1", ASKS_PASSWORD), "ORDERREVERSED");

    office.scan("COUNTER2", PAYS);
    accepted(&office.reverse("COUNTER2"));
    accepted(&office.reverse("COUNTER2"));
    assert_eq!(office.v2_query("COUNTER2").get("trade_state"), "REVOKED");
    let moves = office.engine.state().moves;
    assert_eq!(moves.len(), 2, "in and out, once");
    assert_eq!(moves.iter().map(|one| one.amount_fen.get()).collect::<Vec<_>>(), [8000, 8000]);
    refused(&office.v2_refund("COUNTER2", "R1", 100, ""), "INVALID_REQUEST");
}

#[test]
fn a_reversal_is_refused_where_there_is_nothing_to_reverse_and_may_have_to_be_repeated() {
    let office = office();
    for (number, code) in [("COUNTER404", "ORDERNOTEXIST"), ("ORDER0001", "TRADE_ERROR")] {
        office.unified("ORDER0001", &[]);
        let told = office.reverse(number);
        refused(&told, code);
        assert_eq!(told.get("recall"), "N");
    }
    office.scan("COUNTER1", "134567890123459906");
    let told = office.reverse("COUNTER1");
    refused(&told, "SYSTEMERROR");
    assert_eq!(told.get("recall"), "Y");
    assert_eq!(office.v2_query("COUNTER1").get("trade_state"), "SUCCESS");
    accepted(&office.reverse("COUNTER1"));
    assert_eq!(office.v2_query("COUNTER1").get("trade_state"), "REVOKED");

    office.scan("COUNTER2", PAYS);
    office.pass(7 * 24 * 3600 + 1);
    refused(&office.reverse("COUNTER2"), "REVERSE_EXPIRE");
}

/// The newer interface's word for how an order of the same merchant stands.
fn newer_word(office: &Office, number: &str) -> String {
    let target = format!("/v3/pay/transactions/out-trade-no/{number}?mchid={PAYEE}");
    let mut request = office.wechat_request("GET", &target, "");
    let timestamp = domain::Clock::now(&office.clock).as_second();
    let nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
    let signature = sign(MERCHANT, format!("GET\n{target}\n{timestamp}\n{nonce}\n\n").as_bytes());
    for (name, value) in &mut request.headers {
        if name == "Authorization" {
            *value = format!(
                "WECHATPAY2-SHA256-RSA2048 mchid=\"{PAYEE}\",nonce_str=\"{nonce}\",signature=\"{signature}\",timestamp=\"{timestamp}\",serial_no=\"{SERIAL}\""
            );
        }
    }
    let reply = office.engine.answer(&request);
    let told: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    told["trade_state"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
}

#[test]
fn the_newer_interface_sees_what_happens_at_the_counter() {
    let office = office();
    office.scan("COUNTER1", ASKS_PASSWORD);
    assert_eq!(newer_word(&office, "COUNTER1"), "USERPAYING");
    office.pass(30);
    assert_eq!(newer_word(&office, "COUNTER1"), "PAYERROR");
    office.reverse("COUNTER1");
    assert_eq!(newer_word(&office, "COUNTER1"), "REVOKED");
    office.scan("COUNTER2", PAYS);
    assert_eq!(newer_word(&office, "COUNTER2"), "SUCCESS");
    office.reverse("COUNTER2");
    assert_eq!(newer_word(&office, "COUNTER2"), "REVOKED");
}
