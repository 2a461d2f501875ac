//! Everything that the sandbox knows, as plain data in a stable order: for `GET /sandbox/state`, the
//! page, and tests that hold the hub against it.

use std::collections::BTreeMap;

use domain::Fen;
use domain::bill::Direction;
use domain::provider::Provider;
use jiff::Timestamp;
use serde::Serialize;

use super::{Engine, World};
use crate::delivery::{Attempt, Delivery, DeliveryState};
use crate::faults::{Operation, Rule};
use crate::state::{Combined, Message, Order, Refund, Standing};
use crate::verdict::Verdict;

/// The state at an instant.
#[derive(Clone, Serialize)]
pub struct Snapshot {
    /// The instant.
    pub now: Timestamp,
    /// Orders by merchant and number.
    pub orders: Vec<OrderView>,
    /// Combined orders by who combines and their number; their parts are among the orders.
    pub combined: Vec<CombinedView>,
    /// Refunds by merchant and number.
    pub refunds: Vec<RefundView>,
    /// Text messages in the order of acceptance.
    pub sms: Vec<SmsView>,
    /// Callbacks and receipts in the order of creation.
    pub callbacks: Vec<CallbackView>,
    /// Every fen that moved, by time.
    pub moves: Vec<MoveView>,
    /// The faults in force.
    pub faults: Vec<Rule>,
    /// What was thought of the newest requests, oldest first.
    pub requests: Vec<Verdict>,
    /// How often each merchant of WeChat Pay asked for certificates.
    pub certificate_requests: BTreeMap<String, u64>,
}

/// An order.
#[derive(Clone, Serialize)]
pub struct OrderView {
    /// Whose.
    pub provider: Provider,
    /// mchid or `app_id`.
    pub merchant: String,
    /// The merchant's number.
    pub out_trade_no: String,
    /// `open`, `scanned`, `expired`, `closed`, `paid`.
    pub state: &'static str,
    /// What is to be paid.
    pub amount_fen: Fen,
    /// What came in: more than the amount when two payers paid.
    pub paid_fen: Fen,
    /// What was given back or is on its way.
    pub refunded_fen: Fen,
    /// What the payer reads.
    pub subject: String,
    /// The provider's word for how it is paid.
    pub product: &'static str,
    /// On whose behalf, in service-provider mode.
    pub sub_merchant: Option<String>,
    /// The number of the combined order that it is a part of.
    pub combined: Option<String>,
    /// The text of the code, or what the payer's app is given, that is valid now.
    pub code: String,
    /// Where the provider calls back.
    pub notify_url: Option<String>,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it can no longer be paid.
    pub expires_at: Timestamp,
    /// The provider's numbers of its payments.
    pub provider_trade_nos: Vec<String>,
}

/// A combined order.
#[derive(Clone, Serialize)]
pub struct CombinedView {
    /// Who combines.
    pub merchant: String,
    /// Its number.
    pub out_trade_no: String,
    /// What all parts come to.
    pub amount_fen: Fen,
    /// The parts: payee and number.
    pub parts: Vec<(String, String)>,
    /// The text of the code, or what the payer's app is given, that is valid now.
    pub code: String,
}

/// A refund.
#[derive(Clone, Serialize)]
pub struct RefundView {
    /// Whose.
    pub provider: Provider,
    /// mchid or `app_id`.
    pub merchant: String,
    /// The order.
    pub out_trade_no: String,
    /// The refund.
    pub out_refund_no: String,
    /// The provider's number of the payment.
    pub provider_trade_no: String,
    /// How much.
    pub amount_fen: Fen,
    /// `processing`, `succeeded`, `abnormal`, `closed`.
    pub state: &'static str,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When it is or was done.
    pub done_at: Timestamp,
}

