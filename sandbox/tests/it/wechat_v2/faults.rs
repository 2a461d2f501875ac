//! Faults on answers of the old interface, and what is thought of requests.

use sandbox::{Action, Fate, Fault, Operation, Place, Proof};

use super::{PAYEE, Told, accepted, document, parsed, raw, refused, signature, unheard, unified};
use crate::office::{APPID, office};

/// Whether a text is a document with a good signature.
fn parsed_as_signed(text: &str) -> bool {
    let fields = std::panic::catch_unwind(|| parsed(text, "xml")).unwrap_or_default();
    fields.get("sign").is_some_and(|sign| *sign == signature(&fields, false))
}

#[test]
fn faults_strike_here_as_they_do_on_the_newer_interface() {
    for (action, executed) in [
        (Action::Drop, 0),
        (Action::DropAfterCommit, 1),
        (Action::Status500, 0),
        (Action::Status429, 0),
        (Action::Garbage, 1),
        (Action::Corrupt, 1),
        (Action::WrongSignature, 1),
        (Action::UnknownSerial, 1),
    ] {
        let office = office();
        let fault = Fault::new(Place::Answer, action).during(Operation::Place).times(1);
        office.engine.set_fault(fault.for_order("ORDER0001")).unwrap();
        let request = office.v2_request("/pay/unifiedorder", unified("ORDER0001", &[]), false);
        let reply = office.engine.answer(&request);
        assert_eq!(office.engine.state().orders.len(), executed, "{action:?}");
        if matches!(action, Action::Drop | Action::DropAfterCommit) {
            assert_eq!(reply.fate, Fate::Cut);
        } else if action == Action::Status500 {
            refused(&Told::of(&reply), "SYSTEMERROR");
        } else if action == Action::Status429 {
            refused(&Told::of(&reply), "FREQUENCY_LIMITED");
        } else if matches!(action, Action::WrongSignature | Action::UnknownSerial) {
            assert!(!Told::of(&reply).md5, "{action:?}");
        } else {
            let text = String::from_utf8_lossy(&reply.body).into_owned();
            let whole = text.ends_with("</xml>") && parsed_as_signed(&text);
            assert!(!whole, "{action:?}");
        }
        accepted(&Told::of(&office.engine.answer(&request)));
    }
}

#[test]
fn each_request_is_judged_against_the_manual() {
    let office = office();
    let mut request = office.v2_request(
        "/pay/unifiedorder",
        unified("ORDER0001", &[("colour", "red"), ("nonce_str", "same")]),
        false,
    );
    request.headers.clear();
    let text = String::from_utf8(request.body.clone()).unwrap();
    request.body = text.replace("</xml>", "<detail/></xml>").into_bytes();
    accepted(&Told::of(&office.engine.answer(&request)));
    assert_eq!(office.engine.answer(&request).status, 200);
    let requests = office.engine.state().requests;
    assert!(requests.iter().all(|one| one.signature == Proof::Ok && one.provider == "wechat-v2"));
    for what in ["User-Agent", "Content-Type", "colour", "detail: empty"] {
        assert!(requests[0].deviations.iter().any(|one| one.starts_with(what)), "{what}");
    }
    assert!(requests[1].deviations.iter().any(|one| one.starts_with("nonce")));

    let mut fields =
        unified("ORDER0002", &[("appid", APPID), ("mch_id", PAYEE), ("nonce_str", "n")]);
    let sign = signature(&fields, true);
    fields.insert("sign".to_owned(), sign);
    unheard(&office.engine.answer(&raw("/pay/unifiedorder", &document(&fields))));
    let last = office.engine.state().requests.pop().unwrap();
    assert_eq!(last.signature, Proof::Bad);
    assert!(last.deviations.iter().any(|one| one.starts_with("sign_type: missing")), "{last:?}");
}
