//! Second step: what an authentic fact means for a locked order. Each rule of money about
//! incoming facts stands here and nowhere else.

mod payment;
mod portal;
mod refund;
#[cfg(test)]
mod tests;

use adapters::provider::Account;
use domain::fact::{ProviderFact, Source, Stated};

use crate::effect::{IncidentKind, Judgement, NewIncident};
use crate::locked::LockedOrder;

/// A fact and where it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What the provider states.
    pub fact: ProviderFact,
    /// Where.
    pub source: Source,
}

/// What the office decided about money that comes out of turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// About money for an order that was given up.
    pub late_payment: LatePayment,
    /// About money that settles no fee.
    pub surplus_payment: SurplusPayment,
}

/// `policy.late_payment`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LatePayment {
    /// It settles its fee if that is still owed.
    #[default]
    Accept,
    /// It is recorded as surplus, and its refund is proposed.
    Refund,
}

/// `policy.surplus_payment`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SurplusPayment {
    /// A refund is proposed to finance staff.
    #[default]
    Propose,
    /// A proved duplicate is refunded by the hub.
    Refund,
}

/// Judges one fact. `locked` is the order that the fact's number names, locked, or `None` when
/// there is no such order of this merchant.
#[must_use]
pub fn judge(
    claim: &Claim,
    locked: Option<&LockedOrder>,
    account: &Account,
    policy: Policy,
) -> Judgement {
    let (stated, number) = match &claim.fact {
        ProviderFact::Payment(fact) => (&fact.stated, &fact.out_trade_no),
        ProviderFact::Refund(fact) => (&fact.stated, &fact.out_trade_no),
    };
    if let Some(incident) = stranger(stated, account, claim) {
        return Judgement::Incident(incident);
    }
    let Some(order) = locked else {
        return incident(IncidentKind::OrderUnknown, format!("no order has the number {number}"));
    };
    match &claim.fact {
        ProviderFact::Payment(fact) => payment::judge(fact, order, policy),
        ProviderFact::Refund(fact) => refund::judge(fact, claim.source, order),
    }
}

/// The incident if the statement is about somebody else or in other money. A payment heard by
/// callback must name both merchant and application: a silence there is no agreement.
fn stranger(stated: &Stated, account: &Account, claim: &Claim) -> Option<NewIncident> {
    let must_name =
        claim.source == Source::Callback && matches!(claim.fact, ProviderFact::Payment(_));
    let differs = |stated: Option<&String>, ours: &str| match stated {
        Some(theirs) => theirs != ours,
        None => must_name,
    };
    let of = |kind, what: &str, theirs: Option<&String>, ours: &str| {
        let theirs = theirs.map_or("nothing", String::as_str);
        Some(NewIncident { kind, detail: format!("{what} is {theirs:?}, ours is {ours:?}") })
    };
    let (payee, app) = (stated.payee.as_ref(), stated.app.as_ref());
    if differs(payee, &account.payee) {
        return of(IncidentKind::MerchantDiffers, "the merchant", payee, &account.payee);
    }
    if differs(app, &account.app) {
        return of(IncidentKind::AppDiffers, "the application", app, &account.app);
    }
    match &stated.currency {
        Some(currency) if currency != "CNY" => {
            of(IncidentKind::CurrencyDiffers, "the currency", Some(currency), "CNY")
        }
        _ => None,
    }
}

fn incident(kind: IncidentKind, detail: String) -> Judgement {
    Judgement::Incident(NewIncident { kind, detail })
}
