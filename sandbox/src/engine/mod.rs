//! The providers' minds: what they know, their rules and the clock, without any I/O. The server
//! hands it requests as they came; the courier takes from it what is to be called back.

mod payer;
mod post;
mod snapshot;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Clock, ManualClock};
use jiff::Timestamp;

pub use payer::{Paid, Pay, PortalRefund, Refunded};
pub(crate) use post::Parcel;
pub use post::Sealed;
pub use snapshot::{
    CallbackView, CombinedView, MoveView, OrderView, RefundView, SmsView, Snapshot,
};

use crate::config::{SandboxConfig, Verification};
use crate::delivery::Outbox;
use crate::error::{ControlError, SandboxError};
use crate::faults::{Fault, Faults, Operation, Place, Subject};
use crate::keys::{self, Keys};
use crate::message::{Fate, Received, Reply};
use crate::random::Random;
use crate::state::Book;
use crate::verdict::Verdicts;
use crate::{alipay, control, page, sms, wechat, wechat_v2};

/// The sandbox without its server.
pub struct Engine {
    clock: Hands,
    world: Mutex<World>,
}

/// Whose hands move the clock.
enum Hands {
    /// Somebody else's.
    Given(Arc<dyn Clock>),
    /// The control's.
    Ours(ManualClock),
}

impl Hands {
    fn now(&self) -> Timestamp {
        match self {
            Self::Given(clock) => clock.now(),
            Self::Ours(clock) => clock.now(),
        }
    }
}

/// Everything behind the lock.
pub(crate) struct World {
    pub(crate) keys: Keys,
    pub(crate) book: Book,
    pub(crate) faults: Faults,
    pub(crate) outbox: Outbox,
    /// What is thought of each request.
    pub(crate) verdicts: Verdicts,
    pub(crate) chance: Random,
    pub(crate) seed: u64,
    pub(crate) compression: u32,
    /// The sandbox's own address, for the URLs that it gives out.
    pub(crate) base_url: String,
}

impl World {
    /// The fault that strikes here, if any.
    pub(crate) fn strike(
        &mut self,
        place: Place,
        operation: Operation,
        subject: &Subject<'_>,
    ) -> Option<Fault> {
        self.faults.strike(place, operation, subject, &mut self.chance)
    }
}

impl Engine {
    /// Reads the keys of a configuration; `clock` is used unless the configuration brings its own.
    ///
    /// # Errors
    /// When a key or value of the configuration cannot be used.
    pub fn new(config: &SandboxConfig, clock: Arc<dyn Clock>) -> Result<Self, SandboxError> {
        let clock = match config.manual_clock_from {
            Some(from) => Hands::Ours(ManualClock::at(from)),
            None => Hands::Given(clock),
        };
        let now = clock.now();
        let world = World {
            keys: Keys::read(config, now)?,
            book: Book::default(),
            faults: Faults::default(),
            outbox: Outbox::default(),
            verdicts: Verdicts::default(),
            chance: Random::new(config.seed),
            seed: config.seed,
            compression: config.callback_compression,
            base_url: format!("http://{}", config.listen),
        };
        Ok(Self { clock, world: Mutex::new(world) })
    }

    /// The present instant in the providers' world.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock, where the sandbox has its own.
    ///
    /// # Errors
    /// When it runs on a clock that it was given.
    pub fn set_clock(&self, now: Timestamp) -> Result<(), ControlError> {
        match &self.clock {
            Hands::Given(_) => Err(ControlError::ClockIsReal),
            Hands::Ours(clock) => {
                clock.set(now);
                Ok(())
            }
        }
    }

    /// Answers a request as the provider would whom it is for, or the control or the page.
    #[must_use]
    pub fn answer(&self, received: &Received) -> Reply {
        let path = received.path();
        if path.starts_with("/v3/") {
            self.judged("wechat", received, wechat::answer)
        } else if path.starts_with("/pay/") || path.starts_with("/secapi/pay/") {
            self.judged("wechat-v2", received, wechat_v2::answer)
        } else if path == "/gateway.do" {
            self.judged("alipay", received, alipay::answer)
        } else if path == "/downloadBillFile.resource" {
            self.judged("alipay", received, alipay::download)
        } else if received.header("x-acs-action").is_some() {
            self.judged("aliyun-sms", received, sms::answer)
        } else if path.starts_with("/sandbox/") || path == "/" {
            if !control::is_from_here(received) {
                return Reply::new(403, "text/plain", "loopback only");
            }
            if path == "/" { page::page(self, received) } else { control::answer(self, received) }
        } else {
            Reply::new(404, "text/plain", "")
        }
    }

