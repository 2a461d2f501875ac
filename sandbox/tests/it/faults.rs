//! Faults on answers, over real HTTP where the connection itself is what fails.

use std::sync::Arc;

use domain::ManualClock;
use sandbox::{Action, Fate, Fault, Operation, Place, Sandbox};

use crate::office::{Office, alipay_node, config, morning, native, office};

const URL: &str = "http://127.0.0.1:9/callbacks/a";

fn place(office: &Office) -> sandbox::Reply {
    let body = native("ORDER0001", 8000, URL);
    office.engine.answer(&office.wechat_request("POST", "/v3/pay/transactions/native", &body))
}

fn fault(office: &Office, action: Action) {
    let fault = Fault::new(Place::Answer, action).during(Operation::Place).times(1);
    office.engine.set_fault(fault).unwrap();
}

fn orders(office: &Office) -> usize {
    office.engine.state().orders.len()
}

#[test]
fn what_is_dropped_before_is_not_executed_and_what_is_dropped_after_is() {
    for (action, executed) in [(Action::Drop, 0), (Action::DropAfterCommit, 1)] {
        let office = office();
        fault(&office, action);
        assert!(matches!(place(&office).fate, Fate::Cut), "{action:?}");
        assert_eq!(orders(&office), executed, "{action:?}");
        assert_eq!(place(&office).status, 200, "the fault is used up");
    }
}

#[test]
fn system_errors_are_not_executed_and_garbage_is() {
    for (action, status, executed) in
        [(Action::Status500, 500, 0), (Action::Status429, 429, 0), (Action::Garbage, 200, 1)]
    {
        let office = office();
        fault(&office, action);
        let reply = place(&office);
        assert_eq!(reply.status, status, "{action:?}");
        assert!(!office.told(&reply).signed);
        assert_eq!(orders(&office), executed, "{action:?}");
    }
}

#[test]
fn a_spoilt_signature_does_not_verify_though_the_order_stands() {
    for action in [Action::Corrupt, Action::WrongSignature, Action::UnknownSerial] {
        let office = office();
        fault(&office, action);
        let reply = place(&office);
        assert_eq!(reply.status, 200);
        assert!(!office.told(&reply).signed, "{action:?}");
        assert_eq!(orders(&office), 1);
        assert!(office.told(&place(&office)).signed);
    }
    for action in [Action::Corrupt, Action::WrongSignature] {
        let office = office();
        fault(&office, action);
        let content =
            serde_json::json!({"out_trade_no": "A1", "total_amount": "1.00", "subject": "费"});
        let method = "alipay.trade.precreate";
        let reply = office.alipay_reply(office.alipay_parameters(method, &content, None));
        assert!(!alipay_node(method, &reply).1, "{action:?}");
        assert_eq!(orders(&office), 1);
    }
}

#[test]
fn a_late_answer_says_by_how_much() {
    let office = office();
    office.engine.set_fault(Fault::new(Place::Answer, Action::Delay)).unwrap();
    assert_eq!(place(&office).fate, Fate::ArrivesAfter(30_000));
}

#[actix_web::test]
async fn a_cut_answer_is_an_error_for_the_client_and_the_next_one_arrives() {
    let clock = ManualClock::at(morning());
    let running = Sandbox::start(&config(), Arc::new(clock.clone())).unwrap();
    let office = Office { engine: running.engine().clone(), clock };
    fault(&office, Action::DropAfterCommit);
    let client = reqwest::Client::builder().tls_certs_only([]).no_proxy().build().unwrap();
    let body = native("ORDER0001", 8000, URL);
    let send = || {
        let request = office.wechat_request("POST", "/v3/pay/transactions/native", &body);
        let mut call = client.post(format!("{}{}", running.base_url(), request.target));
        for (name, value) in request.headers.iter().filter(|(name, _)| name != "Host") {
            call = call.header(name, value);
        }
        call.body(request.body).send()
    };
    match send().await {
        Err(_) => {}
        Ok(answer) => assert!(answer.bytes().await.is_err(), "the client must see an error"),
    }
    assert_eq!(orders(&office), 1, "it was executed");
    let answer = send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(answer.headers().contains_key("wechatpay-signature"));
    running.stop().await;
}
