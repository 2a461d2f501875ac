//! Two hubs that are restarted one after another, or one of which is killed, while backends ask and
//! providers tell: whoever was told that something is stored finds it, nothing is done twice, and
//! every event is heard.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use nix::sys::signal::Signal;
use payhub::demo::{ALIPAY, WECHAT};
use sandbox::{Action, Fault, Place, Sealed};
use serde_json::{Value, json};

use super::town::{API_KEY, Process, Town, fee_body, order_body, until};
use crate::harness::word;

const LONG: Duration = Duration::from_secs(120);
/// How many callers there are, and how often each asks at most.
const CALLERS: usize = 3;
const ROUNDS: usize = 300;
/// How long a caller waits before he tries another hub.
const PAUSE: Duration = Duration::from_millis(20);

/// What callers and providers were told, and how far they are.
struct Load {
    urls: [String; 2],
    stop: AtomicBool,
    done: AtomicUsize,
}

/// An order with whose payment its provider's callback was taken.
struct Acknowledged {
    fee: String,
    order: String,
    number: String,
}

impl Load {
    fn on(hubs: &[Process; 2]) -> Self {
        let urls = [hubs[0].url(""), hubs[1].url("")];
        Self { urls, stop: AtomicBool::new(false), done: AtomicUsize::new(0) }
    }

