//! What an order is made with: how long it lives on a clock that is never at a whole second, and
//! for whom it is.

use payhub::demo::{ALIPAY, WECHAT};
use serde_json::{Value, json};

use crate::harness::{World, at, word};
use crate::products::{LEGACY, legacy};

async fn ask(
    world: &World,
    merchant: &str,
    product: &str,
    fee: &str,
    more: &Value,
) -> (u16, Value) {
    let mut body = json!({"merchant_id": merchant, "product": product, "fee_ids": [fee]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    world.post("/v1/orders", &body).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shortest_and_the_longest_life_are_taken_at_every_fraction_of_a_second() {
    let world = World::open_with(&legacy()).await;
    let mut case = 0;
    for start in ["2018-11-30T01:00:00Z", "2018-11-30T01:00:00.4Z", "2018-11-30T01:00:01.999999Z"] {
        world.clock.set(at(start));
        for (merchant, product, code) in [
            (WECHAT, "native", None),
            (ALIPAY, "precreate", None),
            (LEGACY, "native", None),
            (LEGACY, "codepay", Some("13")),
            (ALIPAY, "pay", Some("28")),
        ] {
            for lives_s in [60, 604_800] {
                case += 1;
                let fee = world.fee(&case.to_string()).await;
                let mut more = json!({"expires_in_s": lives_s});
                if let Some(code) = code {
                    // A barcode that asks the payer, and that nobody showed before.
                    more["auth_code"] = json!(format!("{code}{case:012}9900"));
                }
                let (status, order) = ask(&world, merchant, product, &fee, &more).await;
                assert_eq!(status, 201, "{start} {merchant} {product} {lives_s}: {order}");
            }
        }
    }
    world.close_only().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_barcode_is_waited_for_no_longer_than_it_lives_whatever_was_asked() {
    let world = World::open_with(&legacy()).await;
    for (merchant, product, code) in
        [(LEGACY, "codepay", "134567890123459900"), (ALIPAY, "pay", "281234567890129900")]
    {
        let fee = world.fee(merchant).await;
        let more = json!({"auth_code": code, "expires_in_s": 7200});
        let (status, order) = ask(&world, merchant, product, &fee, &more).await;
        assert_eq!(status, 201, "{order}");
        for _ in 0..60 {
            world.seconds(10).await;
        }
        let then = world.order_now(&word(&order, "id")).await;
        assert_eq!(word(&then, "status"), "closed", "{merchant}: its fee is free again");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_one_browser_is_not_given_to_another() {
    let world = World::open().await;
    let ip = |ip: &str| json!({"payer": {"client_ip": ip}});
    let back = |url: &str| json!({"return_url": url});
    let person = |document: &str| {
        let identity = json!({"name": "张三", "id_no": "110101199001011237", "document": document});
        json!({"payer": {"identity": identity}})
    };
    let cases = [
        (WECHAT, "h5", ip("203.0.113.7"), ip("198.51.100.9"), false),
        // Whoever scans it pays, wherever the cashier's screen stands.
        (WECHAT, "native", ip("203.0.113.7"), ip("198.51.100.9"), true),
        (ALIPAY, "wap", back("https://a.example/1"), back("https://a.example/2"), false),
        (ALIPAY, "page", back("https://a.example/1"), json!({}), false),
        (ALIPAY, "precreate", person("identity_card"), person("passport"), false),
    ];
    for (case, (merchant, product, one, other, same)) in cases.into_iter().enumerate() {
        let fee = world.fee(&case.to_string()).await;
        let (status, first) = ask(&world, merchant, product, &fee, &one).await;
        assert_eq!(status, 201, "{product}: {first}");
        let (status, again) = ask(&world, merchant, product, &fee, &one).await;
        assert_eq!((status, &again["id"]), (200, &first["id"]), "{product}");
        let (status, second) = ask(&world, merchant, product, &fee, &other).await;
        assert!(status < 300, "{product}: {second}");
        assert_eq!(second["id"] == first["id"], same, "{product}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_shows_when_a_code_is_renewed_is_asked_for_at_once() {
    let world = World::open().await;
    let fee = world.fee("1").await;
    let browser = json!({"payer": {"client_ip": "203.0.113.7"}});
    let (_, order) = ask(&world, WECHAT, "h5", &fee, &browser).await;
    world.seconds(245).await;
    world.sandbox.engine().pay(&word(&order, "out_trade_no"), false).unwrap();
    assert_eq!(ask(&world, WECHAT, "h5", &fee, &browser).await.0, 200);
    world.settle().await.unwrap();
    assert_eq!(word(&world.order_now(&word(&order, "id")).await, "status"), "paid");
    world.finish().await;
}
