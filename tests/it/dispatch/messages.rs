//! SMS: sent once across crashes and lost answers, moved on by receipts that prove themselves, and
//! not sent at all when it is too late, too early or no longer true.

use domain::ids::{ApplicationId, NotificationId};
use domain::personal::Personal;
use jiff::SignedDuration;
use payhub::dispatch::receipts;
use payhub::dispatch::request::{Request, Requested, Values, get, request};
use payhub::fault::Fault;
use serde_json::{Value, json};

use super::peer::{Said, json as says_json, status};
use super::{PHONE, Post};

const SEND: &str = "SendSms";
const QUERY: &str = "QuerySendDetails";

pub(super) fn about(template: &str, params: &Value) -> Request {
    Request {
        template: template.to_owned(),
        phone: Personal::new(PHONE),
        params: Values(params.as_object().unwrap().clone()),
        locale: None,
        channels: None,
        dedupe_key: None,
        subject_id: None,
        not_before: None,
        expires_at: None,
    }
}

pub(super) fn paid() -> Request {
    about("PAY.SUCCEEDED", &json!({"no": "201811300001", "amt": "80.00"}))
}

fn issued() -> Request {
    about("FEE.ISSUED", &json!({"no": "201811300001", "amt": "80.00"}))
}

fn taken() -> Said {
    says_json(&json!({"Code": "OK", "Message": "OK", "BizId": "biz-1", "RequestId": "r"}))
}

fn refused(code: &str) -> Said {
    says_json(&json!({"Code": code, "Message": "no", "RequestId": "r"}))
}

/// The vendor's record of a day: what it holds of `out_id`.
fn record(out_id: Option<(&str, u8)>) -> Said {
    let list: Vec<Value> = out_id
        .iter()
        .map(|(out_id, send_status)| {
            json!({"OutId": out_id, "SendStatus": send_status, "ErrCode": "", "PhoneNum": PHONE})
        })
        .collect();
    says_json(&json!({
        "Code": "OK", "Message": "OK", "TotalCount": list.len(),
        "SmsSendDetailDTOs": {"SmsSendDetailDTO": list},
    }))
}

fn receipt(phone: &str, out_id: &str, biz_id: &str, success: bool, code: &str) -> Vec<u8> {
    json!([{
        "phone_number": phone, "success": success, "err_code": code, "sms_size": "1",
        "biz_id": biz_id, "out_id": out_id, "report_time": "2018-11-30 10:00:05",
    }])
    .to_string()
    .into_bytes()
}

impl Post {
    pub(super) async fn ask(&self, asked: &Request) -> Result<Requested, Fault> {
        let application: ApplicationId = "registry".parse().unwrap();
        let client = self.hub.store.client().await.unwrap();
        request(&self.hub, &client, &application, asked).await
    }

    async fn queue(&self, asked: &Request) -> NotificationId {
        self.ask(asked).await.unwrap().id().clone()
    }

    async fn status(&self, id: &NotificationId) -> String {
        let application: ApplicationId = "registry".parse().unwrap();
        get(&self.hub, &application, id.as_str()).await.unwrap().status.to_string()
    }

    /// Runs until nothing is due.
    async fn settle(&self) {
        while self.run().await > 0 {}
    }

    fn sent(&self) -> usize {
        self.vendor.count("x-acs-action", SEND)
    }

    fn asked_vendor(&self) -> usize {
        self.vendor.count("x-acs-action", QUERY)
    }

    async fn events(&self) -> String {
        self.text("SELECT type FROM events ORDER BY position").await
    }

    async fn receive(&self, body: &[u8]) -> u16 {
        receipts::take(&self.hub, "sms-main", body).await.unwrap().status
    }
}

#[actix_web::test]
async fn a_message_is_taken_and_its_receipt_tells_that_it_arrived() {
    let post = Post::open().await;
    post.vendor.says(|_| taken());
    let id = post.queue(&paid()).await;
    assert_eq!(post.status(&id).await, "queued");
    post.settle().await;
    assert_eq!(post.status(&id).await, "sent");
    let asked = post.vendor.asked();
    assert_eq!(asked[0].parameter("TemplateCode"), "SMS_2");
    assert_eq!(asked[0].parameter("OutId"), id.as_str());
    assert_eq!(asked[0].parameter("PhoneNumbers"), PHONE);

    // Hints that prove nothing are taken and change nothing.
    for body in [
        receipt("13812345679", id.as_str(), "biz-1", true, ""),
        receipt(PHONE, id.as_str(), "biz-9", true, ""),
        receipt(PHONE, "ntf_00000000000000000000000000000007", "biz-1", true, ""),
        receipt(PHONE, "", "biz-9", true, ""),
    ] {
        assert_eq!(post.receive(&body).await, 200);
        assert_eq!(post.status(&id).await, "sent");
    }
    for out_id in ["", id.as_str(), id.as_str()] {
        assert_eq!(post.receive(&receipt(PHONE, out_id, "biz-1", true, "")).await, 200);
        assert_eq!(post.status(&id).await, "delivered");
    }
    // A later word to the contrary does not take the arrival back.
    post.receive(&receipt(PHONE, id.as_str(), "biz-1", false, "UNDELIV")).await;
    assert_eq!(post.status(&id).await, "delivered");
    assert_eq!(post.events().await, "notification.delivered", "once");
    post.settle().await;
    assert_eq!((post.sent(), post.receiver.asked().len()), (1, 1));
    assert!(!post.receiver.asked()[0].body.contains(PHONE));
    assert!(receipts::take(&post.hub, "sms-main", b"no receipts").await.is_err());
    assert!(receipts::admits(&post.hub, "sms-main", "0123456789abcdef"));
    assert!(!receipts::admits(&post.hub, "sms-main", "0123456789abcdeF"));
    assert!(!receipts::admits(&post.hub, "sms-other", "0123456789abcdef"));
    post.close().await;
}