    /// Asks one hub after the other until one answers, as whoever calls with a key or a notice may.
    async fn insist(
        &self,
        begin: usize,
        request: impl Fn(&str) -> reqwest::RequestBuilder,
    ) -> (u16, Vec<u8>) {
        let begun = Instant::now();
        for turn in begin.. {
            assert!(begun.elapsed() < LONG, "no hub answers");
            let asked = async {
                let answer = request(&self.urls[turn % 2]).send().await.ok()?;
                let status = answer.status().as_u16();
                // An answer that breaks off is none.
                Some((status, answer.bytes().await.ok()?.to_vec()))
            };
            match asked.await {
                Some((status, body)) if status < 500 && !is_of_the_moment(status, &body) => {
                    return (status, body);
                }
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        unreachable!("somebody answered")
    }

    async fn post(&self, town: &Town, begin: usize, path: &str, key: &str, body: &Value) -> Value {
        let (status, answer) = self
            .insist(begin, |hub| {
                let request = town.client.post(format!("{hub}{path}")).bearer_auth(API_KEY);
                request.header("idempotency-key", key).body(body.to_string())
            })
            .await;
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        assert!((200..300).contains(&status), "{path} {key}: {status} {answer}");
        answer
    }

    /// A fee, its order, its payment and the provider's callback, again and again.
    async fn call(&self, town: &Town, name: usize) -> Vec<Acknowledged> {
        let mut acknowledged = Vec::new();
        for round in 0..ROUNDS {
            if self.stop.load(Ordering::SeqCst) {
                break;
            }
            let (merchant, case) = ([WECHAT, ALIPAY][round % 2], format!("{name}-{round}"));
            let begin = name + round;
            let key = format!("fee-{case}");
            let fee = word(&self.post(town, begin, "/v1/fees", &key, &fee_body(&case)).await, "id");
            let (key, body) = (format!("order-{case}"), order_body(merchant, &fee));
            let order = self.post(town, begin + 1, "/v1/orders", &key, &body).await;
            let number = word(&order, "out_trade_no");
            paid(town, &number).await;
            let (status, body) = self
                .insist(begin, |hub| notice(town, &format!("{hub}/callbacks/{merchant}"), &number))
                .await;
            let right = if merchant == WECHAT { "" } else { "success" };
            assert_eq!((status, body.as_slice()), (200, right.as_bytes()));
            acknowledged.push(Acknowledged { fee, order: word(&order, "id"), number });
            self.done.fetch_add(1, Ordering::SeqCst);
        }
        acknowledged
    }

    /// Waits until so many more orders are through.
    async fn more(&self, orders: usize) {
        let wanted = self.done.load(Ordering::SeqCst) + orders;
        until("under load", LONG, async || self.done.load(Ordering::SeqCst) >= wanted).await;
    }
}

/// The payer pays, as soon as the order is at its provider: a hub that died may have left that to
/// another one.
async fn paid(town: &Town, number: &str) {
    until("placed", LONG, async || town.sandbox.engine().pay(number, true).is_ok()).await;
}

/// Whether an answer is of the moment, and says when to come again.
fn is_of_the_moment(status: u16, body: &[u8]) -> bool {
    status == 409
        && serde_json::from_slice::<Value>(body).is_ok_and(|body| body["retry_after_s"].is_u64())
}

/// The provider's notice of an order, signed anew.
fn notice(town: &Town, url: &str, number: &str) -> reqwest::RequestBuilder {
    let Sealed { headers, body, .. } = town.sandbox.engine().sealed_callback(number).unwrap();
    let request = town.client.post(url).body(body);
    headers.into_iter().fold(request, |request, (name, value)| request.header(name, value))
}

/// What was acknowledged is stored once, and every event is heard under its one id.
async fn nothing_is_lost(town: &Town, acknowledged: &[Acknowledged]) {
    let client = town.database().await;
    for Acknowledged { fee, order, number } in acknowledged {
        let row = client
            .query_one(
                "SELECT o.state, o.out_trade_no, (SELECT count(*) FROM payments p WHERE p.order_id = o.order_id),
                        (SELECT b.paid_fen FROM fee_balances b WHERE b.fee_id = $2)
                   FROM orders o WHERE o.order_id = $1",
                &[order, fee],
            )
            .await
            .unwrap();
        let found: (String, String, i64, i64) = (row.get(0), row.get(1), row.get(2), row.get(3));
        assert_eq!(found, ("paid".to_owned(), number.clone(), 1, 8000), "order {order}");
    }
    let twice = "SELECT count(*) - count(DISTINCT (type, subject_id)) FROM events";
    assert_eq!(town.count(twice).await, 0, "each thing is one event");
    town.let_leases_end().await;
    let told: BTreeSet<String> = town.events().await.into_iter().collect();
    assert!(told.len() >= 2 * acknowledged.len());
    until("all heard", LONG, async || {
        let heard: BTreeSet<String> =
            town.receiver.heard().iter().map(|heard| word(&heard.body, "id")).collect();
        told.is_subset(&heard)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hubs_that_are_restarted_one_after_another_under_load_lose_nothing() {
    let mut town = Town::open().await;
    town.drain_s = 1;
    let mut hubs = [town.hub("all").await, town.hub("all").await];
    let load = Load::on(&hubs);
    let restarts = async {
        load.more(4).await;
        for hub in &mut hubs {
            hub.signal(Signal::SIGTERM);
            let status = hub.ended(Duration::from_secs(30)).await;
            assert_eq!(status.code(), Some(0), "{}", hub.log());
            hub.start();
            hub.ready(&town.client).await;
            load.more(4).await;
        }
        load.stop.store(true, Ordering::SeqCst);
    };
    let calls = join_all((0..CALLERS).map(|name| load.call(&town, name)));
    let (acknowledged, ()) = tokio::join!(calls, restarts);
    let acknowledged: Vec<_> = acknowledged.into_iter().flatten().collect();
    println!("{} orders while two hubs were restarted", acknowledged.len());
    nothing_is_lost(&town, &acknowledged).await;
    for hub in hubs {
        hub.stop().await;
    }
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_is_killed_beside_another_loses_nothing() {
    let town = Town::open().await;
    let mut hubs = [town.hub("all").await, town.hub("all").await];
    let load = Load::on(&hubs);
    let killed = async {
        load.more(4).await;
        hubs[0].restart(&town.client).await;
        // What the dead one held is anybody's once its leases are over.
        town.let_leases_end().await;
        load.more(4).await;
        load.stop.store(true, Ordering::SeqCst);
    };
    let calls = join_all((0..CALLERS).map(|name| load.call(&town, name)));
    let (acknowledged, ()) = tokio::join!(calls, killed);
    let acknowledged: Vec<_> = acknowledged.into_iter().flatten().collect();
    println!("{} orders while a hub was killed", acknowledged.len());
    nothing_is_lost(&town, &acknowledged).await;
    for hub in hubs {
        hub.stop().await;
    }
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn t02_fifty_of_one_notice_at_two_processes_are_one_payment_and_fifty_right_answers() {
    let town = Town::open().await;
    let hubs = [town.hub("all").await, town.hub("all").await];
    // Nobody tells of it but the fifty.
    town.sandbox.engine().set_fault(Fault::new(Place::Callback, Action::Drop)).unwrap();
    for (merchant, right) in [(WECHAT, ""), (ALIPAY, "success")] {
        let order = town.order(&hubs[0], merchant, merchant).await;
        let number = word(&order, "out_trade_no");
        town.sandbox.engine().pay(&number, true).unwrap();
        let all = (0..50).map(|turn: usize| {
            let url = hubs[turn % 2].url(&format!("/callbacks/{merchant}"));
            let said = notice(&town, &url, &number).send();
            async move {
                let answer = said.await.unwrap();
                (answer.status().as_u16(), answer.text().await.unwrap())
            }
        });
        for answer in join_all(all).await {
            assert_eq!(answer, (200, right.to_owned()), "{merchant}");
        }
        let id = word(&order, "id");
        for (what, one) in [
            ("state", format!("orders WHERE order_id = '{id}' AND state = 'paid'")),
            ("payment", format!("payments WHERE order_id = '{id}'")),
            ("event", format!("events WHERE subject_id = '{id}' AND type = 'order.paid'")),
            (
                "posting",
                format!(
                    "journal_entries WHERE subject_id = (SELECT payment_id FROM payments WHERE order_id = '{id}')"
                ),
            ),
        ] {
            let counted = town.count(&format!("SELECT count(*) FROM {one}")).await;
            assert_eq!(counted, 1, "{merchant}: one {what}");
        }
    }
    until("told", LONG, async || town.receiver.heard().len() >= 4).await;
    let heard: Vec<String> =
        town.receiver.heard().iter().map(|heard| word(&heard.body, "id")).collect();
    let ids: BTreeSet<&String> = heard.iter().collect();
    assert_eq!((heard.len(), ids.len()), (4, 4), "each event once");
    for hub in hubs {
        hub.stop().await;
    }
    town.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_stops_says_so_while_it_still_takes_requests() {
    let mut town = Town::open().await;
    town.drain_s = 5;
    let mut hub = town.hub("all").await;
    hub.signal(Signal::SIGTERM);
    let told = Instant::now();
    let unready = async || {
        let (status, ready) = town.get(&hub, "/readyz").await;
        (status, &ready["status"]) == (503, &json!("stopping"))
    };
    until("it says so", LONG, unready).await;
    // Whoever has not looked yet is served.
    let fee = town.fee(&hub, "1").await;
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    let status = hub.ended(Duration::from_secs(30)).await;
    assert_eq!(status.code(), Some(0), "{}", hub.log());
    let stored = format!("SELECT count(*) FROM fees WHERE fee_id = '{fee}'");
    assert_eq!(town.count(&stored).await, 1);
    town.finish().await;
}
