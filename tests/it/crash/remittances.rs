//! A remittance and its reversal, each between its request and its answer, under an idempotency key:
//! who asks again is told that it was done, and not that somebody did it before.

use payhub::demo::WECHAT;
use serde_json::{Value, json};

use super::{KILLED, Way, arm, ask, proved, recover};
use crate::harness::wire::Wire;
use crate::harness::{World, word};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_remittance_and_its_reversal_are_answered_with_their_keys_wherever_the_hub_dies() {
    let (mut world, wire) = World::open_on_a_wire("", 1, |_as_usual| {}).await;
    let (fee, _, _) = world.paid(WECHAT, "1").await;
    let mut cut = 0;
    for way in KILLED {
        for n in 1.. {
            let reference = format!("{way:?} {n}");
            let body = json!({
                "remitted_on": "2018-11-30", "reference": reference, "fee_ids": [fee],
            });
            let (fell, told) = once(&mut world, &wire, (n, way), "/v1/remittances", &body).await;
            assert_eq!(told.0, 201, "{reference}: {}", told.1);
            let path = format!("/v1/remittances/{}/reverse", word(&told.1, "id"));
            let body = json!({"reason": reference});
            let (fell_again, told) = once(&mut world, &wire, (n, way), &path, &body).await;
            assert_eq!(told.0, 200, "{reference}: {}", told.1);
            assert_eq!(told.1["reversal"]["reason"], reference);
            cut += usize::from(fell) + usize::from(fell_again);
            if !fell && !fell_again {
                break;
            }
        }
        proved(&world, &format!("{way:?}")).await;
    }
    assert!(cut >= 20, "the wire was cut at {cut} steps only");
    world.finish().await;
}

/// One request with the wire cut at one message, and its repeat: whether it was cut, and what the
/// repeat was told, as was the first if it was told anything.
async fn once(
    world: &mut World,
    wire: &Wire,
    (n, way): (u64, Way),
    path: &str,
    body: &Value,
) -> (bool, (u16, Value)) {
    let key = format!("{way:?}{n}{path}").replace(' ', "");
    arm(wire, n, way);
    let first = ask(world, path, &key, body).await;
    let fell = recover(world, wire, way.0).await;
    let again = ask(world, path, &key, body).await.unwrap();
    if let Some(first) = first.filter(|(status, _)| *status < 500) {
        assert_eq!(first, again, "{path} {way:?} {n}");
    }
    (fell, (again.0, serde_json::from_slice(&again.1).unwrap()))
}