/// A text message.
#[derive(Clone, Serialize)]
pub struct SmsView {
    /// The account.
    pub access_key_id: String,
    /// The vendor's number.
    pub biz_id: String,
    /// The receiver.
    pub phone: String,
    /// The signature (短信签名).
    pub sign_name: String,
    /// The template.
    pub template_code: String,
    /// The template's values, JSON.
    pub template_param: String,
    /// The sender's own number.
    pub out_id: Option<String>,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// `sent`, `delivered`, `failed`, `lost`.
    pub state: &'static str,
}

/// A callback or receipt.
#[derive(Clone, Serialize)]
pub struct CallbackView {
    /// Its number in the sandbox.
    pub id: u64,
    /// mchid, `app_id` or access key id.
    pub merchant: String,
    /// `payment`, `refund` or `send`.
    pub operation: Operation,
    /// The order that it is about.
    pub out_trade_no: Option<String>,
    /// The refund that it is about.
    pub out_refund_no: Option<String>,
    /// Where it goes.
    pub url: String,
    /// The provider's id of the notice.
    pub event_id: String,
    /// How it stands.
    pub state: DeliveryState,
    /// When it is tried next, while it waits.
    pub due: Option<Timestamp>,
    /// Every try.
    pub attempts: Vec<Attempt>,
}

/// Money that moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MoveView {
    /// When.
    pub at: Timestamp,
    /// Which way.
    pub direction: Direction,
    /// Through whom.
    pub provider: Provider,
    /// mchid or `app_id`.
    pub merchant: String,
    /// The order.
    pub out_trade_no: String,
    /// The refund, if it is one.
    pub out_refund_no: Option<String>,
    /// The provider's number of the payment.
    pub provider_trade_no: String,
    /// How much, positive both ways.
    pub amount_fen: Fen,
    /// How much of it is a coupon of the merchant, and no money.
    pub coupon_fen: Fen,
}

impl Engine {
    /// Everything that the sandbox knows now.
    #[must_use]
    pub fn state(&self) -> Snapshot {
        let now = self.now();
        let world = self.world();
        Snapshot {
            now,
            orders: world.book.orders.values().map(|order| view(&world, order, now)).collect(),
            combined: world
                .book
                .combined
                .values()
                .map(|whole| combined_view(&world, whole))
                .collect(),
            refunds: world.book.refunds.values().map(|refund| refund_view(refund, now)).collect(),
            sms: world.book.messages.iter().map(|message| sms_view(message, now)).collect(),
            callbacks: world.outbox.deliveries.values().map(callback_view).collect(),
            moves: moves(&world, now),
            faults: world.faults.rules().to_vec(),
            requests: world.verdicts.log().cloned().collect(),
            certificate_requests: world
                .keys
                .wechat
                .iter()
                .map(|known| (known.config.mchid.clone(), known.certificate_requests))
                .collect(),
        }
    }
}

fn view(world: &World, order: &Order, now: Timestamp) -> OrderView {
    let state = if order.is_paid() {
        "paid"
    } else if order.closed_at.is_some() {
        "closed"
    } else if now >= order.expires_at {
        "expired"
    } else if order.scanned_at.is_some() {
        "scanned"
    } else {
        "open"
    };
    let paid = Fen::sum(order.payments.iter().map(|payment| payment.amount));
    OrderView {
        provider: order.provider,
        merchant: order.merchant.clone(),
        out_trade_no: order.out_trade_no.clone(),
        state,
        amount_fen: order.amount,
        paid_fen: paid.unwrap_or(Fen::ZERO),
        refunded_fen: world.book.refunded(order),
        subject: order.subject.clone(),
        product: order.product,
        sub_merchant: order.sub.as_ref().map(|sub| sub.mchid.clone()),
        combined: order.whole.as_ref().map(|(_, no)| no.clone()),
        code: order.code.clone(),
        notify_url: order.notify_url.clone(),
        created_at: order.created_at,
        expires_at: order.expires_at,
        provider_trade_nos: order.payments.iter().map(|paid| paid.trade_no.clone()).collect(),
    }
}

