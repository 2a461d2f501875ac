//! Rows that book nothing: the callbacks that came in, and what finance staff are told of them.

use callbacks::{Claim, NewIncident};
use domain::fact::ProviderFact;
use domain::ids::{IncidentId, OrderId};
use serde_json::json;
use uuid::Uuid;

use super::{Arrival, Effects, OrderRecord, Unbooked, Verdict};

/// What makes the same fact one cause, however often it comes.
pub(in crate::record) fn cause(claim: &Claim) -> String {
    match &claim.fact {
        ProviderFact::Payment(fact) => {
            format!("{}:{}:{}", fact.out_trade_no, fact.provider_trade_no, fact.amount.get())
        }
        ProviderFact::Refund(fact) => format!("{}:{}", fact.out_trade_no, fact.out_refund_no),
    }
}

impl Effects {
    /// Stores the callback that brought an arrival.
    pub(in crate::record) fn callback(
        &mut self,
        arrival: &Arrival<'_>,
        verdict: Verdict,
        order: Option<&OrderId>,
    ) {
        let Some(evidence) = &arrival.evidence else { return };
        self.rows.evidence.push(evidence.sealed.clone());
        self.rows.callbacks.push(json!({
            "callback_id": evidence.callback_id,
            "received_at": evidence.received_at,
            "merchant_id": arrival.merchant.id,
            "notice_id": evidence.notice_id,
            "kind": evidence.kind,
            "verdict": verdict.as_str(),
            "order_id": order,
            "evidence": self.rows.evidence.len(),
            "replay_of": evidence.replay_of,
        }));
    }

    /// Opens an incident about an arrival that could not be read or booked; whether it is one.
    pub(in crate::record) fn unbooked(&mut self, arrival: &Arrival<'_>) -> bool {
        let Some(evidence) = &arrival.evidence else { return false };
        let Some(Unbooked { kind, why, cause }) = &evidence.unbooked else { return false };
        let merchant = &arrival.merchant.id;
        self.rows.incidents.push(json!({
            "incident_id": IncidentId::new(Uuid::now_v7()),
            "merchant_id": merchant,
            "kind": kind,
            "detail": format!("callback {}: {why}", evidence.callback_id),
            "dedupe_key": format!("{kind}:{merchant}:{cause}"),
            "callback_id": evidence.callback_id,
        }));
        true
    }

    /// Opens an incident about a claim.
    pub(in crate::record) fn incident(
        &mut self,
        arrival: &Arrival<'_>,
        claim: &Claim,
        incident: &NewIncident,
        order: Option<&OrderRecord>,
    ) {
        let cause = cause(claim);
        // A part of a combined order is its payee's matter, whoever heard of it.
        let merchant = order.map_or(&arrival.merchant.id, |order| &order.merchant_id);
        self.rows.incidents.push(json!({
            "incident_id": IncidentId::new(Uuid::now_v7()),
            "merchant_id": merchant,
            "kind": incident.kind.as_str(),
            "detail": incident.detail,
            "dedupe_key": format!("{}:{merchant}:{cause}", incident.kind.as_str()),
            "order_id": order.map(|order| &order.id),
            "callback_id": arrival.evidence.as_ref().map(|evidence| &evidence.callback_id),
        }));
    }
}
