//! WeChat Pay's old interface (v2): flat XML signed with the merchant's key, over the same orders,
//! refunds and bills as `APIv3`. Of the client certificate that it wants for refunds and reversals
//! nothing can be seen here, over plain HTTP.

mod asked;
mod bill;
mod counter;
mod notify;
mod orders;
mod refunds;
mod refusal;
mod route;
mod sign;
mod slip;
mod xml;

use domain::time::business_day;
use jiff::Timestamp;

pub(crate) use notify::{TAKEN, announce_payment, announce_refund, probe, seal};
pub(crate) use sign::SignType;
pub(crate) use slip::Slip;
pub(crate) use xml::Fields;

use crate::engine::World;
use crate::faults::{Action, Place, Subject};
use crate::message::{Received, Reply};
use crate::state::Sub;
use crate::wechat::on_its_way;
use asked::Asked;
use refusal::Refusal;
use route::Route;

/// What a call that was executed answers.
enum Done {
    /// XML, signed.
    Fields(Fields),
    /// A file.
    File(Vec<u8>),
}

/// Answers a request as the old interface does.
pub(crate) fn answer(world: &mut World, now: Timestamp, request: &Received) -> Reply {
    let Some(route) = Route::of(request.path()) else { return Reply::new(404, "text/plain", "") };
    let mut asked = match asked::read(world, now, route, request) {
        Ok(asked) => asked,
        Err(refusal) => return unsigned(refusal),
    };
    let subject = Subject {
        merchant: &asked.mchid,
        out_trade_no: asked.get("out_trade_no"),
        out_refund_no: asked.get("out_refund_no"),
        date: Some(business_day(now)),
        phone: None,
    };
    let fault = world.strike(Place::Answer, route.operation(), &subject);
    asked.action = fault.as_ref().map(|fault| fault.action);
    if asked.action == Some(Action::Drop) {
        return Reply::cut();
    }
    let done = match instead(asked.action) {
        Some(refusal) => Err(refusal),
        None => asked::check(world, &mut asked).and_then(|()| execute(world, &asked)),
    };
    let reply = match done {
        Ok(Done::File(bytes)) => Reply::new(200, "text/plain", bytes),
        Ok(Done::Fields(mut fields)) => {
            for (name, value) in [("return_code", "SUCCESS"), ("return_msg", "OK")] {
                fields.insert(name.to_owned(), value.to_owned());
            }
            fields.insert("result_code".to_owned(), "SUCCESS".to_owned());
            signed(world, &asked, fields)
        }
        Err(refusal) => match refusal.fields() {
            (fields, true) => signed(world, &asked, fields),
            (fields, false) => document(xml::written("xml", &fields)),
        },
    };
    on_its_way(reply, fault.as_ref())
}

/// What is answered without executing anything.
fn instead(action: Option<Action>) -> Option<Refusal> {
    if action == Some(Action::Status500) {
        Some(Refusal::new("SYSTEMERROR", "系统异常，请用相同参数重新调用"))
    } else if action == Some(Action::Status429) {
        Some(Refusal::new("FREQUENCY_LIMITED", "频率限制"))
    } else {
        None
    }
}

fn execute(world: &mut World, asked: &Asked) -> Result<Done, Refusal> {
    if asked.action == Some(Action::Absent) {
        return Err(Refusal::no_order());
    }
    match asked.route {
        Route::UnifiedOrder => orders::place(world, asked).map(Done::Fields),
        Route::OrderQuery => orders::query(world, asked).map(Done::Fields),
        Route::CloseOrder => orders::close(world, asked).map(Done::Fields),
        Route::Micropay => counter::pay(world, asked).map(Done::Fields),
        Route::Reverse => counter::reverse(world, asked).map(Done::Fields),
        Route::Refund => refunds::refund(world, asked).map(Done::Fields),
        Route::RefundQuery => refunds::query(world, asked).map(Done::Fields),
        Route::DownloadBill => bill::trade(world, asked).map(Done::File),
        Route::DownloadFundFlow => bill::fund_flow(world, asked).map(Done::File),
    }
}

/// An answer to a merchant that is known: under its key and the request's algorithm.
fn signed(world: &mut World, asked: &Asked, mut fields: Fields) -> Reply {
    fields.insert("appid".to_owned(), asked.appid.clone());
    fields.insert("mch_id".to_owned(), asked.mchid.clone());
    fields.extend(behalf(asked.sub.as_ref()));
    fields.insert("nonce_str".to_owned(), world.chance.nonce(32));
    let wrong = matches!(asked.action, Some(Action::WrongSignature | Action::UnknownSerial));
    let key = if wrong { notify::wrong_key(&asked.api_key) } else { asked.api_key.clone() };
    document(notify::finished(fields, &key, Some(asked.sign_type)))
}

/// How it is said on whose behalf.
fn behalf(sub: Option<&Sub>) -> Fields {
    let mut fields = Fields::new();
    if let Some(sub) = sub {
        fields.insert("sub_mch_id".to_owned(), sub.mchid.clone());
        fields.extend(sub.appid.clone().map(|appid| ("sub_appid".to_owned(), appid)));
    }
    fields
}

fn unsigned(refusal: Refusal) -> Reply {
    document(xml::written("xml", &refusal.fields().0))
}

fn document(text: String) -> Reply {
    Reply::new(200, "text/plain; charset=utf-8", text)
}
