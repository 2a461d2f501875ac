//! What signs: the secret, the one before it while they are exchanged, and the key pair.

use adapters::webhook::{Verifier, VerifyingKey, WebhookSecret, verify};
use adapters::wire::Headers;
use jiff::SignedDuration;
use serde_json::json;

use super::Archive;
use crate::harness::word;

/// By which of these secrets the last webhook is signed, and whether by the public key.
fn signed_by(archive: &Archive, secrets: &[&str], public_key: &str) -> (Vec<bool>, bool) {
    let asked = archive.receiver.asked().pop().unwrap();
    let (headers, body) = (Headers(asked.headers.clone()), asked.body.as_bytes());
    let now = archive.world.hub.clock.now();
    let by_secret = secrets.iter().map(|text| {
        let secret: WebhookSecret = text.parse().unwrap();
        verify(&Verifier::Secrets(&[&secret]), &headers, body, now).is_ok()
    });
    let key: VerifyingKey = public_key.parse().unwrap();
    let by_key = verify(&Verifier::PublicKey(&key), &headers, body, now).is_ok();
    (by_secret.collect(), by_key)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_secret_is_exchanged_both_sign_and_afterwards_the_new_one_alone() {
    let archive = Archive::listening().await;
    let old = archive.secret.clone();
    let public_key = word(&archive.endpoint().await, "public_key");
    archive.happens("ord_1").await;
    archive.run().await;
    assert_eq!(signed_by(&archive, &[&old], &public_key), (vec![true], true));

    let path = "/v1/webhook-endpoint/rotate-secret";
    let (code, rotated) = archive.post(path, &json!({"overlap_hours": 2})).await;
    assert_eq!(code, 200, "{rotated}");
    let new = word(&rotated, "secret");
    assert_ne!(new, old);
    assert_eq!(
        (&rotated["secrets"], word(&rotated, "previous_until").as_str()),
        (&json!(2), "2018-11-30T11:00:00+08:00")
    );
    archive.happens("ord_2").await;
    archive.run().await;
    assert_eq!(signed_by(&archive, &[&new, &old], &public_key), (vec![true, true], true));
    let signature = archive.receiver.asked().pop().unwrap().header("webhook-signature").to_owned();
    let kinds: Vec<&str> = signature.split(' ').map(|one| one.split(',').next().unwrap()).collect();
    assert_eq!(kinds, ["v1", "v1", "v1a"], "the new one first");

    archive.world.clock.advance(SignedDuration::from_hours(2));
    archive.happens("ord_3").await;
    archive.run().await;
    assert_eq!(signed_by(&archive, &[&new, &old], &public_key), (vec![true, false], true));
    let after = archive.endpoint().await;
    assert_eq!((&after["secrets"], &after["previous_until"]), (&json!(1), &json!(null)));
    assert_eq!(after["secret"], json!(null), "it is never shown again");
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_leaked_ends_at_once_when_no_overlap_is_asked_for() {
    let archive = Archive::listening().await;
    let path = "/v1/webhook-endpoint/rotate-secret";
    let (_, rotated) = archive.post(path, &json!({"overlap_hours": 0})).await;
    let public_key = word(&rotated, "public_key");
    archive.happens("ord_1").await;
    archive.run().await;
    let (by_secret, _) =
        signed_by(&archive, &[&word(&rotated, "secret"), &archive.secret], &public_key);
    assert_eq!(by_secret, [true, false]);
    let (code, _) = archive.post(path, &json!({"overlap_hours": 169})).await;
    assert_eq!(code, 422);
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_of_the_same_rotation_shows_the_same_secret_which_is_nowhere_in_the_clear() {
    let archive = Archive::listening().await;
    let path = "/v1/webhook-endpoint/rotate-secret";
    let body = json!({});
    let first = archive.ask("POST", path, Some(&body), "rotation-1").await;
    let second = archive.ask("POST", path, Some(&body), "rotation-1").await;
    assert_eq!(first.0, 200, "{}", first.1);
    assert_eq!(first, second, "one rotation, one answer");
    let third = archive.ask("POST", path, Some(&body), "rotation-2").await;
    assert_ne!(word(&first.1, "secret"), word(&third.1, "secret"));
    let secret = word(&third.1, "secret");
    let bare = secret.strip_prefix("whsec_").unwrap();
    for query in [
        "SELECT string_agg(encode(answer, 'escape'), ' ') FROM idempotency_keys",
        "SELECT string_agg(encode(webhook_secret, 'escape') || encode(webhook_key, 'escape'), ' ')
           FROM applications",
    ] {
        let row = archive.world.database().await.query_one(query, &[]).await.unwrap();
        let kept: String = row.get(0);
        assert!(!kept.contains(bare) && !kept.contains("whsk_"), "{query}");
    }
    archive.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_names_two_secrets_has_both_sign() {
    let second = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let first = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
    let receiver = crate::dispatch::peer::Peer::start().await;
    let more = format!(
        "[[applications]]\nid = \"archive\"\napi_key = \"key-of-the-archive\"\n\
         webhook_url = \"{}/hooks\"\nwebhook_secret = \"{second}\"\n\
         webhook_secret_previous = \"{first}\"\nwebhook_concurrency = 7\n",
        receiver.url
    );
    let world = crate::harness::World::open_with(&more).await;
    let archive = Archive { world, receiver, secret: first.to_owned() };
    let endpoint = archive.endpoint().await;
    for (member, value) in [
        ("from_file", json!(true)),
        ("secrets", json!(2)),
        ("previous_until", json!(null)),
        ("concurrency", json!(7)),
    ] {
        assert_eq!(endpoint[member], value, "{member}");
    }
    archive.happens("ord_1").await;
    archive.run().await;
    let signed = signed_by(&archive, &[second, first], &word(&endpoint, "public_key"));
    assert_eq!(signed, (vec![true, true], true));
    archive.close().await;
}
