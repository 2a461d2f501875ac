//! What a configuration may say, and the one line for everything else.

mod merchants;

use ::callbacks::{LatePayment, SurplusPayment};
use domain::money::Fen;
use domain::provider::Provider;

use super::*;

const APIV3_KEY: &str = "0123456789abcdef0123456789abcdef";

/// A whole configuration; its keys are those of the fixtures, beside which it seems to stand.
const WHOLE: &str = r#"
[server]
listen = "127.0.0.1:8081"
public_url = "https://pay.example.cn/"

[database]
data_dir = "data"

[security]
master_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

[[merchants]]
id = "registry-wechat"
provider = "wechat"
mchid = "1900000001"
appid = "wx8888888888888888"
merchant_serial_no = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
merchant_private_key = "keys/wechat_merchant.pem"
apiv3_key = "0123456789abcdef0123456789abcdef"
wechatpay_public_key_id = "PUB_KEY_ID_0114232134912410000000000000"
wechatpay_public_key = "keys/wechatpay_platform_pub.pem"

[[merchants]]
id = "registry-alipay"
provider = "alipay"
app_id = "2021000000000000"
seller_id = "2088000000000000"
app_private_key = "keys/alipay_app.pem"
alipay_public_key = "keys/alipay_platform_pub.pem"
gateway_url = "http://127.0.0.1:9080/alipay/gateway.do"

[[channels]]
id = "sms-main"
kind = "aliyun-sms"
access_key_id = "id"
access_key_secret = "clear-text-of-the-sms-secret"
sign_name = "园区不动产"
receipt_token = "0123456789abcdef"

[[applications]]
id = "registry"
api_key = "clear-text-of-the-api-key"
webhook_url = "http://127.0.0.1:9000/hooks"
webhook_secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
webhook_events = ["difference.opened"]

[office]
name = "园区不动产登记中心"
[policy]
refund_approval = 10000
late_payment = "refund"
quiet_hours = "22:00-07:30"
[webhooks]
allow = ["10.0.0.0/8"]
[[templates]]
event = "PAY.SUCCEEDED"
channel = "sms-main"
code = "SMS_1"
"#;

fn parse(text: &str, environment: &Environment) -> Result<Config, ConfigError> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/payhub.toml");
    Config::parse(text, &path, environment)
}

/// Replaces a part of the whole configuration and expects one line that has all of `naming`.
#[track_caller]
fn refuses(from: &str, to: &str, naming: &[&str]) {
    assert!(WHOLE.contains(from), "{from} is not in the configuration");
    let fault = parse(&WHOLE.replacen(from, to, 1), &Environment::default()).unwrap_err();
    let line = fault.to_string();
    assert_eq!(line.lines().count(), 1, "{line}");
    assert!(line.contains("fixtures/payhub.toml: "), "{line}");
    for part in naming {
        assert!(line.contains(part), "{part} is not in: {line}");
    }
}

#[test]
fn a_whole_configuration_is_read_into_typed_values() {
    let config = parse(WHOLE, &Environment::default()).unwrap();
    assert_eq!(config.server.listen.port(), 8081);
    let [wechat, alipay] = config.merchants.as_slice() else { panic!("{config:?}") };
    assert_eq!(wechat.provider.provider(), Provider::Wechat);
    assert_eq!(wechat.provider.account().payee, "1900000001");
    assert_eq!(wechat.base_url, "https://api.mch.weixin.qq.com");
    assert!(!wechat.is_sandbox() && alipay.is_sandbox());
    assert_eq!(
        config.server.callback_url(&alipay.id),
        "https://pay.example.cn/callbacks/registry-alipay"
    );
    assert_eq!(config.office_name, "园区不动产登记中心");
    assert!(config.policy.refund_approval.is_needed_for(Fen::new(10_000)));
    assert!(!config.policy.refund_approval.is_needed_for(Fen::new(9_999)));
    assert_eq!(config.policy.late_payment, LatePayment::Refund);
    assert_eq!(config.policy.surplus_payment, SurplusPayment::Propose);
    assert_eq!(config.policy.quiet_hours, "22:00-07:30".parse().ok());
    assert!(config.webhook_networks.permits("10.1.2.3".parse().unwrap()));
    assert!(!config.webhook_networks.permits("192.168.1.1".parse().unwrap()));
    assert_eq!(config.templates[0].locale, "zh-CN");
    let Place::Private(data_dir) = &config.database.place else { panic!() };
    assert!(data_dir.ends_with("fixtures/data"), "{data_dir:?}");
}

