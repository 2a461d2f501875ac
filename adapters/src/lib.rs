//! What providers say on the wire. Nothing in here does I/O or knows the time: an adapter builds
//! a [`wire::Call`] (stored before it is sent), signs it into a [`wire::Request`] with the time and
//! nonce it is given, and reads the [`wire::Answer`] into accepted, refused or unknown.
//!
//! A provider's words (`trade_state`, `TRADE_SUCCESS`, yuan strings) never leave its folder.

pub mod alipay;
pub mod bill;
pub mod channels;
mod json;
pub mod keys;
mod limits;
mod percent;
pub mod provider;
pub mod settings;
#[cfg(test)]
mod testing;
pub mod webhook;
pub mod wechat;
pub mod wechat_v2;
pub mod wire;
mod yuan;

pub use provider::PaymentProvider;
