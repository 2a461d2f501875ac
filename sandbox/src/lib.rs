//! The providers' side for tests and demonstrations: WeChat Pay, Alipay and an SMS vendor over real
//! HTTP on loopback, with real cryptography and faults on demand. It shares primitives with the
//! hub's adapters and never their canonical strings, so that a mistake cannot verify itself.

mod alipay;
mod bank;
mod bill;
mod certificate;
mod config;
mod control;
mod courier;
mod delivery;
mod engine;
mod error;
mod faults;
mod fund;
mod generated;
mod keys;
mod message;
mod page;
mod random;
mod server;
mod sms;
mod state;
mod text;
mod verdict;
mod wechat;
mod wechat_v2;

pub use bank::{BANK_HEADER, BankCredit, BankDays, bank_statement};
pub use config::{AlipayApp, SandboxConfig, SmsAccount, SubMerchant, Verification, WechatMerchant};
pub use courier::Delivered;
pub use delivery::{Attempt, DeliveryState};
pub use engine::{
    CallbackView, CombinedView, Engine, MoveView, OrderView, Paid, Pay, PortalRefund, RefundView,
    Refunded, Sealed, SmsView, Snapshot,
};
pub use error::{ControlError, SandboxError};
pub use faults::{Action, Fault, Match, Operation, Place, Rule};
pub use message::{Fate, Received, Reply};
pub use random::Random;
pub use server::{Running, Sandbox};
pub use state::Person;
pub use verdict::{Proof, Verdict};
