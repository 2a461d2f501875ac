//! An office whose application at Alipay is set up as a test wants it, and answers taken apart by
//! the manual: the node is what stands from its first brace to the matching one.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::ManualClock;
use sandbox::{AlipayApp, Engine, Received, Reply};
use serde_json::{Value, json};

use crate::office::{Office, alipay_verifies, config, morning};

pub(crate) const URL: &str = "http://127.0.0.1:9/callbacks/b";
pub(crate) const SUBJECT: &str = "不动产登记费";

pub(crate) fn office_of(change: impl FnOnce(&mut AlipayApp)) -> Office {
    let mut config = config();
    change(&mut config.alipay[0]);
    let clock = ManualClock::at(morning());
    let engine = Engine::new(&config, Arc::new(clock.clone())).unwrap();
    Office { engine: Arc::new(engine), clock }
}

/// The text of a node as it stands: an object, or a text with its quotes.
pub(crate) fn node_text(body: &str, name: &str) -> String {
    let (_, rest) = body.split_once(&format!("\"{name}\":")).unwrap();
    let (mut open, mut quoted, mut escaped) = (Vec::new(), false, false);
    for (place, letter) in rest.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => open.push(place),
            '}' if !quoted => drop(open.pop()),
            _ => {}
        }
        if open.is_empty() && !quoted {
            return rest.get(..=place).unwrap().to_owned();
        }
    }
    panic!("{body}")
}

/// The value of a text field beside the node.
pub(crate) fn beside(body: &str, name: &str) -> Option<String> {
    let whole: Value = serde_json::from_str(body).unwrap();
    whole[name].as_str().map(str::to_owned)
}

/// A body's text: UTF-8, or GBK where it says so.
pub(crate) fn body(reply: &Reply) -> String {
    if reply.header("Content-Type").is_some_and(|kind| kind.contains("GBK")) {
        return encoding_rs::GBK.decode(&reply.body).0.into_owned();
    }
    String::from_utf8(reply.body.clone()).unwrap()
}

/// An order's content; a test adds what it is about.
pub(crate) fn order(no: &str, product: &str) -> Value {
    json!({
        "out_trade_no": no, "total_amount": "80.00", "subject": SUBJECT, "product_code": product,
    })
}

impl Office {
    /// A page of the gateway, as a browser is led there by a form: its HTML.
    pub(crate) fn alipay_page(&self, method: &str, content: &Value, back: &str) -> String {
        let mut parameters = self.alipay_parameters(method, content, Some(URL));
        parameters.insert("return_url".to_owned(), back.to_owned());
        body(&self.alipay_reply(parameters))
    }

    /// The parameters of a call, signed, as they are written into an address or order string.
    pub(crate) fn alipay_string(&self, method: &str, content: &Value) -> String {
        let mut parameters = self.alipay_parameters(method, content, Some(URL));
        let text: Vec<String> =
            parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
        parameters.insert("sign".to_owned(), self.alipay_sign(&text.join("&")));
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&parameters).finish()
    }

    /// Presses a button of a page.
    pub(crate) fn press(&self, target: &str, fields: &[(&str, &str)]) -> Reply {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.engine.answer(&Received {
            method: "POST".to_owned(),
            target: target.to_owned(),
            headers: vec![
                ("Host".to_owned(), "127.0.0.1:9010".to_owned()),
                ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ],
            body: form.finish().into_bytes(),
        })
    }

    /// The newest notice of an order: its fields, decoded once, their signature proved.
    pub(crate) fn alipay_notice(&self, no: &str) -> BTreeMap<String, String> {
        let sealed = self.engine.sealed_callback(no).unwrap();
        let fields: BTreeMap<String, String> =
            url::form_urlencoded::parse(&sealed.body).into_owned().collect();
        let text: Vec<String> = fields
            .iter()
            .filter(|(name, value)| {
                !matches!(name.as_str(), "sign" | "sign_type") && !value.is_empty()
            })
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert!(alipay_verifies(text.join("&").as_bytes(), &fields["sign"]), "{fields:?}");
        fields
    }
}
