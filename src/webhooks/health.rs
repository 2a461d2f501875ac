//! How endpoints answer over time. One that says that it is gone, or that failed for five days
//! without any success, is not asked any more, and an incident tells of it once.

use deadpool_postgres::GenericClient;
use domain::ids::IncidentId;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::store::StoreError;
use crate::store::applications::{self, Health};
use crate::store::endpoints::{self, DisabledBy};
use crate::store::incidents::{self, NewOfApplication};

/// How long an endpoint may fail without any success before the hub disables it.
const FAILING_MAX: SignedDuration = SignedDuration::from_hours(120);
/// How exactly the times of success and failure are kept: a row that changed for every event would
/// slow every event down.
const EXACTNESS: SignedDuration = SignedDuration::from_mins(1);

/// What an answer, or its absence, says about the endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It took an event.
    Taken,
    /// It did not.
    Failed {
        /// What happened, in the hub's words.
        how: String,
        /// Until when it asked to hear nothing.
        until: Option<Timestamp>,
    },
    /// It said that it is gone (410).
    Gone {
        /// What it said.
        how: String,
    },
}

/// Whether this is news: an end or a beginning of failures, over a minute later than the last, or a
/// longer wait than it asked for before.
pub(crate) fn worth_a_note(heard: &Heard, known: &Health, now: Timestamp) -> bool {
    let is_old =
        |noted: Option<Timestamp>| noted.is_none_or(|noted| now.duration_since(noted) >= EXACTNESS);
    match heard {
        Heard::Taken => known.failing_since.is_some() || is_old(known.success_at),
        Heard::Failed { until, .. } => {
            known.failing_since.is_none() || is_old(known.failure_at) || *until > known.held_until
        }
        Heard::Gone { .. } => true,
    }
}

/// Writes down what was heard of an application's endpoint at an address over a delivery, and what
/// follows. Nothing, where it has another address by now.
pub(crate) async fn hear(
    client: &impl GenericClient,
    (application, url): (&str, &str),
    delivery_id: i64,
    heard: &Heard,
    now: Timestamp,
) -> Result<(), StoreError> {
    match heard {
        Heard::Taken => {
            endpoints::heard(client, (application, url), now, None, None).await?;
        }
        Heard::Failed { how, until } => {
            let since =
                endpoints::heard(client, (application, url), now, Some(how), *until).await?;
            if let Some(since) = since
                && now.duration_since(since) >= FAILING_MAX
                && endpoints::disable(client, application, DisabledBy::Failing, now).await?
            {
                let detail = format!(
                    "the endpoint of {application} failed for five days and is disabled; its \
                     events wait; enable it when it is mended: {how}"
                );
                let kind = ("endpoint_disabled", since.to_string());
                tell(client, application, kind, &detail, now).await?;
            }
        }
        Heard::Gone { how } => {
            endpoints::heard(client, (application, url), now, Some(how), None).await?;
            if applications::endpoint_gone(client, (application, url), now).await? {
                let detail = format!("the endpoint of {application} said that it is gone: {how}");
                let kind = ("endpoint_gone", delivery_id.to_string());
                tell(client, application, kind, &detail, now).await?;
            }
        }
    }
    Ok(())
}

/// Tells those whose endpoint it is, and operators, once for each kind and cause.
async fn tell(
    client: &impl GenericClient,
    application: &str,
    (kind, cause): (&str, String),
    detail: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let incident = NewOfApplication {
        incident_id: &IncidentId::new(Uuid::now_v7()),
        application,
        kind,
        detail,
        dedupe_key: &format!("{kind}:{application}:{cause}"),
        now,
    };
    incidents::open_of_application(client, &incident).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_news_is_written_down() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let now = at("2018-11-30T02:00:00Z");
        let recent = Some(at("2018-11-30T01:59:30Z"));
        let old = Some(at("2018-11-30T01:59:00Z"));
        let well = Health { success_at: recent, ..Health::default() };
        let failing = Health { failing_since: old, failure_at: recent, ..Health::default() };
        let failed = |until| Heard::Failed { how: "HTTP 503".to_owned(), until };
        let held = Health { held_until: Some(at("2018-11-30T02:10:00Z")), ..failing };
        for (heard, known, is_news) in [
            (&Heard::Taken, Health::default(), true),
            (&Heard::Taken, well, false),
            (&Heard::Taken, Health { success_at: old, ..well }, true),
            (&Heard::Taken, Health { success_at: recent, ..failing }, true),
            (&failed(None), well, true),
            (&failed(None), failing, false),
            (&failed(None), Health { failure_at: old, ..failing }, true),
            (&failed(Some(at("2018-11-30T02:10:00Z"))), failing, true),
            (&failed(Some(at("2018-11-30T02:10:00Z"))), held, false),
            (&failed(Some(at("2018-11-30T02:10:01Z"))), held, true),
            (&Heard::Gone { how: String::new() }, failing, true),
        ] {
            assert_eq!(worth_a_note(heard, &known, now), is_news, "{heard:?} {known:?}");
        }
    }
}
