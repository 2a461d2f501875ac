//! Webhooks: order, repeats, dead letters, and where they may not go.

use adapters::webhook::{AllowList, Verifier, WebhookSecret, verify};
use adapters::wire::Headers;
use domain::Clock as _;
use jiff::SignedDuration;
use payhub::dispatch::{self, Webhooks};
use payhub::store::deliveries::{self, DeliveryState, Finish, Share};

use super::Post;
use super::peer::status;

const STATES: &str = "SELECT state FROM deliveries ORDER BY delivery_id";

#[actix_web::test]
async fn t25_what_was_committed_is_sent_by_whoever_comes_after_the_crash() {
    let mut post = Post::open().await;
    let id = post.happens("ord_1").await;
    post.restart().await;
    // The next hub dies with the delivery in its hands.
    let client = post.hub.store.client().await.unwrap();
    let lost = deliveries::claim(&client, post.now(), 16, &[]).await.unwrap().remove(0);
    assert_eq!(post.run().await, 0, "it is leased");
    post.leases_run_out().await;
    assert_eq!(post.run().await, 1);
    // The dead one was only slow: what it writes now is of no effect.
    let late = Finish {
        state: DeliveryState::Dead,
        receiver: "registry",
        attempts: 9,
        tries: 9,
        lookups: 0,
        next_at: post.now(),
        outcome: "transient",
        finished_at: None,
    };
    assert!(!deliveries::finish(&client, &lost, &late).await.unwrap());
    assert_eq!(post.text(STATES).await, "done");
    let asked = post.receiver.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("webhook-id"), id.as_str());
    let secret: WebhookSecret =
        "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".parse().unwrap();
    let headers = Headers(asked[0].headers.clone());
    verify(&Verifier::Secrets(&[&secret]), &headers, asked[0].body.as_bytes(), post.now()).unwrap();
    let stored = post.text("SELECT body FROM events").await;
    assert_eq!(asked[0].body, stored, "byte for byte");
    drop(client);
    post.close().await;
}

#[actix_web::test]
async fn events_of_one_order_stay_in_order_and_others_do_not_wait() {
    let post = Post::open().await;
    let first = post.happens("ord_1").await;
    let second = post.happens("ord_1").await;
    let other = post.happens("ord_2").await;
    let failing = first.to_string();
    post.receiver
        .says(move |asked| status(if asked.header("webhook-id") == failing { 500 } else { 200 }));
    while post.run().await > 0 {}
    assert_eq!(post.receiver.count("webhook-id", second.as_str()), 0, "the first comes first");
    assert_eq!(post.receiver.count("webhook-id", other.as_str()), 1);
    post.receiver.says(|_| status(200));
    post.pass(SignedDuration::from_secs(10)).await;
    let ids: Vec<String> =
        post.receiver.asked().iter().map(|asked| asked.header("webhook-id").to_owned()).collect();
    assert_eq!(ids.iter().filter(|id| **id == first.to_string()).count(), 2);
    assert_eq!(ids.last().unwrap(), second.as_str());
    assert_eq!(post.text(STATES).await, "done done done");
    assert_eq!(dispatch::waiting(&post.hub).await.unwrap(), 0);
    post.close().await;
}

#[actix_web::test]
async fn what_waits_behind_a_failed_one_is_due_with_it_and_goes_with_it() {
    let post = Post::open().await;
    let first = post.happens("ord_1").await;
    let second = post.happens("ord_1").await;
    post.happens("ord_2").await;
    post.receiver.says(|_| status(500));
    post.run().await;
    let due = "SELECT ordering_key || ' ' || count(DISTINCT next_at) || ' ' || (min(next_at) > max(created_at))
                 FROM deliveries GROUP BY ordering_key ORDER BY 1";
    assert_eq!(post.text(due).await, "ord_1 1 true ord_2 1 true", "no claim looks at it before");
    // Somebody sends the first again before its time: the second does not stay behind.
    post.receiver.says(|_| status(200));
    let client = post.hub.store.client().await.unwrap();
    let number: i64 =
        post.sql.query_one("SELECT min(delivery_id) FROM deliveries", &[]).await.unwrap().get(0);
    let again = payhub::store::webhooks::resend(&client, "registry", &[number], post.now()).await;
    assert_eq!(again.unwrap().len(), 1);
    drop(client);
    post.run().await;
    let heard = post.receiver.asked();
    let heard: Vec<&str> = heard.iter().map(|asked| asked.header("webhook-id")).collect();
    assert_eq!(heard[heard.len() - 2..], [first.as_str(), second.as_str()]);
    assert_eq!(post.text(STATES).await, "done done due");
    post.close().await;
}

#[actix_web::test]
async fn t26_a_receiver_that_was_down_for_30_hours_still_hears_it() {
    let post = Post::open().await;
    let id = post.happens("ord_1").await;
    post.receiver.says(|_| None);
    post.run().await;
    post.pass(SignedDuration::from_hours(30)).await;
    assert_eq!(post.text(STATES).await, "due");
    post.receiver.says(|_| status(200));
    post.pass(SignedDuration::from_hours(24)).await;
    assert_eq!(post.text(STATES).await, "done");
    let asked = post.receiver.asked();
    assert!(asked.iter().all(|asked| asked.header("webhook-id") == id.as_str()));
    let first: i64 = asked[0].header("webhook-timestamp").parse().unwrap();
    let last: i64 = asked.last().unwrap().header("webhook-timestamp").parse().unwrap();
    assert!(last - first > 30 * 3600, "each attempt is signed at its own time");
    post.close().await;
}