#[actix_web::test]
async fn t35_an_answer_that_was_lost_is_looked_up_and_never_repeated_blindly() {
    let post = Post::open().await;
    post.vendor.says(|_| None);
    let id = post.queue(&paid()).await;
    post.settle().await;
    assert_eq!(post.sent(), 1, "it was handed over, and nobody knows");
    assert_eq!(post.status(&id).await, "sending");
    post.pass(SignedDuration::from_mins(30)).await;
    assert!(post.asked_vendor() > 1, "while the vendor is silent it is only asked");
    assert_eq!(post.sent(), 1);
    let known = id.to_string();
    post.vendor.says(move |_| record(Some((&known, 1))));
    post.pass(SignedDuration::from_hours(1)).await;
    assert_eq!((post.sent(), post.status(&id).await.as_str()), (1, "sent"));
    // The vendor's number was lost with its answer; our own id and the phone are enough.
    post.receive(&receipt(PHONE, id.as_str(), "", true, "")).await;
    assert_eq!(post.status(&id).await, "delivered");
    post.close().await;
}

#[actix_web::test]
async fn t35_a_message_goes_again_only_when_the_vendor_has_long_not_got_it() {
    let post = Post::open().await;
    post.vendor.says(|_| status(504));
    let id = post.queue(&paid()).await;
    post.settle().await;
    post.vendor.says(
        |asked| {
            if asked.header("x-acs-action") == QUERY { record(None) } else { taken() }
        },
    );
    for _ in 0..4 {
        post.clock.advance(SignedDuration::from_mins(1));
        post.settle().await;
    }
    assert!(post.asked_vendor() > 0);
    assert_eq!(post.sent(), 1, "its record lags: too early to believe");
    post.pass(SignedDuration::from_mins(15)).await;
    assert_eq!((post.sent(), post.status(&id).await.as_str()), (2, "sent"));
    post.close().await;
}

#[actix_web::test]
async fn t35_a_crash_in_the_middle_of_sending_sends_no_second_message() {
    let mut post = Post::open().await;
    post.vendor.says(|_| taken());
    let id = post.queue(&paid()).await;
    post.settle().await;
    // As a hub leaves it that was killed after the vendor took the message.
    post.sql
        .batch_execute(
            "UPDATE deliveries SET state = 'sending', finished_at = NULL;
             UPDATE notifications SET state = 'sending', vendor_ref = NULL, sent_at = NULL;
             DELETE FROM delivery_attempts",
        )
        .await
        .unwrap();
    post.restart().await;
    let known = id.to_string();
    post.vendor.says(move |asked| {
        if asked.header("x-acs-action") == QUERY { record(Some((&known, 3))) } else { taken() }
    });
    post.settle().await;
    assert_eq!(post.text("SELECT outcome FROM delivery_attempts").await, "unknown");
    post.pass(SignedDuration::from_mins(10)).await;
    assert_eq!((post.sent(), post.status(&id).await.as_str()), (1, "delivered"));
    assert_eq!(post.events().await, "notification.delivered");
    post.close().await;
}

#[actix_web::test]
async fn t35_a_vendor_that_never_knows_leaves_it_to_a_person() {
    let post = Post::open().await;
    post.vendor.says(|_| status(502));
    let id = post.queue(&paid()).await;
    post.settle().await;
    post.pass(SignedDuration::from_hours(26)).await;
    assert_eq!((post.sent(), post.status(&id).await.as_str()), (1, "failed"));
    assert_eq!(post.events().await, "notification.failed");
    assert_eq!(post.text("SELECT kind FROM incidents").await, "channel_fault");
    assert_eq!(post.text("SELECT state FROM deliveries WHERE kind = 'sms'").await, "dead");
    // It was there after all.
    post.receive(&receipt(PHONE, id.as_str(), "", true, "")).await;
    assert_eq!(post.status(&id).await, "delivered");
    post.close().await;
}

