//! WeChat Pay `APIv3`: orders of every product, service providers, combined orders, refunds, bills,
//! certificates, signed answers and sealed callbacks.

mod abnormal;
mod bill;
mod certificates;
mod combined;
mod fields;
mod manners;
mod notify;
mod orders;
mod product;
mod refunds;
mod refusal;
mod route;
mod standing;
mod verify;

use adapters::keys::SigningKey;
use domain::time::business_day;
use jiff::Timestamp;
use serde_json::Value;

pub(crate) use bill::bill_file;
pub(crate) use notify::{announce_combined, announce_payment, seal};
pub(crate) use refunds::{coupon_share, portal_refund};

use crate::engine::World;
use crate::faults::{Action, Fault, Place, Subject};
use crate::message::{Fate, Received, Reply};
use crate::random::Random;
use crate::verdict::Proof;
use refusal::Refusal;
use route::Route;

/// A key id that no merchant has.
const UNKNOWN_KEY_ID: &str = "PUB_KEY_ID_9999999999999999999999999999";

/// What a call that was executed answers.
enum Done {
    /// 200 with JSON, signed.
    Json(Value),
    /// 204, signed.
    Empty,
    /// 200 with a file, unsigned.
    File(Vec<u8>),
}

/// What a call has in hand.
struct Asked<'a> {
    mchid: &'a str,
    now: Timestamp,
    request: &'a Received,
    action: Option<Action>,
}

impl Asked<'_> {
    /// The key that the request names: it encrypted with it, and wants the answer under it.
    fn serial(&self) -> Option<&str> {
        self.request.header("wechatpay-serial")
    }
}

/// Answers a request as WeChat Pay does.
pub(crate) fn answer(world: &mut World, now: Timestamp, request: &Received) -> Reply {
    manners::look(world, now, request);
    let mchid = match verify::verify(&world.keys, now, request) {
        Ok(merchant) => merchant.config.mchid.clone(),
        Err(refusal) => {
            world.verdicts.signature(verify::proof(request, &refusal));
            return refusal.reply();
        }
    };
    world.verdicts.signature(Proof::Ok);
    let Some(route) = Route::of(request) else {
        return Reply::new(404, "application/json", "");
    };
    let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let (out_trade_no, out_refund_no) = route.numbers(&body);
    let subject = Subject {
        merchant: &mchid,
        out_trade_no: out_trade_no.as_deref(),
        out_refund_no: out_refund_no.as_deref(),
        date: Some(business_day(now)),
        phone: None,
    };
    let fault = world.strike(Place::Answer, route.operation(), &subject);
    let action = fault.as_ref().map(|fault| fault.action);
    if let Some(reply) = action.and_then(instead) {
        return reply;
    }
    let asked = Asked { mchid: &mchid, now, request, action };
    let done = execute(world, &asked, &route);
    let signer = world.keys.wechat(&mchid).and_then(|merchant| merchant.signer(asked.serial()));
    let reply = match (done, signer) {
        (Ok(done), Some(signer)) => {
            let (id, key) = (signer.id.clone(), signer.signing.clone());
            done.reply(&id, &key, now, &mut world.chance, action)
        }
        (Err(refusal), _) => {
            manners::refused(world, &refusal);
            refusal.reply()
        }
        (Ok(_), None) => Refusal::new(500, "SYSTEM_ERROR", "系统错误").reply(),
    };
    on_its_way(reply, fault.as_ref())
}

/// What is answered without executing anything.
fn instead(action: Action) -> Option<Reply> {
    if action == Action::Drop {
        Some(Reply::cut())
    } else if action == Action::Status500 {
        Some(Refusal::new(500, "SYSTEM_ERROR", "系统错误").reply())
    } else if action == Action::Status429 {
        Some(Refusal::new(429, "FREQUENCY_LIMITED", "频率超限").reply())
    } else {
        None
    }
}

