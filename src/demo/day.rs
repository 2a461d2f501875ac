//! Lives the plan: each case comes to the counter, is priced, ordered, paid and refunded as its
//! fate says, through nothing but the hub's API and the providers' side.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use sandbox::{Action, Fault, Match, Operation, Place};
use serde_json::{Value, json};

use super::office::{ALIPAY, Office, OfficeError, WECHAT, told};
use super::plan::{Case, Fate};
use crate::terminal;

/// How long a payer needs for the telephone.
const PAYING: SignedDuration = SignedDuration::from_secs(40);
/// How long the hub may take to find what no callback told it.
const FINDING: SignedDuration = SignedDuration::from_secs(12);
/// How long a refund takes at the providers, and a little more.
const REFUNDING: SignedDuration = SignedDuration::from_secs(150);

/// What became of a case.
#[derive(Clone, Debug)]
pub(super) struct Lived {
    /// The case.
    pub(super) case: Case,
    /// Its fee.
    pub(super) fee_id: String,
    /// What was owed, in fen.
    pub(super) total_fen: i64,
    /// The number of the order that was to pay it.
    pub(super) out_trade_no: Option<String>,
}

/// An error that was planted in a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Planted {
    /// The difference that must be found.
    pub(super) kind: &'static str,
    /// At which order number.
    pub(super) out_trade_no: String,
}

/// Lives one case.
///
/// # Errors
/// What the hub or a provider answered that it should not have.
pub(super) async fn live(
    office: &Office,
    case: &Case,
    opening: jiff::Timestamp,
) -> Result<Lived, OfficeError> {
    let at = opening
        .saturating_add(SignedDuration::from_mins(case.minute))
        .unwrap_or(jiff::Timestamp::MAX);
    if at > office.hub.clock.now() {
        office.clock.set(at);
    }
    let fee = issue(office, case).await?;
    // The payer is told of the fee before the order is placed.
    office.settle().await?;
    let mut lived = Lived {
        case: case.clone(),
        fee_id: text(&fee, "id")?,
        total_fen: fee.get("total_fen").and_then(Value::as_i64).unwrap_or_default(),
        out_trade_no: None,
    };
    if lived.total_fen > 0 {
        collect(office, &mut lived).await?;
    }
    office.settle().await?;
    progress(office, &lived);
    Ok(lived)
}

async fn issue(office: &Office, case: &Case) -> Result<Value, OfficeError> {
    let body = json!({
        "case_no": case.case_no,
        "items": case.items,
        "payer": {"name": case.name, "phone": case.phone},
        "department": "一窗受理",
    });
    expect(office.post("/v1/fees", &body).await?, &[201], "issuing a fee")
}

/// Orders, pays and refunds as the fate says.
async fn collect(office: &Office, lived: &mut Lived) -> Result<(), OfficeError> {
    let fate = lived.case.fate;
    if fate == Fate::OtherWallet {
        order(office, &lived.fee_id, !lived.case.by_wechat).await?;
        office.pass(PAYING).await?;
    }
    if fate == Fate::LostAnswer {
        let mut fault = Fault::new(Place::Answer, Action::DropAfterCommit);
        fault.operation = Some(Operation::Place);
        fault.times = Some(1);
        office.sandbox.engine().set_fault(fault).map_err(told)?;
    }
    let order = order(office, &lived.fee_id, lived.case.by_wechat).await?;
    let (order_id, number) = (text(&order, "id")?, text(&order, "out_trade_no")?);
    lived.out_trade_no = Some(number.clone());
    if fate == Fate::Unpaid {
        return Ok(());
    }
    if fate == Fate::LostAnswer {
        office.pass(FINDING).await?;
    }
    callback_fault(office, fate, &number)?;
    office.clock.advance(PAYING);
    let engine = office.sandbox.engine();
    engine.pay(&number, fate != Fate::LostCallback).map_err(told)?;
    office.settle().await?;
    if fate == Fate::LostCallback {
        office.pass(FINDING).await?;
    }
    match fate {
        Fate::Refunded => refund(office, &order_id, lived.total_fen, false).await,
        Fate::RefundedInPart => refund(office, &order_id, half(lived.total_fen), true).await,
        Fate::Paid
        | Fate::Zero
        | Fate::Unpaid
        | Fate::LostCallback
        | Fate::DuplicateCallback
        | Fate::LostAnswer
        | Fate::OtherWallet
        | Fate::MissingInBill
        | Fate::ChangedInBill => Ok(()),
    }
}

