//! Nobody is told a thing twice: the vendor took at most one message of a template for a phone, but
//! for one that the carrier said it could not deliver; and what the hub thinks became of each is
//! what the vendor did.

use std::collections::BTreeMap;

use super::super::live::Run;
use super::sentences;

/// Each gives a sentence a row for what may not be.
const RULES: [&str; 3] = [
    "SELECT 'fee ' || f.fee_id || ' has ' || count(n.notification_id) || ' messages that it is issued' FROM fees f
       LEFT JOIN notifications n ON n.subject_id = f.fee_id AND n.template = 'FEE.ISSUED'
      GROUP BY f.fee_id, f.total_fen HAVING count(n.notification_id) <> (f.total_fen > 0)::int",
    "SELECT 'fee ' || e.subject_id || ' has ' || count(n.notification_id) || ' messages that it is paid' FROM events e
       LEFT JOIN notifications n ON n.subject_id = e.subject_id AND n.template = 'PAY.SUCCEEDED'
      WHERE e.type = 'fee.paid' GROUP BY e.subject_id HAVING count(n.notification_id) <> 1",
    "SELECT 'message ' || notification_id || ' is still ' || state FROM notifications WHERE state IN ('queued', 'held', 'sending')",
];

pub(super) async fn breaks(run: &Run<'_>) -> Result<Vec<String>, String> {
    let mut breaks = Vec::new();
    for rule in RULES {
        breaks.extend(sentences(run, rule).await?);
    }
    let mut taken: BTreeMap<(String, String), usize> = BTreeMap::new();
    for message in run.scene.office.sandbox.engine().state().sms {
        if message.state != "failed" {
            *taken.entry((message.phone, message.template_code)).or_default() += 1;
        }
    }
    let twice = taken.iter().filter(|(_, count)| **count > 1);
    breaks.extend(twice.map(|((phone, template), count)| {
        format!("the vendor took {template} for {phone} {count} times")
    }));
    let query = "SELECT count(*) FROM notifications WHERE state IN ('sent', 'delivered')";
    let sent: i64 = run.scene.rows(query).await?[0].get(0);
    if usize::try_from(sent).unwrap_or_default() > taken.len() {
        breaks.push(format!("{sent} messages are called sent, the vendor took {}", taken.len()));
    }
    Ok(breaks)
}
