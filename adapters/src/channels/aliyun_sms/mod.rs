//! SMS through Aliyun (Dysmsapi 2017-05-25). Sending is not idempotent there: a lost answer is
//! unknown, and `QuerySendDetails` by phone and day, matched by `OutId`, decides.

mod acs3;
mod answer;
mod codes;
mod receipts;
#[cfg(test)]
mod tests;

use std::fmt;

use domain::delivery::{Delivery, Lookup, Repeat};
use domain::personal::{Personal, Secret};
use jiff::Timestamp;
use url::Url;

use super::{ChannelConfigError, ReceiptBatch, ReceiptError, SmsChannel, SmsLookup, SmsMessage};
use crate::provider::{LimitError, Reply, SignError};
use crate::settings::is_protected;
use crate::wire::{Answer, Call, Method, Request, Stamp};

/// The API's version, signed with every call.
const VERSION: &str = "2017-05-25";
/// The action that sends.
const SEND: &str = "SendSms";
/// The action that asks for the record.
const QUERY: &str = "QuerySendDetails";
/// The largest page of a record.
const PAGE_SIZE: u32 = 50;
/// What the configuration says about such a channel.
#[derive(Clone, Debug)]
pub struct AliyunSmsConfig {
    /// AccessKey id.
    pub access_key_id: String,
    /// AccessKey secret.
    pub access_key_secret: Secret,
    /// The signature (短信签名), without its 【】.
    pub sign_name: String,
    /// `https://dysmsapi.aliyuncs.com`, or the sandbox's address.
    pub endpoint: String,
}

/// A channel to Aliyun.
#[derive(Clone)]
pub struct AliyunSms {
    access_key_id: String,
    access_key_secret: Secret,
    sign_name: String,
    /// Scheme and authority, without a slash behind.
    origin: String,
    /// The authority as it is signed.
    host: String,
}

impl fmt::Debug for AliyunSms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AliyunSms({}, {})", self.origin, self.sign_name)
    }
}

impl AliyunSms {
    /// Sets the channel up.
    ///
    /// # Errors
    /// The key that is empty or wrong. `http` is taken for loopback only.
    pub fn new(config: AliyunSmsConfig) -> Result<Self, ChannelConfigError> {
        let error = |key, rule| Err(ChannelConfigError { key, rule });
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        if !is_word(&config.access_key_id) || config.access_key_id.contains(',') {
            return error("access_key_id", "must be letters and digits");
        }
        if !is_word(config.access_key_secret.expose()) {
            return error("access_key_secret", "must be letters and digits");
        }
        let name = &config.sign_name;
        if !(2..=12).contains(&name.chars().count()) || !name.chars().all(char::is_alphanumeric) {
            return error("sign_name", "must have 2 to 12 letters, without brackets");
        }
        let Ok(url) = Url::parse(&config.endpoint) else {
            return error("endpoint", "must be a URL");
        };
        if !is_protected(&url) {
            return error("endpoint", "must begin with https:// (http:// for loopback only)");
        }
        if url.path() != "/" || url.query().is_some() || !url.username().is_empty() {
            return error("endpoint", "must be scheme, host and port only");
        }
        Ok(Self {
            access_key_id: config.access_key_id,
            access_key_secret: config.access_key_secret,
            sign_name: config.sign_name,
            host: url.authority().to_owned(),
            origin: format!("{}://{}", url.scheme(), url.authority()),
        })
    }
}

impl SmsChannel for AliyunSms {
    fn kind(&self) -> &'static str {
        "aliyun-sms"
    }

    fn signature(&self) -> &str {
        &self.sign_name
    }

    fn repeat(&self) -> Repeat {
        Repeat::AfterLookup
    }

    fn send(&self, message: &SmsMessage<'_>) -> Result<Call, LimitError> {
        let phone = mainland(message.phone)?;
        check_word("template_code", message.template_code, 64)?;
        check_word("out_id", message.out_id, 255)?;
        let mut params = serde_json::Map::new();
        for (name, value) in message.params {
            if params.insert(name.clone(), value.clone().into()).is_some() {
                return limit("params", format!("{name} is given twice"));
            }
        }
        Ok(call(
            SEND,
            [
                ("PhoneNumbers", phone),
                ("SignName", &self.sign_name),
                ("TemplateCode", message.template_code),
                ("TemplateParam", &serde_json::Value::Object(params).to_string()),
                ("OutId", message.out_id),
            ],
        ))
    }

    fn query(&self, lookup: &SmsLookup<'_>) -> Result<Call, LimitError> {
        Ok(call(
            QUERY,
            [
                ("PhoneNumber", mainland(lookup.phone)?),
                ("SendDate", &lookup.day.strftime("%Y%m%d").to_string()),
                ("PageSize", &PAGE_SIZE.to_string()),
                ("CurrentPage", "1"),
            ],
        ))
    }

    fn sign(&self, call: &Call, stamp: &Stamp) -> Result<Request, SignError> {
        if ![SEND, QUERY].contains(&call.target.as_str()) || !call.body.is_empty() {
            return Err(SignError("it is no call to Aliyun SMS".to_owned()));
        }
        let unsigned = acs3::Unsigned {
            host: &self.host,
            action: &call.target,
            version: VERSION,
            parameters: &call.parameters,
            now: stamp.now,
            nonce: &stamp.nonce,
        };
        let signed = acs3::sign(&unsigned, &self.access_key_id, &self.access_key_secret);
        Ok(Request {
            method: Method::Post,
            url: format!("{}/?{}", self.origin, signed.query),
            second_url: None,
            mutual_tls: false,
            headers: signed.headers,
            body: Vec::new(),
        })
    }

    fn read_send(&self, answer: &Answer, now: Timestamp) -> Delivery {
        answer::read_send(answer, now)
    }

    fn read_query(&self, lookup: &SmsLookup<'_>, answer: &Answer) -> Lookup {
        answer::read_query(lookup.out_id, answer)
    }

    fn read_receipts(&self, body: &[u8]) -> Result<ReceiptBatch, ReceiptError> {
        receipts::read(body)
    }

    fn acknowledge_receipts(&self, is_taken: bool) -> Reply {
        if is_taken { receipts::TAKEN } else { receipts::NOT_TAKEN }
    }
}

fn call<const N: usize>(action: &str, parameters: [(&str, &str); N]) -> Call {
    Call {
        method: Method::Post,
        target: action.to_owned(),
        body: String::new(),
        parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
    }
}

/// The eleven digits of a mainland number.
fn mainland(phone: &Personal) -> Result<&str, LimitError> {
    let digits = phone.clear();
    let digits = ["+86", "0086", "86"]
        .into_iter()
        .find_map(|prefix| digits.strip_prefix(prefix).filter(|rest| rest.len() == 11))
        .unwrap_or(digits);
    let is_mobile = digits.len() == 11
        && digits.starts_with('1')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_mobile { Ok(digits) } else { limit("phone", "must be a mainland mobile number") }
}

fn check_word(field: &'static str, text: &str, longest: usize) -> Result<(), LimitError> {
    let good = (1..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
    if good { Ok(()) } else { limit(field, format!("must have 1 to {longest} ASCII letters")) }
}

fn limit<T>(field: &'static str, rule: impl Into<String>) -> Result<T, LimitError> {
    Err(LimitError { field, rule: rule.into() })
}