#[test]
fn what_is_not_said_is_as_the_contract_says() {
    let text = "[security]\nmaster_key = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"";
    let config = parse(text, &Environment::of([("HOME", "/home/x")])).unwrap();
    assert_eq!(config.server, Server::default());
    assert_eq!(config.server.public_url, "http://127.0.0.1:8080");
    assert_eq!(config.policy, Policy::default());
    assert!(config.database.migrate);
    let Place::Private(data_dir) = &config.database.place else { panic!() };
    assert_eq!(data_dir, Path::new("/home/x/.local/share/payhub"));
}

#[test]
fn an_unknown_key_is_named_with_the_one_that_was_meant() {
    refuses("listen =", "lisen =", &["server.lisen: unknown key", "`listen`"]);
    refuses("mchid =", "mch_id =", &["merchants[0].mch_id: unknown key", "`mchid`"]);
    refuses("[office]", "[offices]", &["offices: unknown key", "`office`"]);
    refuses("sign_name =", "signature_of_it =", &["channels[0].signature_of_it", "sign_name"]);
}

#[test]
fn a_missing_key_is_named_with_what_to_give() {
    refuses("mchid = \"1900000001\"", "", &["merchants[0].mchid: missing", "商户号"]);
    let key_id = "wechatpay_public_key_id = \"PUB_KEY_ID_0114232134912410000000000000\"";
    refuses(key_id, "", &["wechatpay_public_key_id: missing"]);
    refuses("provider = \"alipay\"", "", &["merchants[1].provider: missing"]);
    refuses("code = \"SMS_1\"", "", &["templates[0].code: missing"]);
    refuses("api_key = \"clear-text-of-the-api-key\"", "", &["api_key: missing", "openssl"]);
    let key = "master_key = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"";
    refuses(key, "", &["security.master_key: missing", "openssl rand"]);
    refuses("webhook_secret =", "# ", &["webhook_secret: missing"]);
}

#[test]
fn an_application_asks_for_office_wide_events_only() {
    for word in ["order.paid", "fee.unpaid"] {
        let named = format!("`{word}` is no office-wide event");
        refuses("\"difference.opened\"", &format!("\"{word}\""), &["webhook_events", &named]);
    }
}

#[test]
fn a_hub_that_stops_takes_requests_for_ten_seconds_at_most() {
    for bad in ["11", "-1", "\"soon\""] {
        refuses("listen =", &format!("drain_s = {bad}\nlisten ="), &["server.drain_s", "0 to 10"]);
    }
    let usual = Server::default();
    assert_eq!(usual.drain, std::time::Duration::from_secs(2));
}

#[test]
fn a_wrong_type_is_told_in_words() {
    refuses("\"127.0.0.1:8081\"", "8081", &["server.listen: is a whole number", "text in quotes"]);
    refuses("[\"10.0.0.0/8\"]", "true", &["webhooks.allow: is true or false", "list"]);
    refuses("[[templates]]", "[templates]", &["templates: is a table", "[[templates]]"]);
    refuses("[office]", "[[office]]", &["office: is a list", "give a table"]);
    refuses("quiet_hours = ", "quiet_hours = 2100 # ", &["policy.quiet_hours: is a whole number"]);
}

#[test]
fn an_unreadable_key_is_named_with_its_path() {
    refuses(
        "keys/wechat_merchant.pem",
        "keys/wechat.pem",
        &[
            "merchants[0].merchant_private_key: cannot read keys/wechat.pem: no such file",
            "give the PEM text or a path relative to",
        ],
    );
    refuses(
        "keys/wechat_merchant.pem",
        "keys/README.md",
        &["merchant_private_key: the key is not"],
    );
    refuses("keys/wechat_merchant.pem", "keys", &["merchant_private_key: cannot read"]);
    refuses(
        "keys/alipay_app.pem",
        "keys/alipay_app_pub.pem",
        &["merchants[1].app_private_key: not an RSA private key"],
    );
    refuses(
        "keys/alipay_platform_pub.pem",
        "keys/alipay_app_pub.pem",
        &["alipay_public_key: is the public half of the merchant's own key", "支付宝公钥"],
    );
}

