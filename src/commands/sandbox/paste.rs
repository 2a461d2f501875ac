//! What a hub's `payhub.toml` needs in order to use a sandbox: its connection in the words of the
//! hub's configuration, ready to be pasted.

use serde_json::Value;
use toml::Table;

/// The keys that a merchant's table takes over from the connection, as both call them.
const WECHAT: [&str; 8] = [
    "mchid",
    "appid",
    "merchant_serial_no",
    "merchant_private_key",
    "apiv3_key",
    "wechatpay_public_key_id",
    "wechatpay_public_key",
    "base_url",
];
const WECHAT_V2: [&str; 4] = ["mchid", "appid", "api_key", "base_url"];
const ALIPAY: [&str; 8] = [
    "app_id",
    "seller_id",
    "app_private_key",
    "alipay_public_key",
    "app_cert",
    "alipay_cert",
    "alipay_root_cert",
    "gateway_url",
];
const SMS: [&str; 3] = ["access_key_id", "access_key_secret", "endpoint"];
/// The token that stands in the path of a sandbox's receipts.
const RECEIPT_TOKEN: &str = "sandbox-receipts";

/// The tables of merchants and channels; `None` where the sandbox publishes no private key, so that
/// whoever configured it has them anyway.
pub(crate) fn toml(connection: &Value) -> Option<String> {
    let mut text = String::new();
    let all = |name: &str| connection.get(name).and_then(Value::as_array).cloned();
    for (number, merchant) in all("wechat")?.iter().enumerate() {
        if has(merchant, "merchant_private_key") {
            table(
                &mut text,
                "merchants",
                ("sandbox-wechat", number),
                ("provider", "wechat"),
                |to| {
                    copy(to, merchant, &WECHAT);
                },
            )?;
        }
        if has(merchant, "api_key") {
            let id = ("sandbox-wechat-v2", number);
            table(&mut text, "merchants", id, ("provider", "wechat-v2"), |to| {
                copy(to, merchant, &WECHAT_V2);
                set(to, "sign_type", "HMAC-SHA256");
            })?;
        }
    }
    for (number, app) in all("alipay")?.iter().enumerate() {
        if has(app, "app_private_key") {
            table(
                &mut text,
                "merchants",
                ("sandbox-alipay", number),
                ("provider", "alipay"),
                |to| {
                    copy(to, app, &ALIPAY);
                    // Certificates take the key's place.
                    if to.contains_key("app_cert") {
                        to.remove("alipay_public_key");
                    }
                },
            )?;
        }
    }
    for (number, account) in all("aliyun_sms")?.iter().enumerate() {
        if has(account, "access_key_secret") {
            table(&mut text, "channels", ("sandbox-sms", number), ("kind", "aliyun-sms"), |to| {
                copy(to, account, &SMS);
                set(to, "sign_name", "园区不动产");
                set(to, "receipt_token", RECEIPT_TOKEN);
            })?;
        }
    }
    (!text.is_empty()).then_some(text)
}

fn has(from: &Value, key: &str) -> bool {
    from.get(key).is_some_and(Value::is_string)
}

fn set(to: &mut Table, key: &str, value: &str) {
    to.insert(key.to_owned(), toml::Value::String(value.to_owned()));
}

fn copy(to: &mut Table, from: &Value, keys: &[&str]) {
    for key in keys {
        if let Some(value) = from.get(key).and_then(Value::as_str) {
            set(to, key, value);
        }
    }
}

/// Writes one `[[name]]` table: its id and kind first, the first of a kind without a number.
fn table(
    text: &mut String,
    name: &str,
    (id, number): (&str, usize),
    (kind, word): (&str, &str),
    fill: impl FnOnce(&mut Table),
) -> Option<()> {
    let mut head = Table::new();
    let id = if number == 0 { id.to_owned() } else { format!("{id}-{number}") };
    set(&mut head, "id", &id);
    set(&mut head, kind, word);
    let mut body = Table::new();
    fill(&mut body);
    text.push_str(&format!("[[{name}]]\n"));
    for part in [head, body] {
        text.push_str(&toml::to_string_pretty(&part).ok()?);
    }
    text.push('\n');
    Some(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_printed_is_a_piece_of_a_configuration() {
        let text = toml(&json!({
            "wechat": [
                {"mchid": "19", "merchant_private_key": "-----BEGIN\nx\n", "wechatpay_public_key": null},
                {"mchid": "20", "merchant_private_key": "k", "api_key": "a"},
            ],
            "alipay": [{"app_id": "2021", "app_private_key": "k", "alipay_public_key": "p", "app_cert": "c"}],
            "aliyun_sms": [{"access_key_id": "a", "access_key_secret": null}],
        }))
        .unwrap();
        let read: Table = text.parse().unwrap();
        let merchants: Vec<(&str, &str)> = read["merchants"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["id"].as_str().unwrap(), one["provider"].as_str().unwrap()))
            .collect();
        assert_eq!(
            merchants,
            [
                ("sandbox-wechat", "wechat"),
                ("sandbox-wechat-1", "wechat"),
                ("sandbox-wechat-v2-1", "wechat-v2"),
                ("sandbox-alipay", "alipay"),
            ]
        );
        assert_eq!(read["merchants"][0]["merchant_private_key"].as_str(), Some("-----BEGIN\nx\n"));
        assert!(read["merchants"][3].get("alipay_public_key").is_none());
        assert!(read.get("channels").is_none(), "no secret, no table");
    }

    #[test]
    fn a_sandbox_that_shows_no_key_is_not_pasted() {
        let silent = json!({"wechat": [{"mchid": "19"}], "alipay": [], "aliyun_sms": []});
        assert_eq!(toml(&silent), None);
    }
}
