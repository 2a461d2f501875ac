//! What leaves: each due delivery becomes a signed parcel, or what a fault makes of it.

use domain::time::business_day;
use jiff::{SignedDuration, Timestamp};

use super::{Engine, World};
use crate::delivery::{Delivery, DeliveryState, Letter};
use crate::error::ControlError;
use crate::faults::{Action, Fault, Place, Subject};
use crate::{alipay, sms, wechat, wechat_v2};

/// One callback, ready to be posted.
pub(crate) struct Parcel {
    pub(crate) delivery: u64,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// What the receiver must answer for it to count as received.
    pub(crate) success: Success,
    /// How often it is posted.
    pub(crate) copies: u8,
    /// Which fault struck, for the record.
    pub(crate) fault: Option<Action>,
}

/// A callback as it would be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Its headers.
    pub headers: Vec<(&'static str, String)>,
    /// Its body.
    pub body: Vec<u8>,
}

/// What counts as received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Success {
    /// HTTP 200 or 204 (WeChat Pay).
    Status,
    /// HTTP 200 with exactly the XML of success (WeChat Pay's old interface).
    Xml,
    /// Exactly `success` (Alipay).
    Word,
    /// HTTP 200 with the number 0 as `code` (SMS receipts).
    CodeZero,
}

impl Success {
    /// Whether this answer is the success.
    pub(crate) fn is(self, status: u16, body: &[u8]) -> bool {
        match self {
            Self::Status => matches!(status, 200 | 204),
            Self::Xml => status == 200 && body == wechat_v2::TAKEN,
            Self::Word => body == b"success",
            Self::CodeZero => {
                status == 200
                    && serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|answer| {
                        answer.get("code").and_then(serde_json::Value::as_i64) == Some(0)
                    })
            }
        }
    }
}

impl Engine {
    /// Takes everything that is due now. Each parcel must come back by [`post_result`](Self::post_result).
    pub(crate) fn due_parcels(&self) -> (Vec<Parcel>, usize) {
        let now = self.now();
        let mut world = self.world();
        let mut parcels = Vec::new();
        let mut last = Vec::new();
        let mut dropped = 0_usize;
        while let Some(id) = world.outbox.take_due(now) {
            match world.parcel(id, now) {
                Some(parcel) if parcel.fault == Some(Action::Reorder) => last.push(parcel),
                Some(parcel) => parcels.push(parcel),
                None => dropped = dropped.saturating_add(1),
            }
        }
        if parcels.is_empty() {
            // Nothing is left to come behind: it comes behind whatever the next second brings.
            for parcel in last {
                world.outbox.postpone(parcel.delivery, next_second(now));
            }
        } else {
            parcels.append(&mut last);
        }
        (parcels, dropped)
    }

    /// Records how a parcel fared.
    pub(crate) fn post_result(&self, parcel: &Parcel, acknowledged: bool, outcome: &str) {
        let now = self.now();
        let outcome = match parcel.fault {
            Some(action) => format!("{outcome} (fault {action:?})"),
            None => outcome.to_owned(),
        };
        let mut world = self.world();
        let compression = world.compression;
        world.outbox.settle(parcel.delivery, now, acknowledged, outcome, compression);
    }

    /// The newest callback of an order, sealed and signed now and not sent: for whoever wants to
    /// send it himself, often or late.
    #[must_use]
    pub fn sealed_callback(&self, out_trade_no: &str) -> Option<Sealed> {
        let now = self.now();
        let mut world = self.world();
        let id = world
            .outbox
            .deliveries
            .iter()
            .rev()
            .find(|(_, delivery)| delivery.out_trade_no.as_deref() == Some(out_trade_no))
            .map(|(id, _)| *id)?;
        let (sealed, _) = world.seal(id, now, None)?;
        Some(sealed)
    }

    /// Takes a parcel back that was not posted after all.
    pub(crate) fn give_back(&self, parcel: &Parcel) {
        self.world().outbox.give_back(parcel.delivery);
    }