/// What becomes of an answer once it is made.
pub(crate) fn on_its_way(mut reply: Reply, fault: Option<&Fault>) -> Reply {
    let Some(fault) = fault else { return reply };
    if fault.action == Action::DropAfterCommit {
        reply = Reply::cut();
    } else if fault.action == Action::Garbage {
        reply = Reply::garbage();
    } else if fault.action == Action::Delay {
        let millis = u64::from(fault.delay().min(120)).saturating_mul(1000);
        reply.fate = Fate::ArrivesAfter(millis);
    } else if fault.action == Action::Corrupt {
        corrupt(&mut reply.body);
    }
    reply
}

/// Changes one byte in the middle, so that the text stays as long and mostly readable.
pub(crate) fn corrupt(body: &mut [u8]) {
    let middle = body.len().div_euclid(2);
    if let Some(byte) = body.get_mut(middle) {
        *byte = if *byte == b'7' { b'3' } else { b'7' };
    }
}

fn execute(world: &mut World, asked: &Asked<'_>, route: &Route) -> Result<Done, Refusal> {
    if asked.action == Some(Action::Absent) {
        return Err(Refusal::no_order());
    }
    match route {
        Route::Place(product, side) => orders::place(world, asked, *product, *side).map(Done::Json),
        Route::QueryByNo(no, side) => {
            standing::query_by_no(world, asked, no, *side).map(Done::Json)
        }
        Route::QueryById(id, side) => {
            standing::query_by_id(world, asked, id, *side).map(Done::Json)
        }
        Route::Close(no, side) => standing::close(world, asked, no, *side).map(|()| Done::Empty),
        Route::Combine(product) => combined::place(world, asked, *product).map(Done::Json),
        Route::QueryCombined(no) => combined::query(world, asked, no).map(Done::Json),
        Route::CloseCombined(no) => combined::close(world, asked, no).map(|()| Done::Empty),
        Route::Refund => refunds::refund(world, asked).map(Done::Json),
        Route::QueryRefund(no) => refunds::query(world, asked, no).map(Done::Json),
        Route::Abnormal(id) => abnormal::redirect(world, asked, id).map(Done::Json),
        Route::TradeBill => bill::trade(world, asked).map(Done::Json),
        Route::FundFlowBill => bill::fund_flow(world, asked).map(Done::Json),
        Route::Download => bill::fetch(world, asked).map(Done::File),
        Route::Certificates => certificates::list(world, asked).map(Done::Json),
    }
}

impl Done {
    fn reply(
        self,
        key_id: &str,
        key: &SigningKey,
        now: Timestamp,
        chance: &mut Random,
        action: Option<Action>,
    ) -> Reply {
        let mut reply = match self {
            Self::Json(value) => Reply::json(200, &value),
            Self::Empty => {
                Reply { status: 204, headers: Vec::new(), body: Vec::new(), fate: Fate::Arrives }
            }
            Self::File(bytes) => return Reply::new(200, "application/octet-stream", bytes),
        };
        reply.headers.append(&mut signature(key_id, key, now, &reply.body, chance, action));
        reply.headers.push(("Request-ID", format!("08{}", chance.digits(20))));
        reply
    }
}

/// The `Wechatpay-*` headers over a body, as they are or as a fault makes them.
fn signature(
    key_id: &str,
    key: &SigningKey,
    now: Timestamp,
    body: &[u8],
    chance: &mut Random,
    action: Option<Action>,
) -> Vec<(&'static str, String)> {
    let timestamp = now.as_second().to_string();
    let nonce = chance.nonce(32);
    let mut message = format!("{timestamp}\n{nonce}\n").into_bytes();
    if action == Some(Action::WrongSignature) {
        message.push(b' ');
    }
    message.extend_from_slice(body);
    message.push(b'\n');
    let mut signature = key.sign(&message).unwrap_or_default();
    if action == Some(Action::SignTest) {
        signature = format!("WECHATPAY/SIGNTEST/{signature}");
    }
    let unknown = action == Some(Action::UnknownSerial);
    vec![
        ("Wechatpay-Nonce", nonce),
        ("Wechatpay-Serial", if unknown { UNKNOWN_KEY_ID } else { key_id }.to_owned()),
        ("Wechatpay-Signature", signature),
        ("Wechatpay-Signature-Type", "WECHATPAY2-SHA256-RSA2048".to_owned()),
        ("Wechatpay-Timestamp", timestamp),
    ]
}
