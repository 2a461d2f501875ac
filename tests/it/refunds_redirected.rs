//! Abnormal refunds (退款异常) that are sent to another account: one redirection at a time, to no
//! card that nobody agreed to, and the provider's own word wins over an old notice.

use callbacks::Claim;
use domain::fact::{ProviderFact, RefundFact, RefundStanding, Source, Stated};
use payhub::demo::WECHAT;
use payhub::record::{Arrival, record};
use sandbox::{Action, Fault, Operation, Place};
use serde_json::{Value, json};

use crate::harness::{World, word};

const CARDS: [&str; 2] = ["6222020200000000000", "6222020200000000001"];
const LEFT: &str = "SELECT count(*) FROM provider_calls WHERE operation = 'redirect_refund'";

fn card(number: &str) -> Value {
    json!({"to": "payer_card", "bank": "ICBC_DEBIT", "card": number, "holder": "张三"})
}

/// The next things of a refund go wrong at its provider.
fn spoil(world: &World, place: Place, operation: Operation, action: Action, times: Option<u32>) {
    let mut fault = Fault::new(place, action);
    fault.operation = Some(operation);
    fault.times = times;
    world.sandbox.engine().set_fault(fault).unwrap();
}

/// A refund of 80 yuan that the payer's account refused: the order's number, and the refund.
async fn abnormal(world: &World) -> (String, Value) {
    let (_, order, number) = world.paid(WECHAT, "1").await;
    spoil(world, Place::Answer, Operation::Refund, Action::Abnormal, Some(1));
    let body = json!({"amount_fen": 8000, "reason": "撤回"});
    let (_, asked) = world.post(&format!("/v1/orders/{order}/refunds"), &body).await.unwrap();
    if word(&asked, "status") == "pending_approval" {
        use payhub::refunds::{Decision, decide};
        decide(&world.hub, &word(&asked, "id"), Decision::Approve, "chief").await.unwrap();
    }
    world.seconds(120).await;
    assert_eq!(status(world, &asked).await, "abnormal");
    (number, asked)
}

async fn status(world: &World, refund: &Value) -> String {
    let (_, now) = world.get(&format!("/v1/refunds/{}", word(refund, "id"))).await.unwrap();
    word(&now, "status")
}

async fn redirect(world: &World, refund: &Value, to: &Value) -> (u16, Value) {
    world.post(&format!("/v1/refunds/{}/redirect", word(refund, "id")), to).await.unwrap()
}

#[track_caller]
fn refused(answer: &(u16, Value), code: &str) {
    assert_eq!((answer.0, &answer.1["code"]), (409, &json!(code)), "{}", answer.1);
}