fn combined_view(world: &World, whole: &Combined) -> CombinedView {
    let parts = || whole.parts.iter().filter_map(|key| world.book.orders.get(key));
    CombinedView {
        merchant: whole.key.0.clone(),
        out_trade_no: whole.key.1.clone(),
        amount_fen: Fen::sum(parts().map(|part| part.amount)).unwrap_or(Fen::ZERO),
        parts: whole.parts.clone(),
        code: parts().next().map(|part| part.code.clone()).unwrap_or_default(),
    }
}

fn refund_view(refund: &Refund, now: Timestamp) -> RefundView {
    RefundView {
        provider: refund.provider,
        merchant: refund.merchant.clone(),
        out_trade_no: refund.out_trade_no.clone(),
        out_refund_no: refund.out_refund_no.clone(),
        provider_trade_no: refund.trade_no.clone(),
        amount_fen: refund.amount,
        state: match refund.standing(now) {
            Standing::Processing => "processing",
            Standing::Success => "succeeded",
            Standing::Abnormal => "abnormal",
            Standing::Closed => "closed",
        },
        accepted_at: refund.accepted_at,
        done_at: refund.done_at,
    }
}

fn sms_view(message: &Message, now: Timestamp) -> SmsView {
    let state = match message.reported_at {
        None => "lost",
        Some(at) if now < at => "sent",
        Some(_) if message.delivered => "delivered",
        Some(_) => "failed",
    };
    SmsView {
        access_key_id: message.account.clone(),
        biz_id: message.biz_id.clone(),
        phone: message.phone.clone(),
        sign_name: message.sign_name.clone(),
        template_code: message.template_code.clone(),
        template_param: message.template_param.clone(),
        out_id: message.out_id.clone(),
        accepted_at: message.accepted_at,
        state,
    }
}

fn callback_view(delivery: &Delivery) -> CallbackView {
    CallbackView {
        id: delivery.id,
        merchant: delivery.merchant.clone(),
        operation: delivery.operation,
        out_trade_no: delivery.out_trade_no.clone(),
        out_refund_no: delivery.out_refund_no.clone(),
        url: delivery.url.clone(),
        event_id: delivery.event_id.clone(),
        state: delivery.state,
        due: (delivery.state == DeliveryState::Waiting).then_some(delivery.due),
        attempts: delivery.attempts.clone(),
    }
}

/// Payments, and refunds that have arrived. What was refused or is on its way has moved nothing.
fn moves(world: &World, now: Timestamp) -> Vec<MoveView> {
    let mut moves = Vec::new();
    for order in world.book.orders.values() {
        moves.extend(order.payments.iter().map(|payment| MoveView {
            at: payment.paid_at,
            direction: Direction::Payment,
            provider: order.provider,
            merchant: order.merchant.clone(),
            out_trade_no: order.out_trade_no.clone(),
            out_refund_no: None,
            provider_trade_no: payment.trade_no.clone(),
            amount_fen: payment.amount,
            coupon_fen: payment.coupon,
        }));
        let arrived = |refund: &&Refund| refund.standing(now) == Standing::Success;
        moves.extend(world.book.refunds_of(order).filter(arrived).map(|refund| MoveView {
            at: refund.done_at,
            direction: Direction::Refund,
            provider: refund.provider,
            merchant: refund.merchant.clone(),
            out_trade_no: refund.out_trade_no.clone(),
            out_refund_no: Some(refund.out_refund_no.clone()),
            provider_trade_no: refund.trade_no.clone(),
            amount_fen: refund.amount,
            coupon_fen: refund.coupon,
        }));
    }
    moves.sort_by(|a, b| {
        let key = |of: &MoveView| (of.at, of.out_trade_no.clone(), of.out_refund_no.clone());
        key(a).cmp(&key(b))
    });
    moves
}
