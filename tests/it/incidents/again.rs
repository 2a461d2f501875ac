//! What was closed and happens again: open again where it is news, and silent where it is a repeat.

use domain::ids::{IncidentId, MerchantId};
use payhub::demo::WECHAT;
use payhub::incidents::{self, Closing};
use payhub::store::incidents::{NewIncident, Which, list, open};
use uuid::Uuid;

use crate::harness::World;

/// One kind, closed by somebody and said again; whether it is open then, and how often it had been.
async fn said_again(world: &World, kind: &str, by: &str) -> (bool, usize) {
    let client = world.hub.store.client().await.unwrap();
    let merchant: MerchantId = WECHAT.parse().unwrap();
    let (now, key) = (world.hub.clock.now(), format!("{kind}:{by}"));
    let id = IncidentId::new(Uuid::now_v7());
    let say = async |id: &IncidentId| {
        let new = NewIncident {
            incident_id: id,
            merchant_id: &merchant,
            kind,
            detail: "once more",
            dedupe_key: &key,
            order_id: None,
            refund_id: None,
            now,
        };
        open(&client, &new).await.unwrap()
    };
    assert!(say(&id).await);
    assert!(!say(&IncidentId::new(Uuid::now_v7())).await, "it is open");
    let closing = Closing { id: id.as_str(), application: None, by, note: "mended" };
    incidents::close(&client, closing, now).await.unwrap();
    let is_news = say(&IncidentId::new(Uuid::now_v7())).await;
    let which = Which { id: Some(id.as_str()), ..Which::default() };
    let found = list(&client, &which, 1).await.unwrap().remove(0);
    assert_eq!(found.closed_at.is_none(), is_news, "{kind} {by}");
    assert!(found.earlier.iter().all(|before| before.closed_by.as_deref() == Some(by)));
    (is_news, found.earlier.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_again_is_open_again_and_what_is_only_repeated_is_not() {
    let world = World::open().await;
    for (kind, by, expected) in [
        // A refund that was refused for want of funds once more, whoever said that it was mended.
        ("refund_waits_for_funds", "clerk", (true, 1)),
        ("refund_waits_for_funds", "payhub", (true, 1)),
        // Every query says so: a person who closed it knows.
        ("refund_not_at_provider", "clerk", (false, 0)),
        ("refund_not_at_provider", "payhub", (true, 1)),
        ("bill_late", "clerk", (false, 0)),
        ("order_unknown", "clerk", (false, 0)),
    ] {
        assert_eq!(said_again(&world, kind, by).await, expected, "{kind} {by}");
    }
    world.finish().await;
}
