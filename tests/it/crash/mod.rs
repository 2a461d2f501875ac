//! The hub dies, or loses its database, at every step between the socket and the commit: at the
//! first message to the database, at the second, and so on until a run comes through whole; each
//! time before the database hears it, and again before the hub hears the answer. Whatever happened,
//! nothing was acknowledged that is not stored, and in the end everything has happened once.

mod callbacks;
mod orders;
mod remittances;

use payhub::demo::Office;
use payhub::ledger;
use serde_json::Value;

use crate::harness::World;
use crate::harness::wire::{Cut, Wire};

/// What becomes of the hub when the wire is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fall {
    /// It is killed.
    Killed,
    /// It goes on without its database for a while.
    Outage,
    /// It loses its connections and may have new ones at once.
    Blip,
}

/// How a step goes wrong.
type Way = (Fall, Cut);

/// The ways of a crash.
const KILLED: [Way; 2] = [(Fall::Killed, Cut::Before), (Fall::Killed, Cut::After)];

/// Every way.
const WAYS: [Way; 6] = [
    (Fall::Killed, Cut::Before),
    (Fall::Killed, Cut::After),
    (Fall::Outage, Cut::Before),
    (Fall::Outage, Cut::After),
    (Fall::Blip, Cut::Before),
    (Fall::Blip, Cut::After),
];

/// More messages than any step has: a run that is cut still behind it never ends.
const ENDLESS: u64 = 500;

/// Arms the wire for the `n`th message.
fn arm(wire: &Wire, n: u64, (fall, cut): Way) {
    assert!(n < ENDLESS, "the run has no end");
    wire.arm(n, cut);
    if fall == Fall::Blip {
        wire.heal_at_once();
    }
}

/// After the run: whether it was cut, and if so the hub is there again.
async fn recover(world: &mut World, wire: &Wire, fall: Fall) -> bool {
    let fell = wire.disarm();
    match fall {
        Fall::Killed if fell => world.reopen(wire).await,
        Fall::Killed | Fall::Outage | Fall::Blip => wire.mend(),
    }
    if fell {
        world.let_leases_end().await;
    }
    fell
}

/// The books prove themselves.
async fn proved(world: &World, what: &str) {
    let proof = ledger::verify(&world.hub).await.unwrap();
    assert_eq!(proof.breaks, Vec::<String>::new(), "{what}");
}

/// Asks the hub under an idempotency key; status and bytes of the answer, if one comes.
async fn ask(world: &World, path: &str, key: &str, body: &Value) -> Option<(u16, Vec<u8>)> {
    let sent = world
        .client()
        .post(world.url(path))
        .bearer_auth(Office::api_key())
        .header("idempotency-key", key)
        .body(body.to_string())
        .send();
    let answer = sent.await.ok()?;
    Some((answer.status().as_u16(), answer.bytes().await.ok()?.to_vec()))
}
