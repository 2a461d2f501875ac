//! A merchant's office in a test: signs what it asks and verifies what it is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::ManualClock;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use rsa::signature::{SignatureEncoding as _, Signer as _, Verifier as _};
use sandbox::{Action, Engine, Fault, Place, Received, Reply, SandboxConfig};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) const MCHID: &str = "1900000001";
pub(crate) const APPID: &str = "wx8888888888888888";
pub(crate) const SERIAL: &str = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
pub(crate) const PLATFORM_ID: &str = "PUB_KEY_ID_0114232134912410000000000000";
pub(crate) const APP_ID: &str = "2021000000000000";
pub(crate) const SELLER: &str = "2088000000000000";
pub(crate) const APIV3_KEY: &str = "payhubtestsonlyapiv3key012345678";

const MERCHANT: &str = include_str!("../../../fixtures/keys/wechat_merchant.pem");
const WECHATPAY_PUB: &str = include_str!("../../../fixtures/keys/wechatpay_platform_pub.pem");
const APP: &str = include_str!("../../../fixtures/keys/alipay_app.pem");
const ALIPAY_PUB: &str = include_str!("../../../fixtures/keys/alipay_platform_pub.pem");

pub(crate) struct Office {
    pub(crate) engine: Arc<Engine>,
    pub(crate) clock: ManualClock,
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn sign(pem: &str, message: &[u8]) -> String {
    let key = rsa::PrivateKey::from_pkcs8_pem(pem).unwrap();
    STANDARD.encode(SigningKey::<Sha256>::new(key).sign(message).to_bytes())
}

pub(crate) fn verifies(pem: &str, message: &[u8], signature: &str) -> bool {
    let key = rsa::PublicKey::from_public_key_pem(pem).unwrap();
    let Ok(bytes) = STANDARD.decode(signature) else { return false };
    let Ok(signature) = Signature::try_from(bytes.as_slice()) else { return false };
    VerifyingKey::<Sha256>::new(key).verify(message, &signature).is_ok()
}

pub(crate) fn config() -> SandboxConfig {
    let mut config = SandboxConfig::development();
    config.listen = ([127, 0, 0, 1], 0).into();
    config.auto_tick = false;
    config
}

/// Friday, ten in the morning in Beijing.
pub(crate) fn morning() -> Timestamp {
    at("2026-11-20T02:00:00Z")
}

pub(crate) fn office() -> Office {
    let clock = ManualClock::at(morning());
    let engine = Engine::new(&config(), Arc::new(clock.clone())).unwrap();
    Office { engine: Arc::new(engine), clock }
}

/// A WeChat Pay answer: status, JSON body, and whether it carries a good signature.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) signed: bool,
}

