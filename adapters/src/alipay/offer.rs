//! What needs no call of the hub: the payer's own browser or app carries the signed order to
//! Alipay. A page is a form that posts itself (its content does not stand in an address), a phone's
//! browser gets an address to go to, and the app gets the text that Alipay's kit takes.

use jiff::Timestamp;
use serde_json::json;

use super::Alipay;
use super::order::{APP, PAGE, WAP};
use super::sign::{encoded, joined};
use crate::provider::{Pay, SignError};
use crate::wire::Call;

/// Whether a method is the payer's to carry, and never the hub's to send.
pub(super) fn is_carried(method: &str) -> bool {
    [PAGE, WAP, APP].contains(&method)
}

impl Alipay {
    /// What the payer carries, signed; `None` when the hub sends the call itself.
    pub(super) fn offered(&self, call: &Call, now: Timestamp) -> Result<Option<Pay>, SignError> {
        if !is_carried(&call.target) {
            return Ok(None);
        }
        let parameters = self.signed(call, now)?;
        Ok(Some(match call.target.as_str() {
            PAGE => {
                let (content, public) = encoded(&parameters);
                let action = format!("{}?{}", self.gateway, joined(public));
                // The form takes values as they are: the browser encodes them.
                let fields: String = content
                    .into_iter()
                    .filter_map(|(name, _)| Some((name, parameters.get(name)?)))
                    .map(|(name, value)| field(name, value))
                    .collect();
                Pay::Form { html: form(&action, &fields) }
            }
            WAP => {
                let (content, public) = encoded(&parameters);
                let all = joined(public.into_iter().chain(content).collect());
                Pay::Redirect { url: format!("{}?{all}", self.gateway) }
            }
            _ => {
                let (content, public) = encoded(&parameters);
                let order_string = joined(public.into_iter().chain(content).collect());
                Pay::App { params: json!({ "order_string": order_string }) }
            }
        }))
    }
}

/// A form that posts itself; where scripts are forbidden, its button posts it.
fn form(action: &str, fields: &str) -> String {
    format!(
        "<form id=\"payhub-alipay\" action=\"{}\" method=\"post\" accept-charset=\"utf-8\">{fields}\
         <button>前往支付宝付款</button></form>\
         <script>document.getElementById(\"payhub-alipay\").submit()</script>",
        escaped(action)
    )
}

fn field(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escaped(name), escaped(value))
}

/// A text inside quotes of HTML.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other => escaped.push(other),
        }
    }
    escaped
}