#[actix_web::test]
async fn a_phone_that_is_off_is_tried_once_more_and_then_given_up() {
    let post = Post::open().await;
    let numbers = std::sync::atomic::AtomicU32::new(1);
    post.vendor.says(move |_| {
        let number = numbers.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        says_json(&json!({"Code": "OK", "Message": "OK", "BizId": format!("biz-{number}")}))
    });
    let id = post.queue(&paid()).await;
    post.settle().await;
    for _ in 0..2 {
        post.receive(&receipt(PHONE, id.as_str(), "biz-1", false, "UNDELIV")).await;
    }
    assert_eq!(post.status(&id).await, "queued");
    post.pass(SignedDuration::from_hours(3)).await;
    assert_eq!((post.sent(), post.status(&id).await.as_str()), (2, "sent"));
    post.receive(&receipt(PHONE, id.as_str(), "biz-1", false, "UNDELIV")).await;
    assert_eq!(post.status(&id).await, "sent", "that was the first attempt");
    post.receive(&receipt(PHONE, id.as_str(), "biz-2", false, "UNDELIV")).await;
    assert_eq!(post.status(&id).await, "failed");
    assert_eq!(post.events().await, "notification.failed");
    post.close().await;
}

#[actix_web::test]
async fn what_the_vendor_refuses_for_ever_fails_and_what_it_throttles_waits() {
    let post = Post::open().await;
    post.vendor.says(|_| refused("isv.MOBILE_NUMBER_ILLEGAL"));
    let id = post.queue(&paid()).await;
    post.settle().await;
    assert_eq!((post.sent(), post.status(&id).await.as_str()), (1, "failed"));
    assert_eq!(post.events().await, "notification.failed");

    post.vendor.says(|_| refused("Throttling.User"));
    let id = post.queue(&paid()).await;
    post.settle().await;
    assert_eq!((post.sent(), post.status(&id).await.as_str()), (2, "queued"));
    post.vendor.says(|_| taken());
    post.pass(SignedDuration::from_mins(30)).await;
    assert_eq!((post.sent(), post.status(&id).await.as_str()), (3, "sent"));
    post.close().await;
}

#[actix_web::test]
async fn an_empty_account_stops_the_channel_and_calls_a_person_once() {
    let post = Post::open().await;
    post.vendor.says(|_| refused("isv.AMOUNT_NOT_ENOUGH"));
    let first = post.queue(&paid()).await;
    for _ in 1..12 {
        post.queue(&paid()).await;
    }
    post.settle().await;
    assert_eq!(post.status(&first).await, "held");
    assert_eq!(post.sent(), 4, "those under way met it, the others were kept back");
    assert_eq!(post.text("SELECT count(*)::text FROM incidents").await, "1");
    post.vendor.says(|_| taken());
    post.pass(SignedDuration::from_mins(20)).await;
    assert_eq!(post.sent(), 4 + 12);
    assert_eq!(post.text("SELECT DISTINCT state FROM notifications").await, "sent");
    post.close().await;
}

#[actix_web::test]
async fn a_fee_that_is_paid_is_not_asked_for() {
    let post = Post::open().await;
    post.sql
        .batch_execute(
            "INSERT INTO fees (fee_id, application_id, case_no, accepted_on, total_fen, quote, payer_masked,
                               payer_sealed, issued_at)
             VALUES ('fee_00000000000000000000000000000001', 'registry', '1', '2018-11-30', 8000, '{}', '{}', '', now());
             INSERT INTO fee_balances (fee_id, total_fen) VALUES ('fee_00000000000000000000000000000001', 8000)",
        )
        .await
        .unwrap();
    let about_fee = |key: &str| Request {
        subject_id: Some("fee_00000000000000000000000000000001".to_owned()),
        dedupe_key: Some(key.to_owned()),
        ..issued()
    };
    post.vendor.says(|_| taken());
    let owed = post.queue(&about_fee("a")).await;
    post.settle().await;
    assert_eq!(post.status(&owed).await, "sent");
    let late = post.queue(&about_fee("b")).await;
    post.sql.batch_execute("UPDATE fee_balances SET paid_fen = 8000").await.unwrap();
    post.settle().await;
    assert_eq!((post.sent(), post.status(&late).await.as_str()), (1, "suppressed"));
    assert_eq!(post.events().await, "");
    post.close().await;
}

#[actix_web::test]
async fn people_sleep_and_what_is_too_late_is_not_said() {
    let post = Post::open().await;
    post.vendor.says(|_| taken());
    post.pass(SignedDuration::from_hours(12)).await; // 22:00
    let held = post.queue(&issued()).await;
    assert_eq!(post.status(&held).await, "held");
    let useless = post
        .queue(&Request {
            expires_at: post.now().checked_add(SignedDuration::from_hours(1)).ok(),
            ..issued()
        })
        .await;
    assert_eq!(post.status(&useless).await, "expired");
    // Queued by somebody who did not look at the hour.
    post.sql
        .batch_execute("UPDATE deliveries SET next_at = created_at; UPDATE notifications SET state = 'queued' WHERE state = 'held'")
        .await
        .unwrap();
    post.settle().await;
    assert_eq!((post.sent(), post.status(&held).await.as_str()), (0, "held"));
    let urgent = post.queue(&paid()).await;
    post.settle().await;
    assert_eq!((post.sent(), post.status(&urgent).await.as_str()), (1, "sent"));
    post.pass(SignedDuration::from_hours(11)).await; // 09:00
    assert_eq!((post.sent(), post.status(&held).await.as_str()), (2, "sent"));
    post.close().await;
}
