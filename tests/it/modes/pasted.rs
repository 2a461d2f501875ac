//! What `payhub sandbox` prints is pasted into a `payhub.toml`, and every merchant in it works.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use payhub::config::{Config, Environment};
use sandbox::SandboxConfig;
use serde_json::json;

use super::{INCIDENTS, REFUSED, whole_life};
use crate::harness::{World, word};

/// What the command starts with, beside what the office has already.
fn fresh(providers: &mut SandboxConfig) {
    let mut fresh = SandboxConfig::generated().unwrap();
    for merchant in &mut fresh.wechat {
        merchant.mchid = merchant.mchid.replace("19000", "19001");
    }
    for app in &mut fresh.alipay {
        app.app_id = app.app_id.replace("2021", "2022");
    }
    providers.wechat.extend(fresh.wechat);
    providers.alipay.extend(fresh.alipay);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_pasted_merchant_collects_and_gives_back() {
    let world = World::open_at("{pasted}", fresh).await;
    let ids: Vec<String> = world.hub.merchants.keys().map(ToString::to_string).collect();
    let ids: Vec<String> = ids.into_iter().filter(|id| id.starts_with("sandbox-")).collect();
    assert_eq!(ids.len(), 5 + 4 + 3, "{ids:?}");
    for id in &ids {
        whole_life(&world, id, id).await;
    }
    // The counter of the old interface, where nobody is there to show a certificate to.
    let fee = world.fee("counter").await;
    let body = json!({
        "merchant_id": "sandbox-wechat-v2-2", "product": "codepay", "fee_ids": [fee],
        "auth_code": "134567890123456788",
    });
    let (status, order) = world.post("/v1/orders", &body).await.unwrap();
    assert_eq!((status, word(&order, "status").as_str()), (201, "paid"), "{order}");
    assert_eq!((world.count(REFUSED).await, world.count(INCIDENTS).await), (0, 0));
    world.finish().await;
}

/// `payhub sandbox` in a process of its own; it ends with the test.
struct Alone(Child);

impl Drop for Alone {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// Starts it; what it prints after the two lines that are for people.
fn sandbox() -> (Alone, String) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_payhub"))
        .args(["sandbox", "--listen", "127.0.0.1:0"])
        .env_clear()
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(process.stdout.take().unwrap());
    let alone = Alone(process);
    let mut text = String::new();
    // The last table is the channel's, and its last line the token of the receipts.
    while !text.contains("sign_name") {
        let mut line = String::new();
        assert!(said.read_line(&mut line).unwrap() > 0, "it ended: {text}");
        text.push_str(&line);
    }
    let tables = text.find("[[").unwrap();
    (alone, text[tables..].to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_finds_a_pasted_configuration_well() {
    let world = World::open().await;
    let (_alone, pasted) = sandbox();
    let folder = std::env::temp_dir().join(format!("payhub-pasted-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("payhub.toml");
    let database = world.database_url();
    let text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\npublic_url = \"http://127.0.0.1:8080\"\n\
         [database]\nurl = \"{database}\"\n\
         [security]\nmaster_key = \"cGF5aHViIGRlbW9uc3RyYXRpb24ga2V5IDAwMDAwMDE=\"\n{pasted}"
    );
    std::fs::write(&file, &text).unwrap();
    let config = Config::parse(&text, &file, &Environment::of([])).unwrap();
    let ids: Vec<String> = config.merchants.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(
        ids,
        [
            "sandbox-wechat",
            "sandbox-wechat-v2",
            "sandbox-wechat-1",
            "sandbox-wechat-v2-1",
            "sandbox-wechat-2",
            "sandbox-wechat-v2-2",
            "sandbox-alipay",
            "sandbox-alipay-1",
        ]
    );
    let output = Command::new(env!("CARGO_BIN_EXE_payhub"))
        .args(["doctor", "--config"])
        .arg(&file)
        .env_clear()
        .output()
        .unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}{told}");
    for line in [
        "OK    configuration: 8 merchants, 1 channels",
        "OK    merchant sandbox-alipay-1: app_cert: good until",
        "OK    merchant sandbox-alipay-1: alipay_cert: good until",
        "OK    merchant sandbox-wechat: platform certificates: none needed beside its public key",
        "OK    merchant sandbox-wechat-2: platform certificates: good until",
        "OK    ledger: ",
    ] {
        assert!(said.contains(line), "{line} is not in:\n{said}");
    }
    for id in ids {
        let reached = said.lines().any(|line| {
            line.starts_with(&format!("OK    merchant {id}: http")) && line.ends_with("is reached")
        });
        assert!(reached, "{id}:\n{said}");
    }
    assert!(!said.contains("FAIL"), "{said}");
    world.finish().await;
}
