//! WeChat Pay's old interface: each call accepted and refused, signed and read by the test's own
//! hand.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use sandbox::{Received, Reply};
use sha2::{Digest as _, Sha256};

use crate::office::{APPID, Office, hex};

mod bills;
mod counter;
mod faults;
mod hub;
mod hub_told;
mod notices;
mod orders;
mod refunds;

pub(crate) const PAYEE: &str = "1900000109";
pub(crate) const API_KEY: &str = "payhubtestsonlyapiv2key012345678";
const URL: &str = "http://127.0.0.1:9/callbacks/a";

pub(crate) type Fields = BTreeMap<String, String>;

pub(crate) fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The signature of the manual: values in order of their names, the key behind them.
pub(crate) fn signature(fields: &Fields, hmac: bool) -> String {
    let mut text: Vec<String> = fields
        .iter()
        .filter(|(name, value)| name.as_str() != "sign" && !value.is_empty())
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    text.push(format!("key={API_KEY}"));
    let text = text.join("&");
    if hmac {
        let mut mac = Hmac::<Sha256>::new_from_slice(API_KEY.as_bytes()).unwrap();
        mac.update(text.as_bytes());
        hex(&mac.finalize().into_bytes()).to_uppercase()
    } else {
        hex(&Md5::digest(text)).to_uppercase()
    }
}

pub(crate) fn document(fields: &Fields) -> String {
    let elements: String = fields
        .iter()
        .map(|(name, value)| format!("<{name}><![CDATA[{value}]]></{name}>"))
        .collect();
    format!("<xml>{elements}</xml>")
}

/// Reads what the provider wrote; it writes nothing but CDATA.
pub(crate) fn parsed(text: &str, root: &str) -> Fields {
    let inner = text.trim().strip_prefix(&format!("<{root}>")).unwrap();
    let mut rest = inner.strip_suffix(&format!("</{root}>")).unwrap().trim();
    let mut fields = Fields::new();
    while !rest.is_empty() {
        let (name, after) = rest.strip_prefix('<').unwrap().split_once("><![CDATA[").unwrap();
        let (value, after) = after.split_once(&format!("]]></{name}>")).unwrap();
        assert!(fields.insert(name.to_owned(), value.to_owned()).is_none(), "{name} twice");
        rest = after.trim();
    }
    fields
}

/// What the provider answered: `signed` under which algorithm.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) fields: Fields,
    pub(crate) md5: bool,
    pub(crate) hmac: bool,
}

impl Told {
    pub(crate) fn get(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }

    fn of(reply: &Reply) -> Self {
        assert_eq!(reply.status, 200);
        let fields = parsed(std::str::from_utf8(&reply.body).unwrap(), "xml");
        let sign = fields.get("sign").cloned().unwrap_or_default();
        let (md5, hmac) = (sign == signature(&fields, false), sign == signature(&fields, true));
        Self { fields, md5, hmac }
    }
}

impl Office {
    pub(crate) fn v2_request(&self, path: &str, mut fields: Fields, hmac: bool) -> Received {
        let nonce = format!("nonce{}", self.engine.state().requests.len());
        for (name, value) in [("appid", APPID), ("mch_id", PAYEE), ("nonce_str", &nonce)] {
            fields.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        if hmac {
            fields.insert("sign_type".to_owned(), "HMAC-SHA256".to_owned());
        }
        let sign = signature(&fields, hmac);
        fields.insert("sign".to_owned(), sign);
        raw(path, &document(&fields))
    }

    pub(crate) fn v2(&self, path: &str, pairs: &[(&str, &str)]) -> Told {
        Told::of(&self.engine.answer(&self.v2_request(path, fields(pairs), false)))
    }

    fn unified(&self, number: &str, change: &[(&str, &str)]) -> Told {
        Told::of(&self.engine.answer(&self.v2_request(
            "/pay/unifiedorder",
            unified(number, change),
            false,
        )))
    }

    pub(crate) fn v2_query(&self, number: &str) -> Told {
        self.v2("/pay/orderquery", &[("out_trade_no", number)])
    }

    fn scan(&self, number: &str, auth_code: &str) -> Told {
        self.v2("/pay/micropay", &micropay(number, auth_code))
    }

    fn reverse(&self, number: &str) -> Told {
        self.v2("/secapi/pay/reverse", &[("out_trade_no", number)])
    }

    pub(crate) fn v2_refund(&self, order: &str, refund: &str, fen: i64, url: &str) -> Told {
        let fen = fen.to_string();
        self.v2(
            "/secapi/pay/refund",
            &[
                ("out_trade_no", order),
                ("out_refund_no", refund),
                ("total_fee", "8000"),
                ("refund_fee", &fen),
                ("notify_url", url),
            ],
        )
    }
}

fn raw(path: &str, body: &str) -> Received {
    let headers = [("User-Agent", "test"), ("Content-Type", "text/xml")];
    Received {
        method: "POST".to_owned(),
        target: path.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: body.as_bytes().to_vec(),
    }
}

fn micropay<'a>(number: &'a str, auth_code: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("body", "不动产登记费"),
        ("out_trade_no", number),
        ("total_fee", "8000"),
        ("spbill_create_ip", "127.0.0.1"),
        ("auth_code", auth_code),
    ]
}

/// An order by code; a change to nothing takes a field out.
pub(crate) fn unified(number: &str, change: &[(&str, &str)]) -> Fields {
    let mut all = fields(&[
        ("body", "不动产登记费"),
        ("out_trade_no", number),
        ("total_fee", "8000"),
        ("spbill_create_ip", "127.0.0.1"),
        ("notify_url", URL),
        ("trade_type", "NATIVE"),
        ("product_id", number),
        ("time_expire", "20261120120000"),
        ("attach", "FEE1"),
    ]);
    for (name, value) in change {
        all.insert((*name).to_owned(), (*value).to_owned());
    }
    all.retain(|_, value| !value.is_empty());
    all
}

#[track_caller]
pub(crate) fn accepted(told: &Told) {
    assert_eq!(
        (told.get("return_code"), told.get("result_code")),
        ("SUCCESS", "SUCCESS"),
        "{told:?}"
    );
    assert!(told.md5 && !told.hmac, "{told:?}");
}

#[track_caller]
fn refused(told: &Told, code: &str) {
    assert_eq!((told.get("return_code"), told.get("result_code")), ("SUCCESS", "FAIL"), "{told:?}");
    assert_eq!(told.get("err_code"), code, "{told:?}");
    assert!(told.md5, "a refusal is signed: {told:?}");
}

#[track_caller]
fn unheard(reply: &Reply) {
    let told = Told::of(reply);
    assert_eq!(told.get("return_code"), "FAIL", "{told:?}");
    assert!(!told.md5 && !told.hmac && !told.fields.contains_key("result_code"), "{told:?}");
}

fn paid(office: &Office, number: &str) {
    accepted(&office.unified(number, &[]));
    office.engine.pay(number, false).unwrap();
}
