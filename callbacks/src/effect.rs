//! What a judged fact changes. Effects are data: the store writes them and decides nothing.

use domain::ids::{
    FeeId, OrderId, OutRefundNo, PaymentId, ProviderRefundNo, ProviderTradeNo, RefundId,
};
use domain::journal::{EntryKind, Share};
use domain::money::Fen;
use domain::refund::RefundState;
use jiff::Timestamp;

/// The outcome of comparing a fact with the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It changes the books.
    Apply(Effect),
    /// It is true and known already, or says nothing new.
    Known,
    /// It is authentic but does not fit: nothing is applied, finance staff look at it.
    Incident(NewIncident),
}

/// A change of the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Money came in.
    Payment(PaymentEffect),
    /// A refund moved.
    Refund(RefundEffect),
    /// A refund that nobody asked for here was made in the provider's portal.
    PortalRefund(PortalRefundEffect),
}

/// Money that came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentEffect {
    /// For which order.
    pub order_id: OrderId,
    /// The provider's number.
    pub provider_trade_no: ProviderTradeNo,
    /// Gross amount.
    pub amount: Fen,
    /// The provider's coupons in it.
    pub coupon: Fen,
    /// When the payer paid.
    pub paid_at: Timestamp,
    /// Whether the hub had given the order up.
    pub late: bool,
    /// Whether this makes the order paid: false for a second payment of a paid order.
    pub pays_order: bool,
    /// How it divides; the share without a fee is surplus.
    pub shares: Vec<Share>,
    /// The fees that it pays off.
    pub settles: Vec<FeeId>,
    /// What finance staff should know beside it.
    pub incident: Option<NewIncident>,
}

impl PaymentEffect {
    /// The part that settles no fee.
    #[must_use]
    pub fn surplus(&self) -> Fen {
        self.shares
            .iter()
            .find(|share| share.fee_id.is_none())
            .map_or(Fen::ZERO, |share| share.amount_fen)
    }
}

/// A refund that moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundEffect {
    /// Which refund.
    pub refund_id: RefundId,
    /// From which payment.
    pub payment_id: PaymentId,
    /// What it gives back in all.
    pub amount: Fen,
    /// Where it stands now.
    pub after: RefundState,
    /// What the journal learns, in order.
    pub entries: Vec<EntryKind>,
    /// What it takes back from which fee.
    pub shares: Vec<Share>,
    /// The provider's number.
    pub provider_refund_no: Option<ProviderRefundNo>,
    /// When the provider says it happened.
    pub at: Option<Timestamp>,
    /// When the provider says that it took the refund on.
    pub accepted_at: Option<Timestamp>,
    /// What finance staff should know beside it.
    pub incident: Option<NewIncident>,
}

/// A refund that was made in the provider's portal (商户平台退款), as it is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalRefundEffect {
    /// Its number at the provider.
    pub out_refund_no: OutRefundNo,
    /// From which payment.
    pub payment_id: PaymentId,
    /// What it gives back in all.
    pub amount: Fen,
    /// Where it stands.
    pub state: RefundState,
    /// What the journal learns, in order.
    pub entries: Vec<EntryKind>,
    /// What it takes back: surplus first, then from the fees in the order's order.
    pub shares: Vec<Share>,
    /// The provider's number.
    pub provider_refund_no: Option<ProviderRefundNo>,
    /// When the provider says it came to stand so.
    pub at: Option<Timestamp>,
    /// When the provider says that it took the refund on.
    pub accepted_at: Option<Timestamp>,
    /// What finance staff are told: that it was made, and whether it is stuck.
    pub incidents: Vec<NewIncident>,
}

/// Something that finance staff must look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIncident {
    /// What kind.
    pub kind: IncidentKind,
    /// What exactly, for a person; no personal data.
    pub detail: String,
}

/// The kinds of incident (异常), as stable words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentKind {
    /// The provider speaks of an order that the hub does not have.
    OrderUnknown,
    /// Another amount than the order's.
    AmountDiffers,
    /// Another merchant than ours.
    MerchantDiffers,
    /// Another application than ours.
    AppDiffers,
    /// Another currency than CNY.
    CurrencyDiffers,
    /// The provider speaks of a refund that the hub does not have.
    RefundUnknown,
    /// A refund was made past the hub; bill and query prove it, and it is booked.
    PortalRefund,
    /// A refund was made past the hub of more than the books have left.
    PortalRefundExceeds,
    /// Another amount than the refund's.
    RefundAmountDiffers,
    /// A refund's fact contradicts what is on record.
    RefundContradicts,
    /// The payer's account refused the money.
    RefundAbnormal,
    /// Money came after the order was given up.
    LatePayment,
    /// Money came that settles no fee; its refund is proposed.
    SurplusPayment,
}

impl IncidentKind {
    /// The word in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OrderUnknown => "order_unknown",
            Self::AmountDiffers => "amount_differs",
            Self::MerchantDiffers => "merchant_differs",
            Self::AppDiffers => "app_differs",
            Self::CurrencyDiffers => "currency_differs",
            Self::RefundUnknown => "refund_unknown",
            Self::PortalRefund => "portal_refund",
            Self::PortalRefundExceeds => "portal_refund_exceeds",
            Self::RefundAmountDiffers => "refund_amount_differs",
            Self::RefundContradicts => "refund_contradicts",
            Self::RefundAbnormal => "refund_abnormal",
            Self::LatePayment => "late_payment",
            Self::SurplusPayment => "surplus_payment",
        }
    }
}
