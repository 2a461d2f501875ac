//! What can go wrong when a sandbox is started or asked for something by hand.

use std::net::SocketAddr;

use adapters::keys::KeyError;

/// Why a sandbox does not start or does not do what it is asked over its control.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// It signs with test keys and has no guard of its own: never reachable from outside.
    #[error("listen: {0} is not a loopback address; the sandbox listens on loopback only")]
    NotLoopback(SocketAddr),
    /// The address is taken or cannot be had.
    #[error("listen: cannot bind {address}: {source}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A key of the configuration cannot be used.
    #[error("{field} of {owner}: {source}")]
    Key {
        /// Whose key, by mchid or `app_id`.
        owner: String,
        /// The field of the configuration.
        field: &'static str,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A key file of the configuration cannot be read.
    #[error("{field} of {owner}: cannot read {path}: {source}")]
    KeyFile {
        /// Whose key.
        owner: String,
        /// The field of the configuration.
        field: &'static str,
        /// The file.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The machine gives no random bytes, of which keys and secrets are made.
    #[error("this machine gives no random bytes")]
    NoRandomness,
    /// A value of the configuration breaks a rule.
    #[error("{field} of {owner}: {rule}")]
    Value {
        /// Whose value.
        owner: String,
        /// The field of the configuration.
        field: &'static str,
        /// The rule.
        rule: &'static str,
    },
    /// A key of the provider cannot be used, or no certificate made over it.
    #[error("platform key of {owner}: {reason}")]
    Certificate {
        /// Whose key.
        owner: String,
        /// The library's reason.
        reason: String,
    },
    /// The HTTP client for callbacks cannot be made.
    #[error("the client for callbacks cannot be made: {0}")]
    Client(reqwest::Error),
    /// The server's thread cannot be started.
    #[error("the server cannot be started: {0}")]
    Thread(std::io::Error),
}

/// Why something asked for over the control (HTTP or Rust) is not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No order of that number; or of several merchants, and none was named.
    #[error("no order {0}, or several merchants have one: name the merchant")]
    NoSuchOrder(String),
    /// No such merchant.
    #[error("no merchant {0}")]
    NoSuchMerchant(String),
    /// The payer cannot pay it now.
    #[error("{0}")]
    NotPayable(String),
    /// The refund breaks a rule of its provider.
    #[error("{0}")]
    NotRefundable(String),
    /// The fault makes no sense.
    #[error("{0}")]
    BadFault(String),
    /// The body is not what this control takes.
    #[error("{0}")]
    BadRequest(String),
    /// The sandbox runs on the machine's clock, which nobody moves.
    #[error("the clock cannot be moved: start with manual_clock_from")]
    ClockIsReal,
    /// A new key could not be made.
    #[error("no new key: {0}")]
    NoKey(String),
}
