//! A provider that refuses the hub itself, not what it asked for: wrong keys, missing permissions,
//! or a clock that is minutes off. Retrying mends nothing of that; a person must, and is told how
//! far the two clocks are apart.

use adapters::wire::{Answer, Refusal};
use domain::ids::IncidentId;
use domain::time::{business_day, rfc3339};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::hub::{Hub, Merchant};
use crate::store::incidents::{self, NewIncident};

/// From how far on a clock is named as the cause: providers refuse calls that are 5 minutes off.
const SKEW: SignedDuration = SignedDuration::from_mins(4);

/// Opens an incident, once a day and code. That it cannot be opened changes no answer.
pub(super) async fn refused_us(
    hub: &Hub,
    merchant: &Merchant,
    refusal: &Refusal,
    answer: Option<&Answer>,
) {
    let now = hub.clock.now();
    let said_at = answer.and_then(dated);
    let clock = clocks(now, said_at);
    tracing::error!(
        merchant = %merchant.id, code = refusal.code, message = refusal.message, clock,
        "the provider refuses the hub itself"
    );
    let incident = NewIncident {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        merchant_id: &merchant.id,
        kind: "provider_refuses_the_hub",
        detail: &format!("{}: {}; {clock}", refusal.code, refusal.message),
        dedupe_key: &format!(
            "provider_refuses_the_hub:{}:{}:{}",
            merchant.id,
            refusal.code,
            business_day(now)
        ),
        order_id: None,
        refund_id: None,
        now,
    };
    let opened = async { incidents::open(&hub.store.client().await?, &incident).await };
    if let Err(error) = opened.await {
        tracing::error!(%error, "the incident could not be opened");
    }
}

/// When the provider says that it answered.
fn dated(answer: &Answer) -> Option<Timestamp> {
    let text = answer.headers.only("date")?;
    rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// What to look at first.
fn clocks(now: Timestamp, said_at: Option<Timestamp>) -> String {
    match said_at {
        Some(said_at) if now.duration_since(said_at).abs() >= SKEW => format!(
            "this machine's clock says {}, the provider's {}, {} seconds apart: set the clock (NTP)",
            rfc3339(now),
            rfc3339(said_at),
            now.duration_since(said_at).abs().as_secs()
        ),
        _ => "check the merchant's keys, serial numbers and permissions".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use adapters::wire::Headers;

    #[test]
    fn t07_a_clock_that_is_six_minutes_off_is_named_as_the_cause() {
        let now: Timestamp = "2018-11-30T01:06:00Z".parse().unwrap();
        let said = |date: &str| {
            let headers = Headers(vec![("Date".to_owned(), date.to_owned())]);
            clocks(now, dated(&Answer { status: 401, headers, body: Vec::new() }))
        };
        for late in ["Fri, 30 Nov 2018 01:00:00 GMT", "Fri, 30 Nov 2018 01:12:00 GMT"] {
            let told = said(late);
            assert!(told.contains("360 seconds apart: set the clock"), "{told}");
        }
        for other in ["Fri, 30 Nov 2018 01:05:00 GMT", "yesterday"] {
            assert!(said(other).starts_with("check the merchant's keys"), "{other}");
        }
    }
}
