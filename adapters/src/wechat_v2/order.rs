//! The business calls about orders. Their bodies hold business fields only; they are stored and
//! repeated byte for byte, so nothing in here may depend on anything but its arguments.

use std::net::IpAddr;

use domain::ids::OutTradeNo;
use domain::money::Fen;
use domain::time::beijing;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::xml::{self, Fields};
use super::{CLOSE, MICROPAY, ORDER_QUERY, PLACE, Parties, REVERSE};
use crate::limits::{self, Length, broken};
use crate::provider::{LimitError, NewOrder, OrderKey, Product};
use crate::wire::{Call, Method};

/// Marks that WeChat takes in an order's number; a refund's may hold `@` too.
const ORDER_MARKS: &str = "_-|*";
/// The least time that an order must stay payable.
const SHORTEST_LIFE: SignedDuration = SignedDuration::from_mins(1);
/// Stands for the payer's address where the hub does not know it: nothing hangs on it but in a
/// phone's browser, where it must be given.
const NO_ADDRESS: &str = "127.0.0.1";
/// Where the payer's browser goes afterwards: joined to the answer's address, never sent.
pub(super) const REDIRECT_URL: &str = "redirect_url";

/// `POST /pay/unifiedorder`, or `/pay/micropay` at the counter.
pub(super) fn place(
    parties: &Parties,
    has_client_identity: bool,
    order: &NewOrder<'_>,
) -> Result<Call, LimitError> {
    let trade_type = match order.product {
        Product::Native => "NATIVE",
        Product::Jsapi => "JSAPI",
        Product::H5 => "MWEB",
        Product::App => "APP",
        Product::Codepay => return micropay(parties, has_client_identity, order),
        Product::Precreate | Product::Page | Product::Wap | Product::Create | Product::Pay => {
            let name = order.product.as_str();
            return Err(broken("product", format!("{name} is not WeChat Pay's")));
        }
    };
    let mut fields = common(parties, order)?;
    limits::notify_url(order.notify_url, 256)?;
    if order.expires_at.duration_since(order.now) < SHORTEST_LIFE {
        return Err(broken("expires_in_s", "must end at least 1 minute from now"));
    }
    fields.set("trade_type", trade_type);
    fields.set("notify_url", order.notify_url);
    fields.set("time_start", compact(order.now));
    fields.set("time_expire", compact(order.expires_at));
    let mut parameters = Vec::new();
    match order.product {
        Product::Native => fields.set("product_id", order.out_trade_no.as_str()),
        Product::Jsapi => fields.set(payer_field(parties), payer(order)?),
        Product::H5 => {
            if order.client_ip.is_none() {
                return Err(broken("payer.client_ip", "must be given for a phone's browser"));
            }
            fields.set("scene_info", scene(order)?);
            if let Some(url) = order.return_url {
                parameters.push((REDIRECT_URL.to_owned(), url.to_owned()));
            }
        }
        Product::App
        | Product::Codepay
        | Product::Precreate
        | Product::Page
        | Product::Wap
        | Product::Create
        | Product::Pay => {}
    }
    Ok(Call { parameters, ..post(PLACE, &fields) })
}

/// What the counter sends with the payer's barcode. It has no notice and no expiry: whoever asks
/// follows it with queries and takes it back, which needs the merchant's certificate.
fn micropay(
    parties: &Parties,
    has_client_identity: bool,
    order: &NewOrder<'_>,
) -> Result<Call, LimitError> {
    if !has_client_identity {
        return Err(broken("client_identity", "must be configured: codepay is taken back with it"));
    }
    let mut fields = common(parties, order)?;
    let code = order.auth_code.map(domain::personal::Personal::clear).unwrap_or_default();
    let begins = ["10", "11", "12", "13", "14", "15"].iter().any(|start| code.starts_with(start));
    if code.len() != 18 || !code.bytes().all(|b| b.is_ascii_digit()) || !begins {
        return Err(broken("auth_code", "18 digits that begin with 10 to 15"));
    }
    fields.set("auth_code", code);
    Ok(post(MICROPAY, &fields))
}

fn common(parties: &Parties, order: &NewOrder<'_>) -> Result<Fields, LimitError> {
    limits::number("out_trade_no", order.out_trade_no.as_str(), (1, 32), ORDER_MARKS)?;
    limits::text("subject", order.subject, Length::Bytes(127))?;
    payable("amount_fen", order.amount)?;
    if order.identity.is_some() {
        return Err(broken("payer.identity", "v2 cannot ask for the payer's identity; use APIv3"));
    }
    let address = order.client_ip.unwrap_or(NO_ADDRESS);
    if address.parse::<IpAddr>().is_err() {
        return Err(broken("payer.client_ip", "must be an IP address"));
    }
    let mut fields = parties.fields();
    fields.set("body", order.subject);
    fields.set("out_trade_no", order.out_trade_no.as_str());
    fields.set("total_fee", order.amount.get().to_string());
    fields.set("spbill_create_ip", address);
    Ok(fields)
}

/// By which name the payer is called: below the application that knows them.
fn payer_field(parties: &Parties) -> &'static str {
    if parties.sub_appid().is_some() { "sub_openid" } else { "openid" }
}

fn payer<'a>(order: &NewOrder<'a>) -> Result<&'a str, LimitError> {
    let openid = order.payer.map(domain::personal::Personal::clear).unwrap_or_default();
    if openid.is_empty() || openid.len() > 128 || !openid.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(broken("payer.openid", "must be an openid of 1 to 128 letters"));
    }
    Ok(openid)
}

/// From which page the payer comes; WeChat compares its domain with the merchant's registered one.
fn scene(order: &NewOrder<'_>) -> Result<String, LimitError> {
    let url = limits::return_url(order.return_url.unwrap_or(order.notify_url))?;
    let wap_url = url.origin().ascii_serialization();
    let scene = json!({"h5_info": {"type": "Wap", "wap_url": wap_url, "wap_name": "缴费"}});
    let scene = scene.to_string();
    if scene.len() > 256 {
        return Err(broken("return_url", "its host is too long"));
    }
    Ok(scene)
}

/// `POST /pay/orderquery`.
pub(super) fn query(parties: &Parties, key: &OrderKey<'_>) -> Call {
    let mut fields = parties.fields();
    match key.provider_trade_no {
        Some(number) => fields.set("transaction_id", number.as_str()),
        None => fields.set("out_trade_no", key.out_trade_no.as_str()),
    }
    post(ORDER_QUERY, &fields)
}

/// `POST /pay/closeorder`; at the counter `/secapi/pay/reverse`, which also gives money back.
pub(super) fn close(parties: &Parties, out_trade_no: &OutTradeNo, product: Product) -> Call {
    let mut fields = parties.fields();
    fields.set("out_trade_no", out_trade_no.as_str());
    let target = if product.is_at_counter() { REVERSE } else { CLOSE };
    post(target, &fields)
}

pub(super) fn payable(field: &'static str, amount: Fen) -> Result<(), LimitError> {
    if amount.is_payable() {
        return Ok(());
    }
    Err(broken(field, "1 to 10000000000 fen"))
}

/// `yyyyMMddHHmmss` in Beijing.
fn compact(at: Timestamp) -> String {
    beijing(at).strftime("%Y%m%d%H%M%S").to_string()
}

pub(super) fn post(target: &str, fields: &Fields) -> Call {
    Call {
        method: Method::Post,
        target: target.to_owned(),
        body: xml::write(fields),
        parameters: Vec::new(),
    }
}
