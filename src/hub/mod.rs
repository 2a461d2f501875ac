//! The hub's parts, gathered once and shared by HTTP, workers and commands.

mod health;
mod open;
mod shift;
mod signals;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use adapters::PaymentProvider;
use adapters::channels::SmsChannel;
use adapters::webhook::AllowList;
use adapters::wire::Stamp;
use aws_lc_rs::rand;
use domain::Clock;
use domain::bank_calendar::BankCalendar;
use domain::ids::MerchantId;
use domain::personal::Secret;

use crate::config::{FiscalItem, PayGates, PayerAccount, Policy, Template};
use crate::dispatch::Webhooks;
use crate::intake::Limits;
use crate::keys::Renewals;
use crate::outbound::{Budget, Outbound};
use crate::seal::{SealError, Sealer};
use crate::store::Store;

pub use health::{Beat, Health, Standing};
pub use open::{
    Database, OpenError, migrate_if_asked, open, prepare_months, secret_context, take_applications,
};
pub use shift::Shift;
pub use signals::{Signals, Waiting};

/// Everything that a request or a worker needs.
pub struct Hub {
    /// The database.
    pub store: Store,
    /// The keys.
    pub sealer: Sealer,
    /// The one clock.
    pub clock: Arc<dyn Clock>,
    /// The merchants by id.
    pub merchants: BTreeMap<MerchantId, Merchant>,
    /// The channels by id.
    pub channels: BTreeMap<String, Channel>,
    /// The way out to providers.
    pub outbound: Outbound,
    /// When the providers' keys were last renewed.
    pub renewals: Renewals,
    /// What the office decided.
    pub policy: Policy,
    /// By when a fee must be settled, of business types with a gate of their own.
    pub pay_gates: PayGates,
    /// How many callbacks are taken at once.
    pub intake: Limits,
    /// Which message goes over which channel.
    pub templates: Templates,
    /// The private networks to which webhooks may go although set over the API.
    pub webhook_networks: AllowList,
    /// The way out to backends' endpoints.
    pub webhooks: Webhooks,
    /// What wakes the workers.
    pub signals: Signals,
    /// Whether the workers come round, and whether the process is about to end.
    pub health: Health,
    /// The office's name, for reports.
    pub office: String,
    /// On which days money of providers arrives.
    pub bank: BankCalendar,
    /// Which item of the treasury each fee item is.
    pub fiscal_items: Vec<FiscalItem>,
    /// Who pays by the month.
    pub payers: Vec<PayerAccount>,
}

/// A merchant and the adapter that speaks for it.
#[derive(Clone)]
pub struct Merchant {
    /// Its id.
    pub id: MerchantId,
    /// Its adapter.
    pub provider: Arc<dyn PaymentProvider>,
    /// Where the provider calls back.
    pub notify_url: String,
    /// Its place among the merchants: those of a provider's newer interface first, then as they
    /// stand in the configuration.
    pub rank: usize,
    /// How many queries a second it carries, by all hubs together.
    pub queries: Budget,
    /// Whether its fund flow bill is looked at.
    pub fund_flow: bool,
}

impl fmt::Debug for Merchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Merchant({}, {})", self.id, self.provider.provider())
    }
}

/// A channel over which people are told.
#[derive(Clone)]
pub struct Channel {
    /// Its vendor's adapter.
    pub vendor: Arc<dyn SmsChannel>,
    /// The token in the path of its receipts.
    pub receipt_token: Option<Secret>,
}

/// `[[templates]]`: which event is told over which channel under which vendor code.
#[derive(Clone, Debug, Default)]
pub struct Templates(pub Vec<Template>);

impl Templates {
    /// The first channel over which an event is told.
    #[must_use]
    pub fn channel_of(&self, event: &str) -> Option<&str> {
        self.0.iter().find(|known| known.event == event).map(|known| known.channel.as_str())
    }

    /// The vendor's code of an event on a channel, in the person's language or else in Chinese.
    #[must_use]
    pub fn code_of(&self, event: &str, channel: &str, locale: &str) -> Option<&str> {
        let of = |locale: &str| {
            self.0.iter().find(|known| {
                known.event == event && known.channel == channel && known.locale == locale
            })
        };
        of(locale).or_else(|| of("zh-CN")).map(|known| known.code.as_str())
    }
}

impl Hub {
    /// A merchant by id.
    #[must_use]
    pub fn merchant(&self, id: &str) -> Option<&Merchant> {
        self.merchants.iter().find(|(known, _)| known.as_str() == id).map(|(_, merchant)| merchant)
    }

    /// The merchants that collect into the same account at the same provider, this one among them,
    /// by rank: their provider gives one bill for all of them, and the first fetches it.
    #[must_use]
    pub fn of_one_account(&self, merchant: &Merchant) -> Vec<&Merchant> {
        let account = |merchant: &Merchant| {
            (merchant.provider.provider(), merchant.provider.account().payee.clone())
        };
        let wanted = account(merchant);
        let mut all: Vec<&Merchant> =
            self.merchants.values().filter(|other| account(other) == wanted).collect();
        all.sort_by_key(|merchant| merchant.rank);
        all
    }

    /// A fresh stamp for one signature.
    ///
    /// # Errors
    /// When the machine has no random bytes.
    pub fn stamp(&self) -> Result<Stamp, SealError> {
        Ok(Stamp { now: self.clock.now(), nonce: random_hex::<16>()? })
    }

    /// The part of the policy that judges incoming facts.
    #[must_use]
    pub fn judging(&self) -> callbacks::Policy {
        callbacks::Policy {
            late_payment: self.policy.late_payment,
            surplus_payment: self.policy.surplus_payment,
        }
    }
}

/// `N` random bytes.
///
/// # Errors
/// When the machine has none.
pub fn random<const N: usize>() -> Result<[u8; N], SealError> {
    let mut bytes = [0_u8; N];
    rand::fill(&mut bytes).map_err(|_unspecified| SealError::NoRandomness)?;
    Ok(bytes)
}

/// `N` random bytes in hexadecimal.
///
/// # Errors
/// When the machine has no random bytes.
pub fn random_hex<const N: usize>() -> Result<String, SealError> {
    Ok(random::<N>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}