impl Told {
    pub(crate) fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Office {
    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// From now on fund flow bills take charges from the principal.
    pub(crate) fn take_charges(&self) {
        self.engine.set_fault(Fault::new(Place::FundBill, Action::ChargeTaken)).unwrap();
    }

    /// A request signed as APIv3 asks, with everything that a test may want to spoil afterwards.
    pub(crate) fn wechat_request(&self, method: &str, target: &str, body: &str) -> Received {
        self.wechat_request_as(MCHID, method, target, body)
    }

    /// The same of another merchant with the same keys.
    pub(crate) fn wechat_request_as(
        &self,
        mchid: &str,
        method: &str,
        target: &str,
        body: &str,
    ) -> Received {
        let timestamp = self.clock.now_seconds();
        let nonce = "593BEC0C930BF1AFEB40B4A08C8FB242";
        let message = format!("{method}\n{target}\n{timestamp}\n{nonce}\n{body}\n");
        let signature = sign(MERCHANT, message.as_bytes());
        let authorization = format!(
            "WECHATPAY2-SHA256-RSA2048 mchid=\"{mchid}\",nonce_str=\"{nonce}\",signature=\"{signature}\",timestamp=\"{timestamp}\",serial_no=\"{SERIAL}\""
        );
        Received {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: [
                ("Host", "127.0.0.1"),
                ("Accept", "application/json"),
                ("User-Agent", "test"),
                ("Content-Type", "application/json"),
                ("Authorization", &authorization),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
            body: body.as_bytes().to_vec(),
        }
    }

    pub(crate) fn wechat(&self, method: &str, target: &str, body: &str) -> Told {
        let reply = self.engine.answer(&self.wechat_request(method, target, body));
        self.told(&reply)
    }

    pub(crate) fn told(&self, reply: &Reply) -> Told {
        Told {
            status: reply.status,
            body: serde_json::from_slice(&reply.body).unwrap_or(Value::Null),
            signed: wechat_signed(reply),
        }
    }

    pub(crate) fn native(&self, out_trade_no: &str, fen: i64, notify_url: &str) -> Told {
        self.wechat("POST", "/v3/pay/transactions/native", &native(out_trade_no, fen, notify_url))
    }

    pub(crate) fn native_until(&self, no: &str, fen: i64, url: &str, until: &str) -> Told {
        let body = native(no, fen, url).replace("2026-11-20T12:00:00+08:00", until);
        self.wechat("POST", "/v3/pay/transactions/native", &body)
    }

    pub(crate) fn query(&self, out_trade_no: &str) -> Told {
        let target = format!("/v3/pay/transactions/out-trade-no/{out_trade_no}?mchid={MCHID}");
        self.wechat("GET", &target, "")
    }

    pub(crate) fn close(&self, out_trade_no: &str) -> Told {
        let target = format!("/v3/pay/transactions/out-trade-no/{out_trade_no}/close");
        self.wechat("POST", &target, &json!({"mchid": MCHID}).to_string())
    }

    pub(crate) fn wechat_refund(
        &self,
        order: &str,
        refund: &str,
        fen: i64,
        total: i64,
        url: &str,
    ) -> Told {
        let mut body = json!({
            "out_trade_no": order, "out_refund_no": refund, "reason": "重复缴费",
            "amount": {"refund": fen, "total": total, "currency": "CNY"},
        });
        if !url.is_empty() {
            body["notify_url"] = json!(url);
        }
        self.wechat("POST", "/v3/refund/domestic/refunds", &body.to_string())
    }

    /// A gateway request's parameters, signed; public ones go to the query, content to the form.
    pub(crate) fn alipay_parameters(
        &self,
        method: &str,
        content: &Value,
        notify_url: Option<&str>,
    ) -> BTreeMap<String, String> {
        let wall = domain::time::beijing(self.engine.now());
        let mut parameters: BTreeMap<String, String> = [
            ("app_id", APP_ID.to_owned()),
            ("method", method.to_owned()),
            ("format", "JSON".to_owned()),
            ("charset", "utf-8".to_owned()),
            ("sign_type", "RSA2".to_owned()),
            ("timestamp", wall.strftime("%Y-%m-%d %H:%M:%S").to_string()),
            ("version", "1.0".to_owned()),
            ("biz_content", content.to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        if let Some(url) = notify_url {
            parameters.insert("notify_url".to_owned(), url.to_owned());
        }
        parameters
    }

    pub(crate) fn alipay_sign(&self, text: &str) -> String {
        sign(APP, text.as_bytes())
    }

    pub(crate) fn alipay_reply(&self, mut parameters: BTreeMap<String, String>) -> Reply {
        let text: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        parameters.insert("sign".to_owned(), sign(APP, text.join("&").as_bytes()));
        self.alipay_send(&parameters)
    }

    pub(crate) fn alipay_send(&self, parameters: &BTreeMap<String, String>) -> Reply {
        let encode = |form: bool| {
            let mut text = url::form_urlencoded::Serializer::new(String::new());
            text.extend_pairs(
                parameters.iter().filter(|(name, _)| (name.as_str() == "biz_content") == form),
            );
            text.finish()
        };
        self.engine.answer(&Received {
            method: "POST".to_owned(),
            target: format!("/gateway.do?{}", encode(false)),
            headers: vec![(
                "Content-Type".to_owned(),
                "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
            )],
            body: encode(true).into_bytes(),
        })
    }

    /// A method's node, its signature verified over the raw text.
    pub(crate) fn alipay(&self, method: &str, content: &Value) -> Value {
        self.alipay_notified(method, content, None)
    }

    pub(crate) fn alipay_notified(
        &self,
        method: &str,
        content: &Value,
        url: Option<&str>,
    ) -> Value {
        let reply = self.alipay_reply(self.alipay_parameters(method, content, url));
        let (node, signed) = alipay_node(method, &reply);
        assert!(signed, "{}", String::from_utf8_lossy(&reply.body));
        node
    }

    pub(crate) fn precreate(&self, out_trade_no: &str, yuan: &str, url: &str) -> Value {
        let content = json!({
            "out_trade_no": out_trade_no, "total_amount": yuan, "subject": "不动产登记费",
            "product_code": "FACE_TO_FACE_PAYMENT", "timeout_express": "90m",
        });
        self.alipay_notified("alipay.trade.precreate", &content, Some(url))
    }

    pub(crate) fn sms_request(&self, action: &str, parameters: &[(&str, &str)]) -> Received {
        let nonce = self.engine.now().as_nanosecond().to_string() + &parameters.len().to_string();
        self.sms_request_with(action, parameters, &nonce)
    }

    pub(crate) fn sms_request_with(
        &self,
        action: &str,
        parameters: &[(&str, &str)],
        nonce: &str,
    ) -> Received {
        let query: String =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let date = self.engine.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let empty = hex(&Sha256::digest(b""));
        let headers = [
            ("host", "127.0.0.1"),
            ("x-acs-action", action),
            ("x-acs-content-sha256", &empty),
            ("x-acs-date", &date),
            ("x-acs-signature-nonce", nonce),
            ("x-acs-version", "2017-05-25"),
        ];
        let mut sorted: Vec<(String, String)> =
            parameters.iter().map(|(name, value)| (rfc3986(name), rfc3986(value))).collect();
        sorted.sort();
        let canonical_query: Vec<String> =
            sorted.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let signed = headers.map(|(name, _)| name).join(";");
        let canonical =
            format!("POST\n/\n{}\n{lines}\n{signed}\n{empty}", canonical_query.join("&"));
        let text = format!("ACS3-HMAC-SHA256\n{}", hex(&Sha256::digest(canonical)));
        let mut mac = Hmac::<Sha256>::new_from_slice(b"sandboxAccessKeySecret").unwrap();
        mac.update(text.as_bytes());
        let signature = hex(&mac.finalize().into_bytes());
        let mut headers: Vec<(String, String)> =
            headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        headers.push((
            "Authorization".to_owned(),
            format!("ACS3-HMAC-SHA256 Credential=sandboxAccessKeyId,SignedHeaders={signed},Signature={signature}"),
        ));
        Received {
            method: "POST".to_owned(),
            target: format!("/?{query}"),
            headers,
            body: Vec::new(),
        }
    }

    pub(crate) fn control(&self, target: &str, body: &Value) -> (u16, Value) {
        let reply = self.engine.answer(&Received {
            method: "POST".to_owned(),
            target: target.to_owned(),
            headers: vec![("Host".to_owned(), "127.0.0.1:9010".to_owned())],
            body: body.to_string().into_bytes(),
        });
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
    }
}

trait Seconds {
    fn now_seconds(&self) -> i64;
}

impl Seconds for ManualClock {
    fn now_seconds(&self) -> i64 {
        domain::Clock::now(self).as_second()
    }
}

pub(crate) fn native(out_trade_no: &str, fen: i64, notify_url: &str) -> String {
    json!({
        "appid": APPID, "mchid": MCHID, "description": "不动产登记费",
        "out_trade_no": out_trade_no, "notify_url": notify_url,
        "time_expire": "2026-11-20T12:00:00+08:00",
        "amount": {"total": fen, "currency": "CNY"},
    })
    .to_string()
}

/// Whether an answer of WeChat Pay carries the platform's signature.
pub(crate) fn wechat_signed(reply: &Reply) -> bool {
    let header = |name: &str| reply.header(name).unwrap_or_default();
    let mut message =
        format!("{}\n{}\n", header("Wechatpay-Timestamp"), header("Wechatpay-Nonce")).into_bytes();
    message.extend_from_slice(&reply.body);
    message.push(b'\n');
    header("Wechatpay-Serial") == PLATFORM_ID
        && verifies(WECHATPAY_PUB, &message, header("Wechatpay-Signature"))
}

pub(crate) fn wechatpay_verifies(message: &[u8], signature: &str) -> bool {
    verifies(WECHATPAY_PUB, message, signature)
}

pub(crate) fn alipay_verifies(message: &[u8], signature: &str) -> bool {
    verifies(ALIPAY_PUB, message, signature)
}

/// The node of an answer of Alipay and whether its raw text is signed.
pub(crate) fn alipay_node(method: &str, reply: &Reply) -> (Value, bool) {
    let text = String::from_utf8(reply.body.clone()).unwrap_or_default();
    let name = format!("\"{}_response\":", method.replace('.', "_"));
    let Some((_, rest)) = text.split_once(&name) else { return (Value::Null, false) };
    let Some((node, rest)) = rest.rsplit_once(",\"sign\":\"") else { return (Value::Null, false) };
    let signature = rest.trim_end_matches("\"}");
    let value = serde_json::from_str(node).unwrap_or(Value::Null);
    (value, alipay_verifies(node.as_bytes(), signature))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn rfc3986(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
