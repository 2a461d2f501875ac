//! Whatever happened was told: every event reached its receiver at least once, under one id and with
//! one body, in the order of its subject; nothing was told twice as two events, and nothing that
//! did not happen.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::super::live::Run;
use super::super::scene::told;
use super::sentences;

/// How long a transaction of others may keep the feed waiting.
const OTHERS_TRANSACTIONS: Duration = Duration::from_secs(20);
/// Each gives a sentence a row for what may not be.
const RULES: [&str; 9] = [
    "SELECT 'refund ' || subject_id || ' is told to have failed and to have succeeded' FROM events
      WHERE type IN ('refund.succeeded', 'refund.failed') GROUP BY subject_id HAVING count(DISTINCT type) > 1",
    "SELECT 'order ' || order_id || ' was given up without a word, and paid late' FROM orders o
      WHERE paid_late AND refused_code IS NULL
        AND NOT EXISTS (SELECT FROM events e WHERE e.subject_id = o.order_id AND e.type = 'order.closed')",
    "SELECT type || ' is told ' || count(*) || ' times of ' || subject_id FROM events
      WHERE type IN ('order.paid', 'order.paid_late', 'order.closed', 'fee.paid', 'payment.surplus', 'refund.succeeded',
                     'refund.failed', 'reconciliation.completed', 'difference.opened')
      GROUP BY type, subject_id HAVING count(*) > 1",
    "SELECT 'order ' || o.order_id || ' is paid and told of by ' || count(e.event_id) || ' events' FROM orders o
       LEFT JOIN events e ON e.subject_id = o.order_id AND e.type IN ('order.paid', 'order.paid_late')
      GROUP BY o.order_id, o.state HAVING count(e.event_id) <> (o.state = 'paid')::int",
    "SELECT 'order ' || o.order_id || ' came late: ' || o.paid_late || ', and is told as ' || e.type FROM orders o
       JOIN events e ON e.subject_id = o.order_id AND e.type IN ('order.paid', 'order.paid_late')
      WHERE o.paid_late <> (e.type = 'order.paid_late')",
    "SELECT 'order ' || order_id || ' is closed and nobody was told' FROM orders o
      WHERE state = 'closed' AND NOT EXISTS (SELECT FROM events e WHERE e.subject_id = o.order_id AND e.type = 'order.closed')",
    "SELECT 'surplus of payment ' || p.payment_id || ' is told of by ' || count(e.event_id) || ' events' FROM payments p
       LEFT JOIN events e ON e.subject_id = p.payment_id AND e.type = 'payment.surplus'
      GROUP BY p.payment_id, p.surplus_fen HAVING count(e.event_id) <> (p.surplus_fen > 0)::int",
    "SELECT 'fee ' || b.fee_id || ' is ' || b.paid_fen || ' of ' || b.total_fen || ' paid and told of by ' || count(e.event_id) || ' events'
       FROM fee_balances b LEFT JOIN events e ON e.subject_id = b.fee_id AND e.type = 'fee.paid'
      GROUP BY b.fee_id, b.paid_fen, b.total_fen HAVING count(e.event_id) <> (b.total_fen > 0 AND b.paid_fen = b.total_fen)::int",
    "SELECT 'refund ' || r.refund_id || ' is ' || r.state || ' and told of by ' || count(e.event_id) || ' events' FROM refunds r
       LEFT JOIN events e ON e.subject_id = r.refund_id AND e.type = CASE r.state WHEN 'succeeded' THEN 'refund.succeeded' ELSE 'refund.failed' END
      WHERE r.state IN ('succeeded', 'failed') GROUP BY r.refund_id, r.state HAVING count(e.event_id) <> 1",
];

pub(super) async fn breaks(run: &Run<'_>) -> Result<Vec<String>, String> {
    let mut breaks = Vec::new();
    for rule in RULES {
        breaks.extend(sentences(run, rule).await?);
    }
    let mut bodies: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut places = BTreeMap::new();
    for (place, heard) in run.scene.office.receiver.heard().into_iter().enumerate() {
        if heard.body["id"] != heard.id.as_str() {
            breaks.push(format!("event {} came with the body of {}", heard.id, heard.body["id"]));
        }
        places.entry(heard.id.clone()).or_insert(place);
        let first = bodies.entry(heard.id.clone()).or_insert_with(|| heard.raw.clone());
        if *first != heard.raw {
            breaks.push(format!("event {} came with two bodies", heard.id));
        }
    }
    let query = "SELECT e.event_id, e.body, d.ordering_key, d.state FROM events e LEFT JOIN deliveries d USING (event_id)
                  ORDER BY d.delivery_id";
    let mut last: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut known = 0;
    for row in run.scene.rows(query).await? {
        let (event, body): (String, String) = (row.get(0), row.get(1));
        let (Some(key), Some(state)) =
            (row.get::<_, Option<String>>(2), row.get::<_, Option<String>>(3))
        else {
            breaks.push(format!("event {event} is sent to nobody"));
            continue;
        };
        known += 1;
        let Some(place) = places.get(&event) else {
            breaks.push(format!("event {event} ({state}) was never heard"));
            continue;
        };
        if bodies.get(&event).is_none_or(|heard| *heard != body.as_bytes()) {
            breaks.push(format!("event {event} was heard with another body than its own"));
        }
        if let Some((before, earlier)) = last.insert(key.clone(), (*place, event.clone()))
            && before > *place
        {
            breaks.push(format!("of {key} the event {event} was heard before {earlier}"));
        }
    }
    if places.len() > known {
        breaks.push(format!("{} events were heard, {known} are on record", places.len()));
    }
    breaks.extend(feed(run).await?);
    Ok(breaks)
}

/// The feed gives each event of the backend once, in order; the youngest only when no older
/// transaction of the whole cluster is open any more, which others may share.
async fn feed(run: &Run<'_>) -> Result<Vec<String>, String> {
    let query = "SELECT event_id FROM events WHERE application_id = 'registry'
                     OR type IN ('reconciliation.completed', 'difference.opened', 'difference.resolved')
                  ORDER BY transaction_id, position";
    let written: Vec<String> = sentences(run, query).await?;
    let begun = Instant::now();
    loop {
        let read = read_feed(run).await?;
        if read == written {
            return Ok(Vec::new());
        }
        if !written.starts_with(&read) || begun.elapsed() > OTHERS_TRANSACTIONS {
            let [read, written] = [read.len(), written.len()];
            let what =
                format!("the feed has {read} events, {written} are written, or in another order");
            return Ok(vec![what]);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The feed as it is now.
async fn read_feed(run: &Run<'_>) -> Result<Vec<String>, String> {
    let mut read: Vec<String> = Vec::new();
    let mut after = String::new();
    loop {
        let (status, page) =
            run.scene.office.get(&format!("/v1/events?limit=200{after}")).await.map_err(told)?;
        let ids =
            page["data"].as_array().ok_or_else(|| format!("the feed gave {status} {page}"))?;
        read.extend(ids.iter().filter_map(|event| event["id"].as_str().map(str::to_owned)));
        match page["next_cursor"].as_str() {
            Some(cursor) => after = format!("&after={cursor}"),
            None => return Ok(read),
        }
    }
}