    /// Makes the next try of an order's newest callback a probe with a false signature
    /// (`WECHATPAY/SIGNTEST/…`), sent now; a receiver must refuse it. What was acknowledged already
    /// is sent again after it, by its cadence. Gives the fault's number and the callback's.
    ///
    /// # Errors
    /// When the order has no callback.
    pub fn probe(&self, out_trade_no: &str) -> Result<(u64, u64), ControlError> {
        let newest = |world: &World| {
            let of_order =
                |delivery: &&Delivery| delivery.out_trade_no.as_deref() == Some(out_trade_no);
            world.outbox.deliveries.values().rev().find(of_order).map(|delivery| delivery.id)
        };
        let id = newest(&self.world())
            .ok_or_else(|| ControlError::NoSuchOrder(out_trade_no.to_owned()))?;
        let fault = Fault::new(Place::Callback, Action::SignTest).for_order(out_trade_no).times(1);
        let fault = self.set_fault(fault)?;
        self.resend(id);
        Ok((fault, id))
    }

    /// Sends a delivery again now, whatever became of it: the provider's "resend" button.
    pub(crate) fn resend(&self, id: u64) -> bool {
        let now = self.now();
        let mut world = self.world();
        let Some(delivery) = world.outbox.deliveries.get_mut(&id) else { return false };
        if delivery.state == DeliveryState::Waiting {
            return false;
        }
        delivery.state = DeliveryState::Waiting;
        world.outbox.postpone(id, now);
        true
    }
}

fn next_second(now: Timestamp) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX)
}

impl World {
    /// Makes a parcel of a taken delivery; `None` when a fault drops or delays it.
    fn parcel(&mut self, id: u64, now: Timestamp) -> Option<Parcel> {
        let held = self.outbox.deliveries.get(&id)?.held;
        let fault = self
            .callback_fault(id, now)
            .filter(|fault| !(held && matches!(fault.action, Action::Delay | Action::Reorder)));
        let action = fault.as_ref().map(|fault| fault.action);
        if action == Some(Action::Drop) {
            let compression = self.compression;
            self.outbox.settle(id, now, false, "fault Drop".to_owned(), compression);
            return None;
        }
        if let (Some(Action::Delay), Some(fault)) = (action, &fault) {
            let due = crate::state::later(now, fault.delay().max(1));
            self.outbox.postpone(id, due);
            return None;
        }
        let (sealed, success) = self.seal(id, now, action)?;
        let Sealed { headers, body } = sealed;
        let url = self.outbox.deliveries.get(&id)?.url.clone();
        let copies = if action == Some(Action::Duplicate) { 2 } else { 1 };
        Some(Parcel { delivery: id, url, headers, body, success, copies, fault: action })
    }

    /// Seals and signs a delivery as it is, or as a fault spoils it.
    fn seal(
        &mut self,
        id: u64,
        now: Timestamp,
        action: Option<Action>,
    ) -> Option<(Sealed, Success)> {
        let delivery = self.outbox.deliveries.get(&id)?;
        let chance = &mut self.chance;
        let probe = action == Some(Action::XxeProbe);
        let ((headers, body), success) = match &delivery.letter {
            Letter::Wechat { .. } if probe => (wechat_v2::probe(), Success::Status),
            Letter::WechatXml { .. } if probe => (wechat_v2::probe(), Success::Xml),
            Letter::Wechat { .. } => {
                (wechat::seal(&self.keys, delivery, now, chance, action)?, Success::Status)
            }
            Letter::WechatXml { .. } => {
                (wechat_v2::seal(&self.keys, delivery, chance, action)?, Success::Xml)
            }
            Letter::Alipay { .. } => {
                (alipay::seal(&self.keys, delivery, now, action)?, Success::Word)
            }
            Letter::Receipt { body } => (sms::seal(body, action), Success::CodeZero),
        };
        Some((Sealed { headers, body }, success))
    }

    fn callback_fault(&mut self, id: u64, now: Timestamp) -> Option<Fault> {
        let delivery = self.outbox.deliveries.get(&id)?;
        let Delivery { merchant, out_trade_no, out_refund_no, operation, .. } = delivery;
        let subject = Subject {
            merchant,
            out_trade_no: out_trade_no.as_deref(),
            out_refund_no: out_refund_no.as_deref(),
            date: Some(business_day(now)),
            phone: None,
        };
        // Field by field, because the subject borrows from the outbox.
        self.faults.strike(Place::Callback, *operation, &subject, &mut self.chance)
    }
}