#[actix_web::test]
async fn t26_after_the_whole_schedule_it_is_a_dead_letter_that_one_call_sends_again() {
    let post = Post::open().await;
    let id = post.happens("ord_1").await;
    let behind = post.happens("ord_1").await;
    let failing = id.to_string();
    post.receiver
        .says(move |asked| status(if asked.header("webhook-id") == failing { 500 } else { 200 }));
    post.run().await;
    post.pass(SignedDuration::from_hours(24 * 5)).await;
    assert_eq!(post.text(STATES).await, "dead done", "the one behind it goes on");
    let client = post.hub.store.client().await.unwrap();
    let letters = deliveries::dead_letters(&client, 10).await.unwrap();
    assert_eq!(letters[0].subject_id, id.as_str());
    let tried = usize::try_from(letters[0].attempts).unwrap();
    assert_eq!(tried, adapters::webhook::ATTEMPTS);
    let kept = post.text("SELECT count(*)::text FROM delivery_attempts WHERE attempt = 3").await;
    assert_eq!(kept, "1");
    assert_eq!(post.run().await, 0);

    post.receiver.says(|_| status(200));
    assert_eq!(dispatch::resend(&post.hub, &[behind], &[]).await.unwrap(), 0, "it is not dead");
    assert_eq!(dispatch::resend(&post.hub, std::slice::from_ref(&id), &[]).await.unwrap(), 1);
    assert_eq!(post.run().await, 1);
    assert_eq!(post.text(STATES).await, "done done");
    assert_eq!(post.receiver.count("webhook-id", id.as_str()), tried + 1);
    drop(client);
    post.close().await;
}

#[actix_web::test]
async fn a_receiver_that_asks_for_time_gets_it() {
    let post = Post::open().await;
    post.happens("ord_1").await;
    post.receiver.says(|_| Some((429, "retry-after: 900\r\n".to_owned(), String::new())));
    post.run().await;
    post.pass(SignedDuration::from_mins(14)).await;
    assert_eq!(post.receiver.asked().len(), 1);
    post.receiver.says(|_| status(200));
    post.pass(SignedDuration::from_mins(5)).await;
    assert_eq!(post.text(STATES).await, "done");
    post.close().await;
}

#[actix_web::test]
async fn t27_an_address_set_over_the_api_reaches_no_private_network() {
    let mut post = Post::open().await;
    let port = post.receiver.url.rsplit(':').next().unwrap().to_owned();
    for (host, state) in [
        ("127.0.0.1", "dead"),
        ("[::1]", "dead"),
        ("169.254.169.254", "dead"),
        // A name is judged by where it leads, each time: it stays due and is never connected to.
        ("localhost", "due"),
    ] {
        let statement = format!(
            "UPDATE applications SET from_file = false, webhook_url = 'http://{host}:{port}/'"
        );
        post.sql.batch_execute(&statement).await.unwrap();
        post.happens(host).await;
        post.run().await;
        let query = format!("SELECT state FROM deliveries WHERE ordering_key = '{host}'");
        assert_eq!(post.text(&query).await, state, "{host}");
    }
    assert_eq!(post.receiver.asked().len(), 0);
    let why = post.text("SELECT detail FROM delivery_attempts").await;
    assert!(why.contains("webhooks.allow"), "{why}");

    post.hub.webhooks = Webhooks::new(&AllowList::parse(["127.0.0.0/8", "::1"]).unwrap());
    post.pass(SignedDuration::from_secs(10)).await;
    assert_eq!(post.receiver.asked().len(), 1, "the operator opened it");
    post.close().await;
}

#[actix_web::test]
async fn t27_a_redirect_is_not_followed() {
    let post = Post::open().await;
    post.happens("ord_1").await;
    let to = format!("location: {}/\r\n", post.vendor.url);
    post.receiver.says(move |_| Some((302, to.clone(), String::new())));
    post.run().await;
    assert_eq!(post.vendor.asked().len(), 0);
    assert_eq!(post.text(STATES).await, "due");
    post.close().await;
}

#[actix_web::test]
async fn a_slow_receiver_gets_four_at_once_and_all_in_the_end() {
    let post = Post::open().await;
    for number in 0..40 {
        post.happens(&format!("ord_{number}")).await;
    }
    let client = post.hub.store.client().await.unwrap();
    let now = post.clock.now();
    assert_eq!(deliveries::claim(&client, now, 16, &[]).await.unwrap().len(), 4);
    let busy = [Share { receiver: "registry".to_owned(), places: 0 }];
    post.leases_run_out().await;
    assert_eq!(deliveries::claim(&client, now, 16, &busy).await.unwrap().len(), 0);
    assert_eq!(post.run().await, 40);
    assert_eq!(post.receiver.asked().len(), 40);
    drop(client);
    post.close().await;
}
