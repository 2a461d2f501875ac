//! The hub's own carrier: events to endpoints, messages to people.

use deadpool_postgres::Transaction;

use super::engine::{Carrier, Made};
use super::{sms, webhook};
use crate::fault::Fault;
use crate::hub::Hub;
use crate::store::StoreError;
use crate::store::deliveries::{Cargo, Claimed};
use crate::webhooks::{self, Heard};

/// Carries what the outbox of a hub holds.
#[derive(Clone, Copy)]
pub(super) struct Post<'a>(pub(super) &'a Hub);

/// What an attempt does beside its own delivery.
#[derive(Clone, Debug)]
pub(super) enum Effect {
    /// The endpoint let itself be heard in a way that is news.
    Heard {
        /// What it said.
        heard: Heard,
        /// Which address was asked: another one is not meant.
        url: String,
    },
}

impl Carrier for Post<'_> {
    type Effect = Effect;

    async fn carry(&self, claimed: &Claimed) -> Result<Option<Made<Effect>>, Fault> {
        match &claimed.cargo {
            Cargo::Event { id, body } => {
                webhook::deliver(self.0, claimed, id, body).await.map(Some)
            }
            Cargo::Notification(id) => {
                sms::deliver(self.0, claimed, id).await?;
                Ok(None)
            }
        }
    }

    fn holds(&self, effect: &Effect) -> bool {
        match effect {
            Effect::Heard { heard: Heard::Failed { until, .. }, .. } => until.is_some(),
            Effect::Heard { heard: Heard::Taken | Heard::Gone { .. }, .. } => false,
        }
    }

    async fn settle(
        &self,
        tx: &Transaction<'_>,
        claimed: &Claimed,
        effect: &Effect,
    ) -> Result<(), StoreError> {
        match effect {
            Effect::Heard { heard, url } => {
                let Claimed { delivery_id, receiver, .. } = claimed;
                let now = self.0.clock.now();
                webhooks::hear(tx, (receiver, url), *delivery_id, heard, now).await
            }
        }
    }
}
