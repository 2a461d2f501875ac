//! People of the finance office: what they do about differences, who may do what, and the trail of
//! it.

mod audit;
mod changes;
mod command_line;
mod differences;
mod money;
mod users;

use payhub::demo::WECHAT;
use payhub::differences::{Doing, Proposal, Signed, take};
use sandbox::{Action, Fault, Match, Place};
use serde_json::Value;

use crate::harness::{World, at, word};

/// Saturday 10:05 in Beijing.
pub(crate) const NEXT_MORNING: &str = "2018-12-01T02:05:00Z";

/// An office on the next morning with two differences of 80 yuan: a payment that the bill does not
/// have, and one that only the bill has. Their ids, in this order.
pub(crate) async fn two_differences() -> (World, String, String) {
    let world = World::open().await;
    let (_, _, number) = world.paid(WECHAT, "1").await;
    spoil(&world, Action::MissingRow, &number);
    spoil(&world, Action::ExtraRow, "PX1900000001");
    world.clock.set(at(NEXT_MORNING));
    world.settle().await.unwrap();
    let (_, list) = world.get("/v1/differences").await.unwrap();
    let of = |kind: &str| {
        let all = list["data"].as_array().unwrap();
        word(all.iter().find(|one| one["kind"] == kind).unwrap_or_else(|| panic!("{list}")), "id")
    };
    let (missing, extra) = (of("only_in_hub"), of("only_in_bill"));
    (world, missing, extra)
}

/// The providers' bill is wrong about an order of WeChat's.
pub(crate) fn spoil(world: &World, action: Action, number: &str) {
    let mut fault = Fault::new(Place::Bill, action);
    fault.of = Match {
        out_trade_no: Some(number.to_owned()),
        merchant: Some("1900000001".to_owned()),
        ..Match::default()
    };
    world.sandbox.engine().set_fault(fault).unwrap();
}

/// Does something about a difference; its status then, or the code that refuses it.
pub(crate) async fn act(world: &World, id: &str, doing: Doing<'_>, by: &str) -> String {
    match take(&world.hub, id, doing, Signed { by, reason: Some("查明原因") }).await {
        Ok(found) => found.status.to_string(),
        Err(fault) => fault.code.to_owned(),
    }
}

/// A remedy that names nothing else.
pub(crate) fn remedy(remedy: domain::difference::Remedy) -> Doing<'static> {
    Doing::Propose(Proposal { remedy, amount: None, refund_id: None, with: None })
}

/// A difference as its GET answers it.
pub(crate) async fn difference(world: &World, id: &str) -> Value {
    let (status, found) = world.get(&format!("/v1/differences/{id}")).await.unwrap();
    assert_eq!(status, 200, "{found}");
    found
}
