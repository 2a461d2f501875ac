//! Callbacks and receipts on their way out: when each is due, how often it was tried, what came
//! back. The cadences are the providers' own, driven by the clock and divided by the compression.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::faults::Operation;
use crate::wechat_v2;

/// Seconds between the tries of WeChat Pay (wire facts, a11).
const WECHAT_GAPS: &[u32] =
    &[15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600];
/// Seconds between the tries of Alipay (c6).
const ALIPAY_GAPS: &[u32] = &[240, 600, 600, 3600, 7200, 21600, 54000];
/// Seconds between the pushes of a receipt (notifications 1.1).
const RECEIPT_GAPS: &[u32] = &[60, 300, 600];

/// What is said, before it is sealed and signed for one try.
#[derive(Clone)]
pub(crate) enum Letter {
    /// A notice of WeChat Pay.
    Wechat {
        event_type: &'static str,
        original_type: &'static str,
        summary: &'static str,
        /// The text that is sealed.
        plaintext: String,
    },
    /// A notice of WeChat Pay's old interface.
    WechatXml {
        /// What it says in the open.
        fields: wechat_v2::Fields,
        /// How it is signed; `None`: it is not.
        signed: Option<wechat_v2::SignType>,
        /// The text that is sealed.
        sealed: Option<String>,
    },
    /// A notice of Alipay: its fields without `notify_time` and signature.
    Alipay { fields: BTreeMap<String, String> },
    /// A receipt of the SMS vendor.
    Receipt { body: String },
}

impl Letter {
    const fn gaps(&self) -> &'static [u32] {
        match self {
            Self::Wechat { .. } | Self::WechatXml { .. } => WECHAT_GAPS,
            Self::Alipay { .. } => ALIPAY_GAPS,
            Self::Receipt { .. } => RECEIPT_GAPS,
        }
    }
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It will be tried, again or for the first time.
    Waiting,
    /// The receiver said the word of success.
    Acknowledged,
    /// The cadence is at its end.
    GivenUp,
}

/// One try.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// When.
    pub at: Timestamp,
    /// What came back, or which fault struck.
    pub outcome: String,
}

/// A callback or receipt.
pub(crate) struct Delivery {
    pub(crate) id: u64,
    pub(crate) merchant: String,
    pub(crate) operation: Operation,
    pub(crate) out_trade_no: Option<String>,
    pub(crate) out_refund_no: Option<String>,
    pub(crate) url: String,
    /// The provider's id of the notice, the same on every try.
    pub(crate) event_id: String,
    pub(crate) letter: Letter,
    pub(crate) created_at: Timestamp,
    pub(crate) due: Timestamp,
    pub(crate) tries: usize,
    /// Whether a fault has held it back already: it is not held back twice.
    pub(crate) held: bool,
    pub(crate) state: DeliveryState,
    pub(crate) attempts: Vec<Attempt>,
}

/// Everything on its way out.
#[derive(Default)]
pub(crate) struct Outbox {
    pub(crate) deliveries: BTreeMap<u64, Delivery>,
    /// Waiting ones by when they are due; one that is being sent is not in here.
    waiting: BTreeSet<(Timestamp, u64)>,
}

impl Outbox {
    /// The number of the next delivery.
    pub(crate) fn next_id(&self) -> u64 {
        self.deliveries.last_key_value().map_or(1, |(id, _)| id.saturating_add(1))
    }

    /// Puts a delivery on its way.
    pub(crate) fn add(&mut self, delivery: Delivery) {
        self.waiting.insert((delivery.due, delivery.id));
        self.deliveries.insert(delivery.id, delivery);
    }

    /// When the next one is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.waiting.first().map(|(due, _)| *due)
    }

    /// Takes the next one that is due by `now`: whoever takes it must return it by
    /// [`settle`](Self::settle) or [`postpone`](Self::postpone).
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Option<u64> {
        let first = self.waiting.first().copied().filter(|(due, _)| *due <= now)?;
        self.waiting.remove(&first);
        Some(first.1)
    }

    /// Puts a taken one back, due at `due`, without counting a try.
    pub(crate) fn postpone(&mut self, id: u64, due: Timestamp) {
        if let Some(delivery) = self.deliveries.get_mut(&id) {
            self.waiting.remove(&(delivery.due, id));
            delivery.due = due;
            delivery.held = true;
            self.waiting.insert((due, id));
        }
    }

    /// Puts a taken one back that was not tried after all.
    pub(crate) fn give_back(&mut self, id: u64) {
        if let Some(delivery) = self.deliveries.get(&id)
            && delivery.state == DeliveryState::Waiting
        {
            self.waiting.insert((delivery.due, id));
        }
    }

    /// Records how a try of a taken one ended, and plans the next.
    pub(crate) fn settle(
        &mut self,
        id: u64,
        now: Timestamp,
        acknowledged: bool,
        outcome: String,
        compression: u32,
    ) {
        let Some(delivery) = self.deliveries.get_mut(&id) else { return };
        self.waiting.remove(&(delivery.due, id));
        delivery.attempts.push(Attempt { at: now, outcome });
        if acknowledged {
            delivery.state = DeliveryState::Acknowledged;
            return;
        }
        let gap = delivery.letter.gaps().get(delivery.tries).copied();
        delivery.tries = delivery.tries.saturating_add(1);
        match gap {
            Some(seconds) => {
                delivery.due = after_gap(now, seconds, compression);
                self.waiting.insert((delivery.due, id));
            }
            None => delivery.state = DeliveryState::GivenUp,
        }
    }
}

/// `now` and a gap divided by the compression, at least a millisecond.
fn after_gap(now: Timestamp, seconds: u32, compression: u32) -> Timestamp {
    let millis = i64::from(seconds).saturating_mul(1000);
    let gap = millis.checked_div(i64::from(compression.max(1))).unwrap_or(millis).max(1);
    now.saturating_add(SignedDuration::from_millis(gap)).unwrap_or(Timestamp::MAX)
}