fn callback_fault(office: &Office, fate: Fate, number: &str) -> Result<(), OfficeError> {
    if fate == Fate::DuplicateCallback {
        let mut fault = Fault::new(Place::Callback, Action::Duplicate);
        fault.of = Match { out_trade_no: Some(number.to_owned()), ..Match::default() };
        fault.times = Some(1);
        office.sandbox.engine().set_fault(fault).map_err(told)?;
    }
    Ok(())
}

async fn order(office: &Office, fee_id: &str, by_wechat: bool) -> Result<Value, OfficeError> {
    let (merchant, product) = if by_wechat { (WECHAT, "native") } else { (ALIPAY, "precreate") };
    let body = json!({"merchant_id": merchant, "product": product, "fee_ids": [fee_id]});
    expect(office.post("/v1/orders", &body).await?, &[201, 202], "placing an order")
}

async fn refund(
    office: &Office,
    order_id: &str,
    amount_fen: i64,
    lose_answer: bool,
) -> Result<(), OfficeError> {
    if lose_answer {
        let mut fault = Fault::new(Place::Answer, Action::DropAfterCommit);
        fault.operation = Some(Operation::Refund);
        fault.times = Some(1);
        office.sandbox.engine().set_fault(fault).map_err(told)?;
    }
    let body = json!({"amount_fen": amount_fen, "reason": "申请人撤回申请"});
    let path = format!("/v1/orders/{order_id}/refunds");
    expect(office.post(&path, &body).await?, &[201, 202], "asking for a refund")?;
    office.pass(FINDING).await?;
    office.pass(REFUNDING).await
}

/// Plants the errors in the bills: a row missing, a row changed, a row too many.
///
/// # Errors
/// When the sandbox does not take a fault.
pub(super) fn plant(office: &Office, day: &[Lived]) -> Result<Vec<Planted>, OfficeError> {
    let mut planted = Vec::new();
    let engine = office.sandbox.engine();
    for lived in day {
        let Some(number) = lived.out_trade_no.clone() else { continue };
        let (action, kind) = match lived.case.fate {
            Fate::MissingInBill => (Action::MissingRow, "only_in_hub"),
            Fate::ChangedInBill => (Action::ChangedRow, "amount_differs"),
            Fate::Paid
            | Fate::Zero
            | Fate::Unpaid
            | Fate::LostCallback
            | Fate::DuplicateCallback
            | Fate::LostAnswer
            | Fate::OtherWallet
            | Fate::Refunded
            | Fate::RefundedInPart => continue,
        };
        let mut fault = Fault::new(Place::Bill, action);
        fault.of = Match { out_trade_no: Some(number.clone()), ..Match::default() };
        engine.set_fault(fault).map_err(told)?;
        planted.push(Planted { kind, out_trade_no: number });
    }
    let mut fault = Fault::new(Place::Bill, Action::ExtraRow);
    let number = "PEXTRA00000000000000000000000001".to_owned();
    fault.of = Match {
        out_trade_no: Some(number.clone()),
        merchant: Some("1900000001".to_owned()),
        ..Match::default()
    };
    fault.amount_delta_fen = Some(8000);
    engine.set_fault(fault).map_err(told)?;
    planted.push(Planted { kind: "only_in_bill", out_trade_no: number });
    Ok(planted)
}

/// Counts how the cases went, for the summary.
#[must_use]
pub(super) fn by_fate(day: &[Lived]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for lived in day {
        let count: &mut usize = counts.entry(lived.case.fate.label()).or_default();
        *count = count.saturating_add(1);
    }
    counts
}

fn progress(office: &Office, lived: &Lived) {
    let time = super::time_of_day(office.hub.clock.now());
    let wallet = if lived.case.by_wechat { "微信支付" } else { "支付宝  " };
    let name = domain::personal::Personal::new(lived.case.name.clone()).masked_name();
    let yuan = domain::Fen::new(lived.total_fen).yuan();
    terminal::say(format_args!(
        "{time}  {}  {name}\t{}\t{yuan:>8}  {}  {}",
        lived.case.case_no,
        lived.case.what,
        if lived.total_fen > 0 { wallet } else { "－      " },
        lived.case.fate.label()
    ));
}

fn half(fen: i64) -> i64 {
    fen.div_euclid(2)
}

fn text(value: &Value, name: &str) -> Result<String, OfficeError> {
    value
        .get(name)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| OfficeError(format!("the hub answered without `{name}`")))
}

fn expect(answer: (u16, Value), good: &[u16], what: &str) -> Result<Value, OfficeError> {
    let (status, body) = answer;
    if good.contains(&status) {
        return Ok(body);
    }
    let detail = body.get("detail").and_then(Value::as_str).unwrap_or("no detail");
    Err(OfficeError(format!("{what}: the hub answered {status}: {detail}")))
}
