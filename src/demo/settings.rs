//! The office's `payhub.toml`: test keys, two merchants, an SMS channel and one backend service.

use std::net::SocketAddr;

use sandbox::Running as RunningSandbox;

use super::office::{ALIPAY, WECHAT};
use crate::commands::paste;

const WECHATPAY_PUBLIC: &str = include_str!("../../fixtures/keys/wechatpay_platform_pub.pem");
const ALIPAY_PUBLIC: &str = include_str!("../../fixtures/keys/alipay_platform_pub.pem");
const MASTER_KEY: &str = "cGF5aHViIGRlbW9uc3RyYXRpb24ga2V5IDAwMDAwMDE=";
/// The backend service's key: good on loopback, for one process.
pub(super) const API_KEY: &str = "phk_demonstration_only_0000000000000000";
/// Signs the webhooks.
pub(super) const WEBHOOK_SECRET: &str = "whsec_cGF5aHViIGRlbW9uc3RyYXRpb24gc2VjcmV0IDAwMDE=";

/// The further tables with what is known of the providers only once they run.
pub(super) fn filled(more: &str, sandbox: &RunningSandbox) -> String {
    let more = more.replace("{providers}", &sandbox.base_url());
    if !more.contains("{pasted}") {
        return more;
    }
    let pasted = paste::toml(&sandbox.engine().connection());
    more.replace("{pasted}", &pasted.unwrap_or_default())
}

/// The office's `payhub.toml`.
pub(super) fn configuration(
    address: SocketAddr,
    providers: &str,
    webhook_url: &str,
    [merchant_key, app_key]: [&str; 2],
    more: &str,
) -> String {
    format!(
        r#"
[server]
listen = "{address}"
public_url = "http://{address}"
[database]
url = "postgres://unused@127.0.0.1/unused"
[security]
master_key = "{MASTER_KEY}"
[[merchants]]
id = "{WECHAT}"
provider = "wechat"
mchid = "1900000001"
appid = "wx8888888888888888"
merchant_serial_no = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
merchant_private_key = """{merchant_key}"""
apiv3_key = "{apiv3_key}"
wechatpay_public_key_id = "PUB_KEY_ID_0114232134912410000000000000"
wechatpay_public_key = """{WECHATPAY_PUBLIC}"""
base_url = "{providers}"
[[merchants]]
id = "{ALIPAY}"
provider = "alipay"
app_id = "2021000000000000"
seller_id = "2088000000000000"
app_private_key = """{app_key}"""
alipay_public_key = """{ALIPAY_PUBLIC}"""
gateway_url = "{providers}/gateway.do"
[[channels]]
id = "sms-main"
kind = "aliyun-sms"
access_key_id = "sandboxAccessKeyId"
access_key_secret = "sandboxAccessKeySecret"
sign_name = "园区不动产"
endpoint = "{providers}"
receipt_token = "demonstration-receipts"
[[templates]]
event = "FEE.ISSUED"
channel = "sms-main"
code = "SMS_100001"
locale = "zh-CN"
[[templates]]
event = "PAY.SUCCEEDED"
channel = "sms-main"
code = "SMS_100002"
locale = "zh-CN"
[[applications]]
id = "registry"
api_key = "{API_KEY}"
webhook_url = "{webhook_url}"
webhook_secret = "{WEBHOOK_SECRET}"
webhook_events = ["reconciliation.completed", "difference.opened", "difference.resolved"]
[office]
name = "园区不动产登记中心（演示）"
{more}
"#,
        apiv3_key = include_str!("../../fixtures/keys/wechat_v3_key.txt").trim(),
    )
}
