//! Alipay's `OpenAPI`: precreated trades, refunds, bills; answers signed over the node as it stands,
//! notices signed over their fields.

mod archive;
mod bill;
mod node;
mod notify;
mod refunds;
mod trades;
mod verify;

use domain::time::business_day;
use jiff::Timestamp;
use serde_json::{Map, Value};

pub(crate) use bill::download;
pub(crate) use notify::{announce_payment, seal};
pub(crate) use refunds::portal_refund;

use crate::engine::World;
use crate::faults::{Action, Operation, Place, Subject};
use crate::message::{Received, Reply};
use crate::wechat::{corrupt, on_its_way};
use node::{Business, gateway_refusal};

/// A method of the gateway.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Method {
    Precreate,
    Query,
    Close,
    Refund,
    RefundQuery,
    BillAddress,
}

impl Method {
    fn of(name: &str) -> Option<Self> {
        match name {
            "alipay.trade.precreate" => Some(Self::Precreate),
            "alipay.trade.query" => Some(Self::Query),
            "alipay.trade.close" => Some(Self::Close),
            "alipay.trade.refund" => Some(Self::Refund),
            "alipay.trade.fastpay.refund.query" => Some(Self::RefundQuery),
            "alipay.data.dataservice.bill.downloadurl.query" => Some(Self::BillAddress),
            _ => None,
        }
    }

    const fn operation(self) -> Operation {
        match self {
            Self::Precreate => Operation::Place,
            Self::Query => Operation::Query,
            Self::Close => Operation::Close,
            Self::Refund => Operation::Refund,
            Self::RefundQuery => Operation::QueryRefund,
            Self::BillAddress => Operation::Bill,
        }
    }
}

/// What a call has in hand.
struct Request<'a> {
    app_id: &'a str,
    notify_url: Option<&'a str>,
    content: Map<String, Value>,
    now: Timestamp,
    action: Option<Action>,
}

impl Request<'_> {
    /// A text of the business content; a number is taken as its digits, as the gateway does.
    fn text(&self, name: &str) -> Option<String> {
        let value = self.content.get(name)?;
        let text = match value.as_str() {
            Some(text) => text.to_owned(),
            None if value.is_number() => value.to_string(),
            None => return None,
        };
        (!text.is_empty()).then_some(text)
    }
}

/// Answers a request as Alipay's gateway does.
pub(crate) fn answer(world: &mut World, now: Timestamp, received: &Received) -> Reply {
    let parameters = match verify::verify(&world.keys, now, received) {
        Ok(parameters) => parameters,
        Err(refusal) => return gateway_refusal(&refusal),
    };
    let parameter = |name: &str| parameters.get(name).map(String::as_str);
    let (app_id, name) =
        (parameter("app_id").unwrap_or_default(), parameter("method").unwrap_or_default());
    let Some(method) = Method::of(name) else {
        return gateway_refusal(&Business::invalid("isv.invalid-method", "不存在的方法名"));
    };
    let text = parameter("biz_content").unwrap_or("{}");
    let Ok(content) = serde_json::from_str::<Map<String, Value>>(text) else {
        return gateway_refusal(&Business::invalid(
            "isv.invalid-json",
            "biz_content不是合法的JSON",
        ));
    };
    let mut request =
        Request { app_id, notify_url: parameter("notify_url"), content, now, action: None };
    let (out_trade_no, out_refund_no) =
        (request.text("out_trade_no"), request.text("out_request_no"));
    let subject = Subject {
        merchant: app_id,
        out_trade_no: out_trade_no.as_deref(),
        out_refund_no: out_refund_no.as_deref(),
        date: Some(business_day(now)),
        phone: None,
    };
    let fault = world.strike(Place::Answer, method.operation(), &subject);
    request.action = fault.as_ref().map(|fault| fault.action);
    if let Some(reply) = request.action.and_then(instead) {
        return reply;
    }
    let done = execute(world, method, &request);
    let Some(app) = world.keys.alipay(app_id) else { return Reply::cut() };
    let mut reply = node::signed(name, &done, &app.platform.signing, request.action);
    if request.action == Some(Action::Corrupt) {
        corrupt(&mut reply.body);
        return reply;
    }
    reply = on_its_way(reply, fault.as_ref());
    reply
}

/// What is answered without executing anything.
fn instead(action: Action) -> Option<Reply> {
    if action == Action::Drop {
        Some(Reply::cut())
    } else if action == Action::Status500 {
        Some(gateway_refusal(&Business::unavailable()))
    } else if action == Action::Status429 {
        Some(gateway_refusal(&Business {
            code: "40005",
            msg: "Call Limited",
            sub_code: "isv.app-call-limited",
            sub_msg: "应用调用次数超限".to_owned(),
        }))
    } else {
        None
    }
}

fn execute(
    world: &mut World,
    method: Method,
    request: &Request<'_>,
) -> Result<Map<String, Value>, Business> {
    match method {
        Method::Precreate => trades::precreate(world, request),
        Method::Query => trades::query(world, request),
        Method::Close => trades::close(world, request),
        Method::Refund => refunds::refund(world, request),
        Method::RefundQuery => refunds::query(world, request),
        Method::BillAddress => bill::address(world, request),
    }
}
