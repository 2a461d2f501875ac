//! Alipay's `OpenAPI`: trades in every way to pay, refunds, bills, certificates; answers signed over
//! the node as it stands, notices signed over their fields.

mod archive;
mod bill;
mod cashier;
pub(crate) mod certificates;
pub(crate) mod content;
mod counter;
mod deviations;
mod method;
mod node;
mod notify;
mod offers;
mod order;
mod refunds;
mod request;
mod trades;
mod verify;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::time::business_day;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

pub(crate) use bill::download;
pub(crate) use cashier::{app_pay, press};
pub(crate) use notify::{announce_payment, seal};
pub(crate) use refunds::portal_refund;

use crate::engine::World;
use crate::faults::{Action, Fault, Operation, Place, Subject};
use crate::keys::Alipay;
use crate::message::{Received, Reply};
use crate::wechat::{corrupt, on_its_way};
use method::Method;
use node::{Business, Style, gateway_refusal};
use request::Request;

/// Answers a request as Alipay's gateway does: a method with JSON, a page with HTML.
pub(crate) fn answer(world: &mut World, now: Timestamp, received: &Received) -> Reply {
    let parameters = match verify::gather(received) {
        Ok(parameters) => parameters,
        Err(refusal) => return gateway_refusal(&refusal),
    };
    let named = parameters.get("method").map(String::as_str).unwrap_or_default();
    world.verdicts.call(named.chars().take(64).collect::<String>());
    deviations::of_parameters(&mut world.verdicts, received, &parameters, now);
    let paged = Method::of(named).is_some_and(Method::is_page);
    let told = |refusal: &Business| {
        if paged { cashier::refused(refusal) } else { gateway_refusal(refusal) }
    };
    let (method, app) = match proved(world, now, &parameters) {
        Ok(proved) => proved,
        Err(refusal) => return told(&refusal),
    };
    if method == Method::AppPay {
        // The wallet's kit takes it, never the gateway.
        return told(&Business::invalid("isv.invalid-method", "不存在的方法名"));
    }
    match Request::read(app, method, &parameters, now) {
        Ok(request) => handled(world, request),
        Err(refusal) if refusal == Business::no_token() && !paged => {
            // Refused behind the gateway, and so signed.
            let style = Style { sealed: false, sign_first: false, action: None };
            node::signed(method.name(), &Err(refusal), app, style).unwrap_or_else(Reply::cut)
        }
        Err(refusal) => told(&refusal),
    }
}

/// Whether the parameters are an application's own and name a method.
fn proved<'w>(
    world: &'w mut World,
    now: Timestamp,
    parameters: &BTreeMap<String, String>,
) -> Result<(Method, &'w Alipay), Business> {
    verify::verify(&world.keys, &mut world.verdicts, now, parameters)?;
    let get = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
    let method = Method::of(get("method"))
        .ok_or_else(|| Business::invalid("isv.invalid-method", "不存在的方法名"))?;
    let app = world.keys.alipay(get("app_id"));
    let app = app.ok_or_else(|| Business::invalid("isv.invalid-app-id", "无效的AppID参数"))?;
    Ok((method, app))
}

/// Executes a request that was read, with whatever fault strikes it.
fn handled(world: &mut World, mut request: Request<'_>) -> Reply {
    deviations::of_content(&mut world.verdicts, request.method, &request.content);
    let (out_trade_no, out_refund_no) =
        (request.text("out_trade_no"), request.text("out_request_no"));
    let subject = Subject {
        merchant: request.app_id,
        out_trade_no: out_trade_no.as_deref(),
        out_refund_no: out_refund_no.as_deref(),
        date: Some(business_day(request.now)),
        phone: None,
    };
    let mut operation = request.method.operation();
    let is_fund_bill = request.text("bill_type").as_deref() == Some("signcustomer");
    if operation == Operation::Bill && is_fund_bill {
        operation = Operation::FundBill;
    }
    let fault = world.strike(Place::Answer, operation, &subject);
    request.action = fault.as_ref().map(|fault| fault.action);
    if request.method.is_page() {
        return on_its_way(before_the_cashier(world, &request), fault.as_ref());
    }
    if let Some(reply) = request.action.and_then(instead) {
        return reply;
    }
    let done = execute(world, &request);
    written(world, &request, &done, fault.as_ref())
}

fn before_the_cashier(world: &mut World, request: &Request<'_>) -> Reply {
    if matches!(request.action, Some(Action::Drop)) {
        return Reply::cut();
    }
    if matches!(request.action, Some(Action::Status500 | Action::Status429)) {
        return cashier::refused(&Business::unavailable());
    }
    let filed = offers::cashier(world, request);
    match filed.map(|key| world.book.orders.get(&key)) {
        Ok(Some(order)) => cashier::shown(order),
        Ok(None) => cashier::refused(&Business::no_trade()),
        Err(refusal) => cashier::refused(&refusal),
    }
}

/// Signs an answer, or spoils it as the fault says.
fn written(
    world: &World,
    request: &Request<'_>,
    done: &Result<Map<String, Value>, Business>,
    fault: Option<&Fault>,
) -> Reply {
    let Some(app) = world.keys.alipay(request.app_id) else { return Reply::cut() };
    let name = request.method.name();
    let style =
        Style { sealed: request.sealed, sign_first: app.config.sign_first, action: request.action };
    let Some(mut reply) = node::signed(name, done, app, style) else { return Reply::cut() };
    if request.action == Some(Action::Corrupt) {
        corrupt_node(&mut reply.body);
        return reply;
    }
    on_its_way(reply, fault)
}

/// Changes a byte of the node's beginning: what stands beside the node is not signed.
fn corrupt_node(body: &mut [u8]) {
    const MARK: &[u8] = b"_response\":";
    let found = body.windows(MARK.len()).position(|part| part == MARK).unwrap_or_default();
    let start = found.saturating_add(MARK.len());
    corrupt(body.get_mut(start..start.saturating_add(20)).unwrap_or_default());
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

fn execute(world: &mut World, request: &Request<'_>) -> Result<Map<String, Value>, Business> {
    if request.action == Some(Action::Absent) {
        return Err(Business::no_trade());
    }
    match request.method {
        Method::Precreate => offers::precreate(world, request),
        Method::Create => offers::create(world, request),
        Method::Pay => counter::pay(world, request),
        Method::Query => trades::query(world, request),
        Method::Close => trades::close(world, request),
        Method::Cancel => counter::cancel(world, request),
        Method::Refund => refunds::refund(world, request),
        Method::RefundQuery => refunds::query(world, request),
        Method::BillAddress => bill::address(world, request),
        Method::Certificate => certificate(world, request),
        Method::PagePay | Method::WapPay | Method::AppPay => {
            Err(Business::invalid("isv.invalid-method", "不存在的方法名"))
        }
    }
}

/// `alipay.open.app.alipaycert.download`: a certificate of Alipay's by its number.
fn certificate(world: &World, request: &Request<'_>) -> Result<Map<String, Value>, Business> {
    let sn = request
        .text("alipay_cert_sn")
        .ok_or_else(|| Business::parameter("缺少参数alipay_cert_sn"))?;
    let known = world.keys.alipay(request.app_id).and_then(|app| app.certificates.as_ref());
    let issued = known
        .and_then(|certificates| certificates.of_alipay(&sn))
        .ok_or_else(|| Business::failed("isv.alipay-cert-not-exist", "支付宝公钥证书不存在"))?;
    Ok(trades::fields(&json!({"alipay_cert_content": STANDARD.encode(&issued.pem)})))
}