#[test]
fn a_key_may_be_its_text_or_a_path() {
    let pem = include_str!("../../fixtures/keys/wechat_merchant.pem");
    let text = WHOLE.replace("\"keys/wechat_merchant.pem\"", &format!("\"\"\"{pem}\"\"\""));
    assert!(parse(&text, &Environment::default()).is_ok());
    let bare: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let text = WHOLE.replace("keys/wechat_merchant.pem", &bare);
    assert!(parse(&text, &Environment::default()).is_ok());
    // The second has 32 characters, as the key itself would.
    for path in ["keys/wechat_v3_key.txt", "./././././keys/wechat_v3_key.txt"] {
        let text = WHOLE.replace(APIV3_KEY, path);
        assert!(parse(&text, &Environment::default()).is_ok(), "{path}");
    }
    let missing = WHOLE.replace(APIV3_KEY, "keys/none.txt");
    let line = parse(&missing, &Environment::default()).unwrap_err().to_string();
    assert!(line.contains("apiv3_key: cannot read keys/none.txt: no such file"), "{line}");
}

#[test]
fn a_secret_of_the_wrong_length_is_not_repeated() {
    let short = "0123456789abcdef0123456789abcde";
    let fault = parse(&WHOLE.replace(APIV3_KEY, short), &Environment::default()).unwrap_err();
    let line = fault.to_string();
    assert!(line.contains("apiv3_key: has 31 characters"), "{line}");
    assert!(!line.contains(short), "{line}");
    refuses("AAECAwQF", "AAEC", &["security.master_key: has 29 bytes, 32 are needed"]);
    refuses("AAECAwQF", "AAECAwQ*", &["security.master_key: is not base64"]);
    refuses("data_dir = \"data\"", "url = \"mysql://u:secret@h\"", &["database.url: is no"]);
}

#[test]
fn an_id_stands_once() {
    refuses("registry-alipay", "registry-wechat", &["merchants[1].id", "stands twice"]);
    let second = "[office]\n";
    let application = "[[applications]]\nid = \"other\"\napi_key = \"clear-text-of-the-api-key\"\n";
    refuses(second, &format!("{application}{second}"), &["applications[1].api_key", "`registry`"]);
    refuses("registry-wechat", "a/b", &["merchants[0].id"]);
}

#[test]
fn plain_http_to_a_provider_is_for_loopback_only() {
    refuses("http://127.0.0.1:9080", "http://192.168.1.9", &["merchants[1].gateway_url", "https"]);
    refuses(
        "sign_name",
        "endpoint = \"http://sms.example.cn\"\nsign_name",
        &["channels[0].endpoint", "loopback"],
    );
}

#[test]
fn what_is_not_there_yet_is_refused_in_clear_words() {
    refuses("aliyun-sms", "tencent-sms", &["channels[0].kind: tencent-sms is not supported yet"]);
    refuses("\"alipay\"", "\"paypal\"", &["merchants[1].provider: `paypal`"]);
}

#[test]
fn broken_toml_is_told_by_its_line_without_the_line() {
    let text = WHOLE.replace("access_key_secret = \"", "access_key_secret = ");
    let line = parse(&text, &Environment::default()).unwrap_err().to_string();
    assert!(line.contains("payhub.toml: line 36: "), "{line}");
    assert!(!line.contains("clear-text"), "{line}");
    assert_eq!(line.lines().count(), 1, "{line}");
}

#[test]
fn a_variable_stands_above_the_file() {
    let environment = Environment::of([
        ("PAYHUB_SERVER__LISTEN", "127.0.0.1:9999"),
        ("PAYHUB_MERCHANTS__0__MCHID", "1900000002"),
        ("PAYHUB_APPLICATIONS__1__ID", "second"),
        ("PAYHUB_APPLICATIONS__1__API_KEY", "k2"),
        ("PAYHUB_DATABASE__MIGRATE", "false"),
        ("PAYHUB_WEBHOOKS__ALLOW", "10.0.0.0/8, 192.168.0.0/16"),
        ("PAYHUB_POLICY__REFUND_APPROVAL", "500"),
        ("PAYHUB_SERVICE_HOST", "put here by an orchestrator"),
    ]);
    let config = parse(WHOLE, &environment).unwrap();
    assert_eq!(config.server.listen.port(), 9999);
    assert_eq!(config.merchants[0].provider.account().payee, "1900000002");
    assert_eq!(config.applications[1].id.as_str(), "second");
    assert!(!config.database.migrate);
    assert!(config.webhook_networks.permits("192.168.1.1".parse().unwrap()));
    assert_eq!(config.policy.refund_approval, RefundApproval::From(Fen::new(500)));
}

