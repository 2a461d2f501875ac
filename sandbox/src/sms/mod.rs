//! The SMS vendor, with Aliyun's interface: `SendSms`, `QuerySendDetails`, receipts.

mod send;
mod verify;

use std::collections::BTreeMap;

use domain::time::business_day;
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) use send::seal;

use crate::engine::World;
use crate::faults::{Action, Fault, Operation, Place, Subject};
use crate::message::{Received, Reply};
use crate::verdict::Proof;
use crate::wechat::on_its_way;

/// A refusal: HTTP status, code, message. Business refusals come as 200.
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }
}

/// Answers a request as the vendor does.
pub(crate) fn answer(world: &mut World, now: Timestamp, request: &Received) -> Reply {
    let request_id = uuid_like(world);
    match handle(world, now, request, &request_id) {
        Ok(reply) => reply,
        Err(refusal) => {
            let body = json!({
                "Code": refusal.code, "Message": refusal.message, "RequestId": request_id,
            });
            Reply::json(refusal.status, &body)
        }
    }
}

fn handle(
    world: &mut World,
    now: Timestamp,
    request: &Received,
    request_id: &str,
) -> Result<Reply, Refusal> {
    let verified = verify::verify(&world.keys, &mut world.book.nonces, now, request);
    world.verdicts.call(request.header("x-acs-action").unwrap_or_default());
    world.verdicts.signature(match &verified {
        Ok(_) => Proof::Ok,
        Err(_) if request.header("authorization").is_none() => Proof::Missing,
        Err(_) => Proof::Bad,
    });
    let account = verified?;
    let parameters = parameters(request);
    let operation = match request.header("x-acs-action") {
        Some("SendSms") => Operation::Send,
        Some("QuerySendDetails") => Operation::QuerySend,
        _ => {
            let text = "Specified api is not found, please check your url and method.";
            return Err(Refusal::new(404, "InvalidAction.NotFound", text));
        }
    };
    if request.header("x-acs-version") != Some("2017-05-25") {
        return Err(Refusal::new(
            400,
            "InvalidVersion",
            "Specified parameter Version is not valid.",
        ));
    }
    let phone = parameters
        .get(if operation == Operation::Send { "PhoneNumbers" } else { "PhoneNumber" })
        .cloned()
        .unwrap_or_default();
    let subject = Subject {
        merchant: &account,
        out_trade_no: None,
        out_refund_no: None,
        date: Some(business_day(now)),
        phone: Some(&phone),
    };
    let fault = world
        .strike(Place::Sms, operation, &subject)
        .or_else(|| world.strike(Place::Answer, operation, &subject));
    if let Some(fault) = &fault
        && let Some(outcome) = instead(fault)
    {
        return outcome;
    }
    let body = if operation == Operation::Send {
        send::send(world, now, &account, &parameters, fault.as_ref(), request_id)?
    } else {
        send::query(world, now, &account, &parameters, request_id)?
    };
    Ok(on_its_way(Reply::json(200, &body), fault.as_ref()))
}

/// What is answered without executing anything.
fn instead(fault: &Fault) -> Option<Result<Reply, Refusal>> {
    let refused = |status, code, text: &str| Some(Err(Refusal::new(status, code, text)));
    if fault.action == Action::Throttle {
        refused(200, "isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5")
    } else if fault.action == Action::NotEnough {
        refused(200, "isv.AMOUNT_NOT_ENOUGH", "账户余额不足")
    } else if fault.action == Action::Status500 {
        refused(
            500,
            "InternalError",
            "The request processing has failed due to some unknown error.",
        )
    } else if fault.action == Action::Status429 {
        refused(429, "Throttling.User", "Request was denied due to user flow control.")
    } else if fault.action == Action::Drop && fault.on == Place::Answer {
        Some(Ok(Reply::cut()))
    } else {
        None
    }
}

/// The parameters of query and form.
fn parameters(request: &Received) -> BTreeMap<String, String> {
    let query = url::form_urlencoded::parse(request.query().as_bytes());
    let is_form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let form = if is_form { request.body.as_slice() } else { &[] };
    query
        .chain(url::form_urlencoded::parse(form))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

fn uuid_like(world: &mut World) -> String {
    let chance = &mut world.chance;
    [8, 4, 4, 4, 12].map(|length| chance.hex(length).to_ascii_uppercase()).join("-")
}

/// A success with these fields.
fn ok(request_id: &str, more: &[(&str, Value)]) -> Value {
    let mut body = json!({"Message": "OK", "RequestId": request_id, "Code": "OK"});
    if let Some(fields) = body.as_object_mut() {
        fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    }
    body
}
