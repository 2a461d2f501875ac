//! Posts callbacks and receipts. It reaches loopback only, follows no redirect and uses no proxy.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::redirect::Policy;
use serde::Serialize;

use crate::engine::{Engine, Parcel};
use crate::error::SandboxError;
use crate::text::is_loopback;

/// A receiver has five seconds (wire facts, a11).
const PATIENCE: Duration = Duration::from_secs(5);

/// How a round of deliveries went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delivered {
    /// Posted, duplicates counted.
    pub sent: usize,
    /// Received with the word of success.
    pub acknowledged: usize,
    /// Posted, and no success came back.
    pub failed: usize,
    /// Held back or lost by a fault.
    pub dropped: usize,
}

/// Parcels of a round; what is left when the round is given up goes back to the outbox.
struct InHand<'a> {
    engine: &'a Engine,
    parcels: VecDeque<Parcel>,
}

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        for parcel in &self.parcels {
            self.engine.give_back(parcel);
        }
    }
}

/// The client for callbacks.
#[derive(Clone)]
pub(crate) struct Courier {
    client: reqwest::Client,
}

impl Courier {
    pub(crate) fn new() -> Result<Self, SandboxError> {
        reqwest::Client::builder()
            .tls_certs_only([])
            .no_proxy()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .build()
            .map(|client| Self { client })
            .map_err(SandboxError::Client)
    }

    /// Delivers everything that is due now, each at most once in this round.
    pub(crate) async fn deliver_due(&self, engine: &Engine) -> Delivered {
        let (parcels, dropped) = engine.due_parcels();
        let mut round = Delivered { dropped, ..Delivered::default() };
        let mut hand = InHand { engine, parcels: parcels.into() };
        while let Some(parcel) = hand.parcels.front() {
            let mut acknowledged = false;
            let mut outcome = String::new();
            for _copy in 0..parcel.copies {
                let (fine, text) = self.post(parcel).await;
                round.sent = round.sent.saturating_add(1);
                acknowledged |= fine;
                outcome = text;
            }
            let counter = if acknowledged { &mut round.acknowledged } else { &mut round.failed };
            *counter = counter.saturating_add(1);
            engine.post_result(parcel, acknowledged, &outcome);
            hand.parcels.pop_front();
        }
        round
    }

    async fn post(&self, parcel: &Parcel) -> (bool, String) {
        if !is_loopback(&parcel.url) {
            return (false, "not sent: the address is not loopback".to_owned());
        }
        let mut request = self.client.post(&parcel.url).body(parcel.body.clone());
        for (name, value) in &parcel.headers {
            request = request.header(*name, value);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return (false, format!("no answer: {error}")),
        };
        let status = answer.status().as_u16();
        match answer.bytes().await {
            Ok(body) => (parcel.success.is(status, &body), format!("HTTP {status}")),
            Err(error) => (false, format!("HTTP {status}, then {error}")),
        }
    }
}