    /// Has a provider answer, and keeps what was thought of the request.
    fn judged(
        &self,
        provider: &'static str,
        received: &Received,
        answer: fn(&mut World, Timestamp, &Received) -> Reply,
    ) -> Reply {
        let now = self.now();
        let mut world = self.world();
        world.verdicts.begin();
        let reply = answer(&mut world, now, received);
        let status = if reply.fate == Fate::Cut { 0 } else { reply.status };
        world.verdicts.end(now, provider, received, status);
        reply
    }

    /// Puts a fault in force and gives its number.
    ///
    /// # Errors
    /// When it cannot happen where it is wanted.
    pub fn set_fault(&self, fault: Fault) -> Result<u64, ControlError> {
        let now = self.now();
        self.world().faults.set(fault, now)
    }

    /// Lifts one fault by its number, or all.
    pub fn lift_faults(&self, id: Option<u64>) {
        self.world().faults.lift(id);
    }

    /// Makes a new key with which the provider signs for a merchant from now on, and gives its id
    /// (empty for Alipay, which does not name its key) and public half (PEM). With `overlap`, WeChat
    /// Pay's callbacks come under either key, as they do for days when a real merchant changes keys;
    /// without it, under the new one alone. A merchant with certificates gets a new certificate; at
    /// WeChat Pay its serial is the id.
    ///
    /// # Errors
    /// When there is no such merchant.
    pub fn rotate_key(
        &self,
        merchant: &str,
        overlap: bool,
    ) -> Result<(String, String), ControlError> {
        let (id, certified) = self.next_key(merchant)?;
        let key = keys::generate(id, certified)?; // slow, so outside the lock
        let given = (key.id.clone(), key.public_pem.clone());
        let mut world = self.world();
        for known in &mut world.keys.wechat {
            if known.config.mchid == merchant {
                known.rotate_to(key.clone(), overlap);
            }
        }
        for known in &mut world.keys.alipay {
            if known.config.app_id == merchant {
                known.rotate_to(key.clone())?;
            }
        }
        Ok(given)
    }

    /// The name of a merchant's next key, and from when it is certified if it is.
    fn next_key(&self, merchant: &str) -> Result<(String, Option<Timestamp>), ControlError> {
        let now = self.now();
        let mut world = self.world();
        if world.keys.alipay(merchant).is_some() {
            return Ok((String::new(), None));
        }
        let seed = world.seed;
        let known = world
            .keys
            .wechat(merchant)
            .ok_or_else(|| ControlError::NoSuchMerchant(merchant.to_owned()))?;
        let count = known.platform.len();
        match known.config.verification {
            Verification::PublicKey => {
                Ok((format!("PUB_KEY_ID_{}", world.chance.digits(28)), None))
            }
            Verification::Certificates | Verification::Both => {
                Ok((keys::certificate_serial(seed, merchant, count), Some(now)))
            }
        }
    }

    /// Where the receipts of an SMS account are pushed from now on.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn set_receipt_url(&self, access_key_id: &str, url: &str) -> Result<(), ControlError> {
        let mut world = self.world();
        let account = world
            .keys
            .sms
            .iter_mut()
            .find(|account| account.access_key_id == access_key_id)
            .ok_or_else(|| ControlError::NoSuchMerchant(access_key_id.to_owned()))?;
        account.receipt_url = Some(url.to_owned());
        Ok(())
    }

    /// When the next callback or receipt is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.world().outbox.next_due()
    }

    /// With what a program connects: what `GET /sandbox/connection` answers.
    #[must_use]
    pub fn connection(&self) -> serde_json::Value {
        control::connection(self)
    }

    /// The sandbox's own address, as it stands in the URLs that it gives out.
    #[must_use]
    pub fn base_url(&self) -> String {
        self.world().base_url.clone()
    }

    pub(crate) fn set_base_url(&self, base_url: String) {
        self.world().base_url = base_url;
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