#[test]
fn a_fault_of_a_variable_names_the_variable() {
    for (name, value, naming) in [
        ("PAYHUB_SERVER__LISTEN", "here", "PAYHUB_SERVER__LISTEN: server.listen: `here`"),
        ("PAYHUB_SERVER__LISEN", "x", "PAYHUB_SERVER__LISEN: server.lisen: unknown key"),
        ("PAYHUB_SERVER_LISTEN", "x", "write PAYHUB_SERVER__LISTEN"),
        ("PAYHUB_MERCHANTS__7__MCHID", "x", "names entry 7, but there are only 2"),
        ("PAYHUB_MERCHANTS__MCHID", "x", "must name an entry by its number"),
        ("PAYHUB_DATABASE__MIGRATE", "yes", "database.migrate: is neither true nor false"),
        ("PAYHUB_SERVER__LISTEN__PORT", "x", "below a single value"),
    ] {
        let fault = parse(WHOLE, &Environment::of([(name, value)])).unwrap_err().to_string();
        assert!(fault.starts_with(name) && fault.contains(naming), "{fault}");
    }
}

#[test]
fn no_secret_is_shown() {
    let config = parse(WHOLE, &Environment::default()).unwrap();
    let shown = format!("{config:?}");
    for secret in ["clear-text", APIV3_KEY, "whsec_", "AAECAwQF", "0123456789abcdef"] {
        assert!(!shown.contains(secret), "{secret} is shown: {shown}");
    }
}

#[test]
fn root_keeps_its_data_where_another_account_can_reach_it() {
    let environment = Environment::of([("XDG_DATA_HOME", "/x"), ("PATH", "/a/bin:b:/c/bin")]);
    assert_eq!(environment.data_dir(), Some(PathBuf::from("/x/payhub")));
    assert_eq!(
        environment.postgres_search(),
        [PathBuf::from("/a/bin"), PathBuf::from("/c/bin")],
        "a relative folder of PATH is not searched"
    );
    assert_eq!(environment.for_root().data_dir(), Some(PathBuf::from("/var/lib/payhub")));
}

#[test]
fn the_banks_days_and_the_treasurys_items_are_told_once() {
    let more = "\n[bank]\nclosed = [\"2026-12-31\"]\nopen = [\"2026-10-03\"]\n\
                [[fiscal_items]]\nitem = \"REG.RES\"\ncode = \"103044908\"\nname = \"不动产登记费\"\n";
    let config = parse(&format!("{WHOLE}{more}"), &Environment::default()).unwrap();
    assert_eq!((config.bank.closed.len(), config.bank.open.len()), (1, 1));
    assert_eq!(config.fiscal_items[0].code, "103044908");
    for (of, instead, naming) in [
        ("2026-12-31", "31.12.2026", "bank.closed: `31.12.2026` is no day"),
        ("2026-12-31", "2026-10-03", "bank.open: `2026-10-03` stands under closed too"),
        ("code = \"103044908\"\n", "", "fiscal_items[0].code: missing"),
        ("closed", "shut", "bank.shut: unknown key"),
    ] {
        let text = format!("{WHOLE}{}", more.replace(of, instead));
        let line = parse(&text, &Environment::default()).unwrap_err().to_string();
        assert!(line.contains(naming), "{line}");
    }
    let twice =
        format!("{WHOLE}{more}[[fiscal_items]]\nitem = \"REG.RES\"\ncode = \"1\"\nname = \"x\"\n");
    let line = parse(&twice, &Environment::default()).unwrap_err().to_string();
    assert!(line.contains("`REG.RES` stands twice"), "{line}");
}
