//! The shapes of requests and answers, as `/openapi.json` describes them. They are read by nobody
//! else; a test holds them against what the hub really reads and answers.

mod bank;
mod cases;
mod combined;
mod fees;
mod incidents;
mod notifications;
mod orders;
mod payers;
mod refunds;
mod rest;
mod treasury;
mod webhooks;

pub use bank::{BankLine, BankLinePage, BankStatement, SettlementDay, SettlementPage};
pub use cases::{
    Applicant, Case, CaseEvent, CaseProgress, CaseRequest, Deadline, FeeInShort, MaskedApplicant,
};
pub use combined::{Combined, CombinedPart, CombinedRequest};
pub use fees::{
    Fee, FeePage, FeeRequest, MaskedPayer, Payer, Quote, QuoteItem, QuoteLine, QuoteRequest,
};
pub use incidents::{EarlierIncident, Incident, IncidentClose, IncidentPage, ProposedAction};
pub use notifications::{Attempt, MaskedReach, Notification, NotificationRequest, Reached};
pub use orders::{Order, OrderPayer, OrderRequest, Pay, Payment, Refused};
pub use payers::{PayerStatement, PayerStatementPage};
pub use refunds::{Allocation, RedirectRequest, Refund, RefundRequest};
pub use rest::{Checks, Event, EventPage, Health, Problem, Readiness};
pub use treasury::{
    MerchantShare, Remittance, RemittancePage, RemittanceRequest, RemittanceReversal, RemittedItem,
    RemittedItems, ReversalRequest, TreasuryStep, TreasuryStepRequest, TreasuryWay,
};
pub use webhooks::{
    Delivery, DeliveryInFull, DeliveryPage, Endpoint, EndpointRequest, ResendRequest, Resent,
    RotationRequest, WebhookAttempt,
};
