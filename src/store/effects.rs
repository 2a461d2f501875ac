//! What facts change, many at once, as few statements. The rows are built by [`crate::record`];
//! here nothing is decided.

use domain::ids::{FeeId, NotificationId};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::types::{Json, ToSql};

use super::sql;
use super::unit::Sent;

/// The rows of many effects. Each list is one table; evidence and links lie beside the document,
/// by index from 1, because JSON holds no bytes.
#[derive(Debug, Default, Serialize)]
pub struct EffectRows {
    /// Stored callbacks.
    pub callbacks: Vec<Value>,
    /// Payments.
    pub payments: Vec<Value>,
    /// How payments divide over fees.
    pub payment_shares: Vec<Value>,
    /// Orders that are paid now.
    pub paid_orders: Vec<Value>,
    /// What changes in fees' balances, one row a fee.
    pub fees: Vec<Value>,
    /// What changes in payments' balances, one row a payment.
    #[serde(skip)]
    pub payment_balances: Vec<Value>,
    /// Refunds that were made in a provider's portal.
    #[serde(skip)]
    pub portal_refunds: Vec<Value>,
    /// From which fees they take.
    #[serde(skip)]
    pub portal_refund_shares: Vec<Value>,
    /// Refunds that moved.
    #[serde(skip)]
    pub refunds: Vec<Value>,
    /// Incidents.
    #[serde(skip)]
    pub incidents: Vec<Value>,
    /// Journal entries.
    pub entries: Vec<Value>,
    /// Their lines.
    pub lines: Vec<Value>,
    /// The journals' new heads.
    pub heads: Vec<Value>,
    /// Sealed evidence, by index.
    #[serde(skip)]
    pub evidence: Vec<Vec<u8>>,
    /// Links of the journals' chains, by index.
    #[serde(skip)]
    pub links: Vec<Vec<u8>>,
}

impl EffectRows {
    /// Whether there is more than what moves refunds and opens incidents.
    fn has_books(&self) -> bool {
        [&self.callbacks, &self.payments, &self.paid_orders, &self.fees, &self.entries]
            .iter()
            .any(|rows| !rows.is_empty())
    }
}

/// A message to the payer of a fee that was paid off.
#[derive(Debug, Serialize)]
pub(crate) struct PaidNotice {
    /// Its id.
    pub(crate) notification_id: NotificationId,
    /// The fee.
    pub(crate) fee_id: FeeId,
    /// Which of the sealed parameters are its own, from 1.
    pub(crate) params: usize,
}

/// Messages of one template to payers.
#[derive(Debug, Default)]
pub(crate) struct PaidNotices<'a> {
    /// One a fee.
    pub(crate) notices: Vec<PaidNotice>,
    /// Their parameters.
    pub(crate) sealed: Vec<Vec<u8>>,
    /// The template's name.
    pub(crate) template: &'a str,
    /// The channel's word.
    pub(crate) channel: &'a str,
}

/// All that a transaction writes of effects, as statements to be sent.
pub(crate) struct Writing<'a> {
    rows: Json<&'a EffectRows>,
    portal_refunds: Json<&'a [Value]>,
    portal_refund_shares: Json<&'a [Value]>,
    refunds: Json<&'a [Value]>,
    payment_balances: Json<&'a [Value]>,
    incidents: Json<&'a [Value]>,
    now: Timestamp,
}

impl<'a> Writing<'a> {
    /// Of rows, at `now`.
    pub(crate) fn of(rows: &'a EffectRows, now: Timestamp) -> Self {
        Self {
            rows: Json(rows),
            portal_refunds: Json(&rows.portal_refunds),
            portal_refund_shares: Json(&rows.portal_refund_shares),
            refunds: Json(&rows.refunds),
            payment_balances: Json(&rows.payment_balances),
            incidents: Json(&rows.incidents),
            now,
        }
    }

    /// The statements of what there is.
    pub(crate) fn statements(&'a self) -> Vec<Sent<'a>> {
        let rows = self.rows.0;
        let now = &self.now;
        let mut all = Vec::new();
        if rows.has_books() {
            let parameters: Vec<&(dyn ToSql + Sync)> =
                vec![&self.rows, &rows.evidence, &rows.links, now];
            all.push(Sent::of(sql::EFFECTS_RECORD, parameters));
        }
        if !rows.portal_refunds.is_empty() {
            let parameters: Vec<&(dyn ToSql + Sync)> =
                vec![&self.portal_refunds, &self.portal_refund_shares];
            all.push(Sent::of(sql::REFUNDS_BOOK, parameters));
        }
        if !rows.refunds.is_empty() || !rows.payment_balances.is_empty() {
            let parameters: Vec<&(dyn ToSql + Sync)> = vec![&self.refunds, &self.payment_balances];
            all.push(Sent::of(sql::REFUNDS_MOVE, parameters));
        }
        if !rows.incidents.is_empty() {
            all.push(Sent::of(sql::INCIDENTS_RECORD, vec![&self.incidents, now]));
        }
        all
    }
}

/// The messages as a statement to be sent; none where there are none.
pub(crate) fn paid_notices<'a>(
    notices: &'a PaidNotices<'_>,
    document: &'a Json<&'a Vec<PaidNotice>>,
    now: &'a Timestamp,
) -> Option<Sent<'a>> {
    (!notices.notices.is_empty()).then(|| {
        let PaidNotices { sealed, template, channel, .. } = notices;
        Sent::of(sql::PAID_NOTICES_INSERT, vec![document, sealed, template, channel, now])
    })
}