/// The provider's notice that a refund is abnormal.
async fn notice(world: &World, number: &str, refund: &Value) {
    let fact = RefundFact {
        stated: Stated::default(),
        out_trade_no: number.parse().unwrap(),
        out_refund_no: word(refund, "out_refund_no").parse().unwrap(),
        provider_trade_no: None,
        provider_refund_no: None,
        amount: None,
        given_back: None,
        standing: RefundStanding::Abnormal,
        at: None,
        accepted_at: None,
    };
    let claims = vec![Claim { source: Source::Callback, fact: ProviderFact::Refund(fact) }];
    let merchant = world.hub.merchant(WECHAT).unwrap();
    record(&world.hub, &[Arrival { merchant, claims, evidence: None }]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_redirections_at_once_never_leave_with_two_cards() {
    let world = World::open().await;
    let (_, asked) = abnormal(&world).await;
    let (one, two) = (card(CARDS[0]), card(CARDS[1]));
    let (a, b) = tokio::join!(redirect(&world, &asked, &one), redirect(&world, &asked, &two));
    let codes = (a.0.min(b.0), a.0.max(b.0));
    assert_eq!(codes, (200, 409), "{} {}", a.1, b.1);
    assert_eq!(world.count(LEFT).await, 1);
    assert_eq!(world.count("SELECT count(*) FROM refund_redirects").await, 1);
    world.seconds(120).await;
    assert_eq!(status(&world, &asked).await, "succeeded");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirection_without_an_answer_is_asked_for_before_another_one_leaves() {
    let world = World::open().await;
    let (_, asked) = abnormal(&world).await;
    spoil(&world, Place::Answer, Operation::Refund, Action::Status500, Some(1));
    let (code, lost) = redirect(&world, &asked, &card(CARDS[0])).await;
    assert_eq!((code, word(&lost, "status").as_str()), (202, "abnormal"), "{lost}");
    refused(&redirect(&world, &asked, &card(CARDS[1])).await, "redirection_in_progress");
    world.seconds(6).await;
    refused(&redirect(&world, &asked, &card(CARDS[1])).await, "redirection_in_progress");
    world.seconds(30).await;
    let (code, sent) = redirect(&world, &asked, &card(CARDS[1])).await;
    assert_eq!((code, word(&sent, "status").as_str()), (200, "processing"), "{sent}");
    assert_eq!(world.count(LEFT).await, 2);
    world.seconds(120).await;
    assert_eq!(status(&world, &asked).await, "succeeded");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_notice_after_a_redirection_opens_no_way_for_another_card() {
    let world = World::open().await;
    let (number, asked) = abnormal(&world).await;
    let (code, sent) = redirect(&world, &asked, &card(CARDS[0])).await;
    assert_eq!((code, word(&sent, "status").as_str()), (200, "processing"), "{sent}");
    notice(&world, &number, &asked).await;
    assert_eq!(status(&world, &asked).await, "abnormal");
    refused(&redirect(&world, &asked, &card(CARDS[1])).await, "redirection_in_progress");
    // The notice of its success is lost.
    spoil(&world, Place::Callback, Operation::Refund, Action::Drop, None);
    for _ in 0..3 {
        world.seconds(60).await;
    }
    assert_eq!(status(&world, &asked).await, "succeeded");
    assert_eq!(world.count(LEFT).await, 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_was_closed_is_open_again_when_the_refund_is_abnormal_again() {
    let world = World::open().await;
    let (number, asked) = abnormal(&world).await;
    let tasks = async |state: &str| {
        let path = format!("/v1/incidents?kind=refund_abnormal&state={state}");
        world.get(&path).await.unwrap().1["data"].as_array().unwrap().clone()
    };
    let close = async |note: &str| {
        let id = word(&tasks("open").await[0], "id");
        let path = format!("/v1/incidents/{id}/close");
        let (status, closed) = world.post(&path, &json!({"note": note})).await.unwrap();
        assert_eq!(status, 200, "{closed}");
    };
    close("另付").await;
    let (code, sent) = redirect(&world, &asked, &json!({"to": "merchant_account"})).await;
    assert_eq!((code, word(&sent, "status").as_str()), (200, "processing"), "{sent}");
    assert_eq!(tasks("open").await.len(), 0);
    notice(&world, &number, &asked).await;
    assert_eq!(status(&world, &asked).await, "abnormal");
    let again = tasks("open").await;
    assert_eq!(again.len(), 1);
    assert_eq!(again[0]["refund_id"], asked["id"]);
    let earlier = again[0]["earlier"].as_array().unwrap();
    assert_eq!((earlier.len(), &earlier[0]["note"]), (1, &json!("另付")), "it stays on record");
    assert_eq!(earlier[0]["closed_by"], json!("registry"));
    // The same notice once more says nothing new.
    close("又另付").await;
    notice(&world, &number, &asked).await;
    assert_eq!(tasks("open").await.len(), 0);
    assert_eq!(tasks("closed").await.len(), 1);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_that_nobody_redirected_is_a_persons_work_and_not_asked_for() {
    let world = World::open().await;
    let (_, asked) = abnormal(&world).await;
    let due = "SELECT count(*) FROM refunds WHERE next_query_at IS NOT NULL";
    assert_eq!(world.count(due).await, 0);
    let (code, refusal) = redirect(&world, &asked, &json!({"to": "payer_card"})).await;
    assert_eq!((code, &refusal["code"]), (422, &json!("limit")), "{refusal}");
    assert_eq!(world.count(due).await, 0, "nothing left");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn approved_money_goes_to_no_card_that_an_application_names_alone() {
    for (policy, card_allowed) in [("\"always\"", false), ("8000", false), ("8001", true)] {
        let world = World::open_with(&format!("[policy]\nrefund_approval = {policy}\n")).await;
        let (_, asked) = abnormal(&world).await;
        let answer = redirect(&world, &asked, &card(CARDS[0])).await;
        if card_allowed {
            assert_eq!(answer.0, 200, "{policy}: {}", answer.1);
        } else {
            refused(&answer, "approval_needed");
            assert_eq!(world.count(LEFT).await, 0, "{policy}");
            let own = json!({"to": "merchant_account"});
            let (code, sent) = redirect(&world, &asked, &own).await;
            assert_eq!(code, 200, "{policy}: {sent}");
        }
        world.seconds(120).await;
        assert_eq!(status(&world, &asked).await, "succeeded", "{policy}");
        world.finish().await;
    }
}
