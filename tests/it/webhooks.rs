//! Webhooks as a backend service that came by `payhub key add` sees them: its endpoint as a thing
//! of its own, its log, and sending again, all over HTTP.

mod endpoint;
mod held;
mod keys;
mod replay;
mod working;

use domain::event::EventType;
use domain::ids::{ApplicationId, EventId};
use jiff::SignedDuration;
use payhub::dispatch;
use payhub::record::event;
use payhub::store::applications::{self, NewApplication};
use payhub::store::events;
use payhub::webhooks::new_secret;
use serde_json::{Value, json};

use crate::dispatch::peer::Peer;
use crate::harness::{World, word};

/// The backend service's name and key.
const NAME: &str = "archive";
const KEY: &str = "key-of-the-archive";
/// Opens loopback, where the tests' receivers are.
const OPEN: &str = "[webhooks]\nallow = [\"127.0.0.0/8\"]\n";

/// An office with a second backend service, and where that listens.
struct Archive {
    world: World,
    receiver: Peer,
    /// Its first secret.
    secret: String,
}

impl Archive {
    /// One without an endpoint.
    async fn open(more: &str) -> Self {
        let world = World::open_with(more).await;
        let receiver = Peer::start().await;
        let secret = new_secret(&world.hub.sealer, NAME).unwrap();
        let client = world.hub.store.client().await.unwrap();
        let name: ApplicationId = NAME.parse().unwrap();
        let new = NewApplication {
            application_id: &name,
            key_hash: &world.hub.sealer.api_key_hash(KEY),
            webhook_url: None,
            webhook_secret: Some(&secret.sealed),
            webhook_previous: None,
            webhook_events: &[],
            concurrency: 4,
            now: world.hub.clock.now(),
        };
        assert!(applications::insert(&client, &new).await.unwrap());
        drop(client);
        Self { world, receiver, secret: secret.shown.expose().to_owned() }
    }

    /// One whose endpoint is set.
    async fn listening() -> Self {
        let archive = Self::open(OPEN).await;
        let (status, endpoint) = archive.put(&json!({"url": archive.hooks()})).await;
        assert_eq!(status, 200, "{endpoint}");
        archive
    }

    fn hooks(&self) -> String {
        format!("{}/hooks", self.receiver.url)
    }

    async fn ask(&self, method: &str, path: &str, body: Option<&Value>, key: &str) -> (u16, Value) {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request =
            self.world.client().request(method, self.world.url(path)).bearer_auth(KEY);
        if !key.is_empty() {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, None, "").await
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", path, Some(body), "").await
    }

    async fn put(&self, body: &Value) -> (u16, Value) {
        self.ask("PUT", "/v1/webhook-endpoint", Some(body), "").await
    }

    /// The endpoint as its GET answers it.
    async fn endpoint(&self) -> Value {
        let (status, endpoint) = self.get("/v1/webhook-endpoint").await;
        assert_eq!(status, 200, "{endpoint}");
        endpoint
    }

    /// Commits an event of one order and says nothing to anybody.
    async fn happens(&self, key: &str) -> EventId {
        let application: ApplicationId = NAME.parse().unwrap();
        let now = self.world.hub.clock.now();
        let told =
            event(EventType::OrderPaid, Some(&application), key, key, &json!({"id": key}), now);
        let client = self.world.hub.store.client().await.unwrap();
        events::insert(&client, std::slice::from_ref(&told), now).await.unwrap();
        told.event_id
    }

    /// Hands on what is due now.
    async fn run(&self) {
        while dispatch::run_once(&self.world.hub).await.unwrap() > 0 {}
    }

    /// Hands on what comes due while time passes, in steps of at most half an hour.
    async fn pass(&self, hours: i64) {
        for _ in 0..hours * 2 {
            self.world.clock.advance(SignedDuration::from_mins(30));
            self.run().await;
        }
    }

    /// What the receiver was sent, by event, in order.
    fn heard(&self) -> Vec<String> {
        let asked = self.receiver.asked();
        asked.iter().map(|asked| asked.header("webhook-id").to_owned()).collect()
    }

    /// The deliveries that a query of the list finds, by event.
    async fn listed(&self, query: &str) -> Vec<String> {
        let (status, page) = self.get(&format!("/v1/deliveries{query}")).await;
        assert_eq!(status, 200, "{page}");
        page["data"].as_array().unwrap().iter().map(|one| word(one, "event_id")).collect()
    }

    async fn close(self) {
        self.world.finish().await;
    }
}
