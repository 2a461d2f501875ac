//! A signed day that is opened again: what the new version has otherwise than the old one.

use domain::sign_off::SignOffStep::{Prepared, ReopenAsked, Reopened, Reviewed};
use payhub::demo::WECHAT;
use payhub::sign_off::{Signing, sign};
use sandbox::{Action, Fault, Match, Place};
use serde_json::json;

use super::{NEXT_MORNING, spoil};
use crate::harness::{World, at, word};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reopened_run_shows_what_changed() {
    let world = World::open().await;
    let mut numbers = Vec::new();
    for case in ["1", "2", "3"] {
        numbers.push(world.paid(WECHAT, case).await.2);
    }
    spoil(&world, Action::MissingRow, &numbers[0]);
    spoil(&world, Action::ChangedRow, &numbers[1]);
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let newest = || async {
        let path = format!("/v1/reconciliations?date=2018-11-30&merchant_id={WECHAT}");
        word(&world.get(&path).await.unwrap().1["data"][0], "id")
    };
    let old = newest().await;
    for (step, by) in
        [(Prepared, "张三"), (Reviewed, "李四"), (ReopenAsked, "张三"), (Reopened, "李四")]
    {
        let reason = step.needs_reason().then_some("账单更正");
        sign(&world.hub, &old, &Signing { step, by, reason }).await.unwrap();
    }
    // The provider's bill is another one now: one row is back, one changed otherwise, one is gone.
    world.sandbox.engine().lift_faults(None);
    let mut changed = Fault::new(Place::Bill, Action::ChangedRow);
    changed.of = Match { out_trade_no: Some(numbers[1].clone()), ..Match::default() };
    changed.amount_delta_fen = Some(300);
    world.sandbox.engine().set_fault(changed).unwrap();
    spoil(&world, Action::MissingRow, &numbers[2]);
    let path = |new: &str, old: &str| format!("/v1/reconciliations/{new}/changes?since={old}");
    let running = newest().await;
    let (status, early) = world.get(&path(&running, &old)).await.unwrap();
    assert_eq!((status, &early["code"]), (409, &json!("run_not_ended")), "{early}");
    world.settle().await.unwrap();
    let new = newest().await;
    let (status, found) = world.get(&path(&new, &old)).await.unwrap();
    assert_eq!(status, 200, "{found}");
    let of = |list: &str| {
        let all = found[list].as_array().unwrap();
        all.iter().map(|one| word(one, "out_trade_no")).collect::<Vec<String>>()
    };
    assert_eq!((of("gone"), of("new")), (vec![numbers[0].clone()], vec![numbers[2].clone()]));
    let amounts = |side: &str| found["changed"][0][side]["bill_amount_fen"].as_i64().unwrap();
    assert_eq!(found["changed"].as_array().unwrap().len(), 1);
    assert_eq!((amounts("before"), amounts("after")), (8100, 8300));
    let sum = |side: &str| found[side]["bill"]["payments"]["amount_fen"].as_i64().unwrap();
    assert_eq!((sum("before"), sum("after")), (16_100, 16_300));
    assert_eq!(found["before"]["hub"], found["after"]["hub"]);
    assert_eq!(
        (&found["before"]["sign_off"], &found["after"]["version"]),
        (&json!("reopened"), &json!(2))
    );
    for (new, old, code) in [(&old, &new, "since_invalid"), (&new, &new, "since_invalid")] {
        let (status, refused) = world.get(&path(new, old)).await.unwrap();
        assert_eq!((status, &refused["code"]), (422, &json!(code)), "{refused}");
    }
    assert_eq!(world.get(&path(&new, "run_x")).await.unwrap().0, 404);
    world.finish().await;
}
