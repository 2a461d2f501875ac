//! First step: from raw bytes to a message that is proved to be the provider's.

use adapters::PaymentProvider;
use adapters::provider::{Acknowledgement, Notice, NoticeFault, OpenedNotice, Reply};

/// The largest body of a callback that is looked at: 256 KiB (contract, "Units, limits").
pub const LARGEST_BODY: usize = 256 * 1024;

/// A message that is the provider's, and what to answer once it is durable.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What it says.
    pub notice: OpenedNotice,
    /// The provider's own success answer, to be given only after the commit.
    pub taken: Reply,
    /// The answer when it could not be made durable: the provider comes again.
    pub try_again: Reply,
}

/// A message that is not believed: why, and what to answer.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// Why, as a stable word.
    pub fault: NoticeFault,
    /// What exactly, for the record.
    pub detail: String,
    /// The provider's own failure answer.
    pub reply: Reply,
}

/// Opens a callback of `provider`.
///
/// # Errors
/// The refusal, when the message is not proved to be the provider's, fresh and whole.
pub fn open(provider: &dyn PaymentProvider, notice: &Notice<'_>) -> Result<Opened, Refusal> {
    let refuse = |fault, detail| Refusal {
        fault,
        detail,
        reply: provider.acknowledge(notice.body, Acknowledgement::Refused),
    };
    if notice.body.len() > LARGEST_BODY {
        let detail = format!("{} bytes, at most {LARGEST_BODY} are read", notice.body.len());
        return Err(refuse(NoticeFault::Unreadable, detail));
    }
    match provider.open_notice(notice) {
        Ok(opened) => Ok(answered(provider, notice.body, opened)),
        Err(error) => Err(refuse(error.fault, error.detail)),
    }
}

/// Opens a stored callback again, from its kept plaintext: no freshness, no signature.
///
/// # Errors
/// When the plaintext is not one of this provider's.
pub fn reopen(provider: &dyn PaymentProvider, plaintext: &[u8]) -> Result<Opened, Refusal> {
    match provider.reread_notice(plaintext) {
        Ok(opened) => Ok(answered(provider, plaintext, opened)),
        Err(error) => Err(Refusal {
            fault: error.fault,
            detail: error.detail,
            reply: provider.acknowledge(plaintext, Acknowledgement::Refused),
        }),
    }
}

fn answered(provider: &dyn PaymentProvider, body: &[u8], notice: OpenedNotice) -> Opened {
    Opened {
        notice,
        taken: provider.acknowledge(body, Acknowledgement::Taken),
        try_again: provider.acknowledge(body, Acknowledgement::TryAgain),
    }
}
