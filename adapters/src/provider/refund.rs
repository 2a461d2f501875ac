//! A refund on its way to a provider: asked for, named, and sent to another account.

use std::fmt;

use domain::ids::{OutRefundNo, OutTradeNo, ProviderRefundNo, ProviderTradeNo};
use domain::money::Fen;
use domain::personal::Personal;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A refund to be asked for.
#[derive(Clone, Debug)]
pub struct NewRefund<'a> {
    /// The order's number.
    pub out_trade_no: &'a OutTradeNo,
    /// The provider's number of the payment that is given back.
    pub provider_trade_no: &'a ProviderTradeNo,
    /// The refund's number for ever.
    pub out_refund_no: &'a OutRefundNo,
    /// What is given back.
    pub amount: Fen,
    /// What the payment was.
    pub total: Fen,
    /// Why, as the payer reads it.
    pub reason: &'a str,
    /// Where the provider calls back.
    pub notify_url: &'a str,
    /// When the payment was made: providers give back for a limited time.
    pub paid_at: Timestamp,
    /// When the refund is asked for.
    pub now: Timestamp,
    /// How many refunds of the same payment came before, failed ones not counted.
    pub earlier: u32,
}

/// What names a refund at its provider.
#[derive(Clone, Copy, Debug)]
pub struct RefundKey<'a> {
    /// The order's number.
    pub out_trade_no: &'a OutTradeNo,
    /// The refund's number.
    pub out_refund_no: &'a OutRefundNo,
    /// What was asked back.
    pub amount: Fen,
}

/// An abnormal refund (退款异常) that is to go to another account than the payer's own.
#[derive(Clone)]
pub struct Redirect<'a> {
    /// The provider's number of the refund.
    pub provider_refund_no: &'a ProviderRefundNo,
    /// The refund's number.
    pub out_refund_no: &'a OutRefundNo,
    /// Whose account.
    pub to: AccountKind,
    /// The bank's short word at the provider, for a payer's card.
    pub bank: Option<&'a str>,
    /// The card's number, for a payer's card.
    pub card: Option<&'a Personal>,
    /// The card holder's name, for a payer's card.
    pub holder: Option<&'a Personal>,
    /// When it is asked for.
    pub now: Timestamp,
    /// 32 random bytes, from which encryption draws.
    pub chance: &'a [u8; 32],
}

impl fmt::Debug for Redirect<'_> {
    /// Neither the card nor what encryption draws from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redirect")
            .field("out_refund_no", &self.out_refund_no)
            .field("to", &self.to)
            .finish_non_exhaustive()
    }
}

/// Whose account an abnormal refund goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    /// A bank card of the payer.
    PayerCard,
    /// The merchant's own bank account, which gives it to the payer by hand.
    MerchantAccount,
}
