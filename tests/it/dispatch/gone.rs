//! An endpoint that says 410: it hears no more until it is back, and nothing of what it missed is
//! lost.

use payhub::dispatch;

use super::Post;
use super::peer::status;

const STATES: &str = "SELECT state FROM deliveries ORDER BY delivery_id";

#[actix_web::test]
async fn an_endpoint_that_says_it_is_gone_hears_no_more_and_finance_staff_are_told_once() {
    let post = Post::open().await;
    post.happens("ord_1").await;
    post.happens("ord_1").await;
    post.receiver.says(|_| status(410));
    while post.run().await > 0 {}
    post.happens("ord_2").await;
    assert_eq!(post.run().await, 0);
    assert_eq!(post.receiver.asked().len(), 1);
    assert_eq!(post.text(STATES).await, "dead dead dead", "each is there to be sent again");
    let told = post.text("SELECT kind || ' ' || application_id FROM incidents").await;
    assert_eq!(told, "endpoint_gone registry");
    post.close().await;
}

#[actix_web::test]
async fn whoever_sends_a_dead_letter_again_brings_its_endpoint_back() {
    let post = Post::open().await;
    let first = post.happens("ord_1").await;
    post.receiver.says(|_| status(410));
    post.run().await;
    let missed = post.happens("ord_2").await;
    post.receiver.says(|_| status(200));
    assert_eq!(dispatch::resend(&post.hub, &[first, missed], &[]).await.unwrap(), 2);
    post.happens("ord_3").await;
    assert_eq!(post.run().await, 3);
    assert_eq!(post.text(STATES).await, "done done done");
    assert_eq!(post.receiver.asked().len(), 4);
    post.close().await;
}

#[actix_web::test]
async fn a_restart_tries_an_endpoint_that_was_gone_and_tells_anew_when_it_still_is() {
    let mut post = Post::open().await;
    post.happens("ord_1").await;
    post.receiver.says(|_| status(410));
    post.run().await;
    post.restart().await;
    post.happens("ord_2").await;
    assert_eq!(post.run().await, 1);
    assert_eq!(post.text(STATES).await, "dead dead");
    assert_eq!(post.text("SELECT count(*)::text FROM incidents").await, "2");
    post.receiver.says(|_| status(200));
    post.restart().await;
    post.happens("ord_3").await;
    assert_eq!(post.run().await, 1);
    assert_eq!(post.text(STATES).await, "dead dead done");
    post.close().await;
}
