//! Dispatch against receivers and a vendor that fail in every way that they do: what is told is
//! told in order and at least once, and nobody gets the same SMS twice because nobody knew.

mod asking;
mod claims;
mod engine;
mod gone;
mod messages;
pub(crate) mod peer;
mod webhooks;

use std::sync::Arc;

use domain::ManualClock;
use domain::event::EventType;
use domain::ids::{ApplicationId, EventId};
use jiff::{SignedDuration, Timestamp};
use payhub::config::{Config, Environment};
use payhub::hub::{self, Hub};
use payhub::record::event;
use payhub::store::events;
use payhub::{dispatch, store};
use serde_json::json;

use crate::harness::cluster::Lent;
use peer::Peer;

/// 2018-11-30 10:00 in Beijing.
const NOW: &str = "2018-11-30T02:00:00Z";
const PHONE: &str = "13812345678";

/// A hub that has one receiver of webhooks and one vendor of SMS.
struct Post {
    hub: Hub,
    clock: ManualClock,
    receiver: Peer,
    vendor: Peer,
    database: Lent,
    sql: tokio_postgres::Client,
}

impl Post {
    async fn open() -> Self {
        let database = Lent::new().await;
        let (receiver, vendor) = (Peer::start().await, Peer::start().await);
        let clock = ManualClock::at(NOW.parse().unwrap());
        let hub = open(&database, &receiver, &vendor, &clock).await;
        let sql = database.connect().await;
        Self { hub, clock, receiver, vendor, database, sql }
    }

    /// Another hub over the same database, as after a crash.
    async fn restart(&mut self) {
        self.hub.store.close();
        self.hub = open(&self.database, &self.receiver, &self.vendor, &self.clock).await;
    }

    /// Commits an event of one key and says nothing to anybody.
    async fn happens(&self, key: &str) -> EventId {
        let application: ApplicationId = "registry".parse().unwrap();
        let now = self.now();
        let told = event(
            EventType::OrderPaid,
            Some(&application),
            key,
            key,
            &json!({"id": key, "note": "土地"}),
            now,
        );
        let client = self.hub.store.client().await.unwrap();
        events::insert(&client, std::slice::from_ref(&told), now).await.unwrap();
        told.event_id
    }

    async fn run(&self) -> usize {
        dispatch::run_once(&self.hub).await.unwrap()
    }

    /// Runs what comes due while time passes, in steps of at most five minutes.
    async fn pass(&self, time: SignedDuration) {
        let end = self.now().checked_add(time).unwrap();
        while self.now() < end {
            let step = end.duration_since(self.now()).min(SignedDuration::from_mins(5));
            self.clock.advance(step);
            while self.run().await > 0 {}
        }
    }

    fn now(&self) -> Timestamp {
        domain::Clock::now(&self.clock)
    }

    /// The leases of a hub that died run out.
    async fn leases_run_out(&self) {
        self.sql.batch_execute("UPDATE deliveries SET leased_until = NULL").await.unwrap();
    }

    async fn text(&self, query: &str) -> String {
        let rows = self.sql.query(query, &[]).await.unwrap();
        rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join(" ")
    }

    async fn close(self) {
        self.hub.store.close();
        drop(self.sql);
        self.database.give_back().await;
    }
}

async fn open(database: &Lent, receiver: &Peer, vendor: &Peer, clock: &ManualClock) -> Hub {
    let (hooks, vendor) = (format!("{}/hooks", receiver.url), &vendor.url);
    let text = format!(
        r#"
[server]
listen = "127.0.0.1:0"
public_url = "http://127.0.0.1:1"
[database]
url = "postgres://unused@127.0.0.1/unused"
[security]
master_key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
[[channels]]
id = "sms-main"
kind = "aliyun-sms"
access_key_id = "id"
access_key_secret = "secret"
sign_name = "园区不动产"
endpoint = "{vendor}"
receipt_token = "0123456789abcdef"
[[templates]]
event = "FEE.ISSUED"
channel = "sms-main"
code = "SMS_1"
[[templates]]
event = "PAY.SUCCEEDED"
channel = "sms-main"
code = "SMS_2"
[[applications]]
id = "registry"
api_key = "key-of-registry"
webhook_url = "{hooks}"
webhook_secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
"#
    );
    let config = Config::parse(&text, "test.toml".as_ref(), &Environment::of([])).unwrap();
    let store: store::Store = database.store();
    let hub = hub::open(&config, store, Arc::new(clock.clone())).await.unwrap();
    hub::take_applications(&hub, &config).await.unwrap();
    hub
}
