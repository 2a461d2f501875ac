//! The office of the benchmarks: its merchants with the keys of `fixtures/keys`, its backend service,
//! and the `payhub.toml` that says so.

use std::fmt::Write as _;
use std::net::SocketAddr;

/// The backend service's key: good on loopback, for one run.
pub const API_KEY: &str = "phk_benchmark_only_000000000000000000000";
/// The secret that webhooks are signed with.
const WEBHOOK_SECRET: &str = "whsec_cGF5aHViIGJlbmNobWFyayBzZWNyZXQgMDAwMDE=";
/// 32 bytes, as in the file.
pub const MASTER_KEY: &str = "cGF5aHViIGRlbW9uc3RyYXRpb24ga2V5IDAwMDAwMDE=";

/// An account at a provider.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// WeChat Pay, APIv3.
    Wechat,
    /// Alipay in key mode.
    Alipay,
}

impl Provider {
    /// The word in `payhub.toml` and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Wechat => "wechat",
            Self::Alipay => "alipay",
        }
    }

    /// The id of its merchant of that number.
    pub fn merchant(self, number: usize) -> String {
        format!("registry-{}-{number}", self.word())
    }

    /// How the provider names that merchant: mchid or app_id.
    pub fn account(self, number: usize) -> String {
        match self {
            Self::Wechat => format!("{}", 1_900_000_001 + number),
            Self::Alipay => format!("{}", 2_021_000_000_000_000_u64 + number as u64),
        }
    }
}

/// The WeChat app of every merchant.
pub const APPID: &str = "wx8888888888888888";
/// The seller of every Alipay application.
pub const SELLER_ID: &str = "2088000000000000";
/// The id of WeChat Pay's public key.
pub const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0114232134912410000000000000";
/// The APIv3 key.
pub const APIV3_KEY: &str = include_str!("../../fixtures/keys/wechat_v3_key.txt");
/// WeChat Pay's private key, which signs notices and answers.
pub const WECHATPAY: &str = include_str!("../../fixtures/keys/wechatpay_platform.pem");
/// Alipay's private key.
pub const ALIPAY: &str = include_str!("../../fixtures/keys/alipay_platform.pem");

/// Where the parts of a run are.
pub struct Places<'a> {
    /// The hub's own address.
    pub hub: SocketAddr,
    /// The providers and the SMS vendor.
    pub providers: SocketAddr,
    /// Who hears of events.
    pub webhooks: SocketAddr,
    /// The table `[database]`.
    pub database: &'a str,
    /// How many merchants each provider has.
    pub merchants: usize,
    /// Further tables.
    pub more: &'a str,
}

/// The hub's configuration.
pub fn configuration(places: &Places<'_>) -> String {
    let Places { hub, providers, webhooks, database, merchants, more } = places;
    let mut text = format!(
        r#"[server]
listen = "{hub}"
public_url = "http://{hub}"
[database]
{database}
[security]
master_key = "{MASTER_KEY}"
"#
    );
    for number in 0..*merchants {
        let _infallible = write!(
            text,
            r#"[[merchants]]
id = "{wechat}"
provider = "wechat"
mchid = "{mchid}"
appid = "{APPID}"
merchant_serial_no = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
merchant_private_key = """{wechat_key}"""
apiv3_key = "{apiv3_key}"
wechatpay_public_key_id = "{PUBLIC_KEY_ID}"
wechatpay_public_key = """{wechatpay_public_key}"""
base_url = "http://{providers}"
[[merchants]]
id = "{alipay}"
provider = "alipay"
app_id = "{app_id}"
seller_id = "{SELLER_ID}"
app_private_key = """{alipay_key}"""
alipay_public_key = """{alipay_public_key}"""
gateway_url = "http://{providers}/gateway.do"
"#,
            wechat = Provider::Wechat.merchant(number),
            mchid = Provider::Wechat.account(number),
            wechat_key = include_str!("../../fixtures/keys/wechat_merchant.pem"),
            apiv3_key = APIV3_KEY.trim(),
            wechatpay_public_key = include_str!("../../fixtures/keys/wechatpay_platform_pub.pem"),
            alipay = Provider::Alipay.merchant(number),
            app_id = Provider::Alipay.account(number),
            alipay_key = include_str!("../../fixtures/keys/alipay_app.pem"),
            alipay_public_key = include_str!("../../fixtures/keys/alipay_platform_pub.pem"),
        );
    }
    let _infallible = write!(
        text,
        r#"[[channels]]
id = "sms-main"
kind = "aliyun-sms"
access_key_id = "benchmarkAccessKeyId"
access_key_secret = "benchmarkAccessKeySecret"
sign_name = "园区不动产"
endpoint = "http://{providers}"
receipt_token = "benchmark-receipts"
[[templates]]
event = "PAY.SUCCEEDED"
channel = "sms-main"
code = "SMS_100002"
locale = "zh-CN"
[[applications]]
id = "registry"
api_key = "{API_KEY}"
webhook_url = "http://{webhooks}/hooks"
webhook_secret = "{WEBHOOK_SECRET}"
[office]
name = "园区不动产登记中心"
{more}
"#
    );
    text
}
