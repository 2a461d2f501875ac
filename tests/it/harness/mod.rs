//! An office for each test: a database cloned from a migrated template, the hub, the providers'
//! sandbox and a webhook receiver, all over HTTP, on a clock that the test moves by hand. Whoever
//! opens one must [`World::finish`] it, and that asserts that the books are right.

mod apart;
pub(crate) mod cluster;
pub(crate) mod typed;
pub(crate) mod wire;

use std::collections::BTreeMap;
use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};
use payhub::demo::{Office, Opening};
use payhub::store::Store;
use sandbox::SandboxConfig;
use serde_json::{Value, json};

use cluster::Lent;

/// 2018-11-30 09:00 in Beijing, a Friday.
pub(crate) const OPENING: &str = "2018-11-30T01:00:00Z";

/// A running office over a database of its own.
pub(crate) struct World {
    office: Office,
    database: Lent,
}

impl Deref for World {
    type Target = Office;
    fn deref(&self) -> &Office {
        &self.office
    }
}

impl World {
    /// Opens an office on the Friday.
    pub(crate) async fn open() -> Self {
        Self::open_with("").await
    }

    /// Opens an office with further tables of `payhub.toml`.
    pub(crate) async fn open_with(more: &str) -> Self {
        Self::open_at(more, |_as_usual| {}).await
    }

    /// Opens an office whose providers are other than usual.
    pub(crate) async fn open_at(more: &str, arrange: fn(&mut SandboxConfig)) -> Self {
        Self::open_on(Lent::new().await, more, arrange).await
    }

    /// Opens an office on a PostgreSQL of its own, for a test that changes the server.
    pub(crate) async fn open_alone() -> Self {
        Self::open_on(Lent::alone().await, "", |_as_usual| {}).await
    }

    async fn open_on(database: Lent, more: &str, arrange: fn(&mut SandboxConfig)) -> Self {
        let opening = Opening {
            now: OPENING.parse().unwrap(),
            listen: ([127, 0, 0, 1], 0).into(),
            seed: 1,
            more,
            arrange,
        };
        let office = Office::open(database.store(), &opening).await.expect("the office opens");
        Self { office, database }
    }

    /// A second connection pool to the same database, as another hub would have.
    pub(crate) fn another_store(&self) -> Store {
        self.database.store()
    }

    /// Its database, for another process.
    pub(crate) fn database_url(&self) -> String {
        self.database.url()
    }

    /// A direct connection, for looking at rows.
    pub(crate) async fn database(&self) -> tokio_postgres::Client {
        self.database.connect().await
    }

    /// Issues a fee of 80 yuan and gives its id.
    pub(crate) async fn fee(&self, case_no: &str) -> String {
        let body = json!({
            "case_no": case_no,
            "items": [{"code": "REG.RES", "quantity": 1, "registration_type": "transfer"}],
            "payer": {"name": "张三", "phone": "13812345678"},
        });
        let (status, fee) = self.post("/v1/fees", &body).await.unwrap();
        assert_eq!(status, 201, "{fee}");
        word(&fee, "id")
    }

    /// Places an order for fees and gives status and answer.
    pub(crate) async fn order(&self, merchant: &str, fees: &[&str]) -> (u16, Value) {
        let product = if merchant == payhub::demo::WECHAT { "native" } else { "precreate" };
        let body = json!({"merchant_id": merchant, "product": product, "fee_ids": fees});
        self.post("/v1/orders", &body).await.unwrap()
    }

    /// An order as its GET answers it.
    pub(crate) async fn order_now(&self, id: &str) -> Value {
        let (status, order) = self.get(&format!("/v1/orders/{id}")).await.unwrap();
        assert_eq!(status, 200, "{order}");
        order
    }

    /// A fee's status.
    pub(crate) async fn fee_status(&self, id: &str) -> String {
        let (status, fee) = self.get(&format!("/v1/fees/{id}")).await.unwrap();
        assert_eq!(status, 200, "{fee}");
        word(&fee, "status")
    }

    /// A paid order for one fresh fee: fee id, order id, order number.
    pub(crate) async fn paid(&self, merchant: &str, case_no: &str) -> (String, String, String) {
        let fee = self.fee(case_no).await;
        let (status, order) = self.order(merchant, &[&fee]).await;
        assert_eq!(status, 201, "{order}");
        let number = word(&order, "out_trade_no");
        self.sandbox.engine().pay(&number, true).unwrap();
        self.settle().await.unwrap();
        let id = word(&order, "id");
        assert_eq!(word(&self.order_now(&id).await, "status"), "paid");
        (fee, id, number)
    }

    /// Seconds pass, and what is due happens.
    pub(crate) async fn seconds(&self, seconds: i64) {
        self.pass(SignedDuration::from_secs(seconds)).await.unwrap();
    }

    /// How many webhooks of each type were heard.
    pub(crate) fn heard(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for heard in self.receiver.heard() {
            *counts.entry(word(&heard.body, "type")).or_default() += 1;
        }
        counts
    }

    /// How many rows a query counts.
    pub(crate) async fn count(&self, query: &str) -> i64 {
        self.database().await.query_one(query, &[]).await.unwrap().get(0)
    }

    /// Waits until a query counts `wanted` rows, written by somebody for whom no answer waits.
    pub(crate) async fn becomes(&self, query: &str, wanted: i64) {
        let begun = std::time::Instant::now();
        loop {
            let counted = self.count(query).await;
            if counted == wanted {
                return;
            }
            assert!(begun.elapsed().as_secs() < 20, "{query}: {counted}, not {wanted}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Ends the test: nothing is left to do, the journal proves itself, and every fen that the
    /// providers moved is in the books.
    pub(crate) async fn finish(self) {
        self.settle().await.expect("the office settles");
        let proof = payhub::ledger::verify(&self.hub).await.unwrap();
        assert_eq!(proof.breaks, Vec::<String>::new());
        let state = self.sandbox.engine().state();
        let mut moved = BTreeMap::<String, i64>::new();
        for order in &state.orders {
            *moved.entry(order.out_trade_no.clone()).or_default() += order.paid_fen.get();
        }
        let client = self.database().await;
        for (number, fen) in moved.into_iter().filter(|(_, fen)| *fen > 0) {
            let booked: i64 = client
                .query_one(
                    "SELECT COALESCE(sum(p.amount_fen), 0)::bigint FROM payments p JOIN orders o USING (order_id)
                      WHERE o.out_trade_no = $1",
                    &[&number],
                )
                .await
                .unwrap()
                .get(0);
            let incidents: i64 = client
                .query_one(
                    "SELECT count(*) FROM incidents WHERE position($1 in dedupe_key) > 0",
                    &[&number],
                )
                .await
                .unwrap()
                .get(0);
            assert!(
                booked == fen || incidents > 0,
                "order {number}: {fen} fen moved, {booked} booked"
            );
        }
        drop(client);
        self.close_only().await;
    }

    /// Ends a test that broke the books on purpose.
    pub(crate) async fn close_only(self) {
        self.office.close().await;
        self.database.give_back().await;
    }
}

/// A text field.
#[track_caller]
pub(crate) fn word(value: &Value, name: &str) -> String {
    value
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{name} is no text in {value}"))
        .to_owned()
}

/// An instant.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
