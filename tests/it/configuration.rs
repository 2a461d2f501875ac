//! The program as an operator meets it: a wrong word or a wrong key gives one line that names
//! file, key and mend, and exit code 2; nothing is started by then.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use payhub::config::{Config, Environment};

static PLACES: AtomicU32 = AtomicU32::new(0);

/// A folder of this test's own, gone when it ends.
struct Folder(PathBuf);

impl Folder {
    fn with(configuration: &str) -> Self {
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let name = format!("payhub-configuration-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("payhub.toml"), configuration).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left_behind = fs::remove_dir_all(&self.0);
    }
}

fn run(folder: &Path, line: &str, variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_payhub"))
        .args(line.split(' '))
        .current_dir(folder)
        .env_clear()
        .env("HOME", folder)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

#[track_caller]
fn refuses(folder: &Folder, line: &str, variables: &[(&str, &str)], naming: &[&str]) {
    let output = run(&folder.0, line, variables);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{line}: {said}");
    assert_eq!(said.lines().count(), 1, "{line}: {said}");
    for part in naming {
        assert!(said.contains(part), "{line}: {part} is not in: {said}");
    }
    assert!(output.stdout.is_empty(), "{line}");
}

/// The example must stay a configuration that works, or whoever copies it starts with an error.
#[test]
fn the_example_configuration_is_a_good_one() {
    let folder = Folder::with("");
    let keys = folder.0.join("keys");
    fs::create_dir(&keys).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys");
    for (from, to) in [
        ("wechat_merchant.pem", "wechat.pem"),
        ("wechat_v3_key.txt", "wechat_v3_key.txt"),
        ("wechatpay_platform_pub.pem", "wechatpay_pub.pem"),
        ("alipay_app.pem", "alipay.pem"),
        ("alipay_platform_pub.pem", "alipay_pub.pem"),
    ] {
        fs::copy(fixtures.join(from), keys.join(to)).unwrap();
    }
    let master_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
    fs::write(keys.join("master.key"), master_key).unwrap();
    let example = include_str!("../../docs/payhub.example.toml");
    let environment = Environment::of([("HOME", "/home/x")]);
    let config = Config::parse(example, &folder.0.join("payhub.toml"), &environment).unwrap();
    assert_eq!(config.merchants.len(), 3);
    assert_eq!(config.templates.len(), 2);
    assert!(config.server.is_public());
}

const SECURITY: &str =
    "[security]\nmaster_key = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"\n";

#[test]
fn an_unknown_key_stops_the_start_with_one_line() {
    let folder = Folder::with(&format!("[server]\nlisten_on = \"127.0.0.1:0\"\n{SECURITY}"));
    refuses(&folder, "serve", &[], &["payhub.toml: server.listen_on: unknown key", "listen"]);
}

#[test]
fn an_unreadable_key_stops_the_start_with_one_line() {
    let folder = Folder::with(&format!(
        "{SECURITY}[[merchants]]\nid = \"w\"\nprovider = \"alipay\"\napp_id = \"1\"\n\
         seller_id = \"2\"\napp_private_key = \"keys/none.pem\"\nalipay_public_key = \"x\"\n"
    ));
    let naming = ["merchants[0].app_private_key: cannot read keys/none.pem: no such file"];
    refuses(&folder, "serve", &[], &naming);
}

#[test]
fn a_missing_configuration_is_told_with_where_it_is_looked_for() {
    let folder = Folder::with("");
    let naming = ["elsewhere.toml", "no such file", "--config"];
    refuses(&folder, "serve --config elsewhere.toml", &[], &naming);
    refuses(&folder, "serve", &[("PAYHUB_CONFIG", "elsewhere.toml")], &naming);
    refuses(&folder, "serve", &[], &["payhub.toml: security.master_key: missing"]);
}

#[test]
fn a_wrong_variable_is_told_by_its_name() {
    let folder = Folder::with(SECURITY);
    let variables = [("PAYHUB_SERVER__LISTEN", "everywhere")];
    refuses(&folder, "serve", &variables, &["PAYHUB_SERVER__LISTEN: server.listen: `everywhere`"]);
}

#[test]
fn a_wrong_command_line_is_one_line_too() {
    let folder = Folder::with(SECURITY);
    refuses(&folder, "serv", &[], &["serv"]);
    refuses(&folder, "reconcile --bill b.csv", &[], &["--ledger"]);
    refuses(&folder, "demo --cases 0", &[], &["--cases"]);
}

#[test]
fn help_is_an_answer() {
    let folder = Folder::with(SECURITY);
    let output = run(&folder.0, "--help", &[]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("reconcile"));
}
