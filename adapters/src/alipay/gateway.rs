//! Sorts the gateway's answers: finds the node, proves it over its exact characters, and tells
//! done from failed, refused and unclear. HTTP says nothing here: Alipay answers 200.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Alipay;
use crate::json::{self, Members};
use crate::wire::{Answer, Outcome, Reason, Refusal};

/// What an answer says before it is known what was asked.
pub(super) enum Said<'a> {
    /// Code 10000, proved: the node.
    Done(&'a RawValue),
    /// Code 40004, proved: the business said no, and its `sub_code` says how.
    Failed(Failure),
    /// The gateway refused before any business was done.
    Refused(Refusal),
    /// Anything else, and why.
    Unclear(String),
}

/// A failure of the business.
pub(super) struct Failure {
    /// Alipay's word, such as `ACQ.TRADE_NOT_EXIST`.
    pub(super) sub_code: String,
    /// Alipay's text, for people.
    pub(super) sub_msg: String,
}

#[derive(Deserialize)]
struct Head {
    code: String,
    #[serde(default)]
    msg: String,
    #[serde(default)]
    sub_code: String,
    #[serde(default)]
    sub_msg: String,
}

impl Alipay {
    /// Sorts the answer to `method`.
    pub(super) fn said<'a>(&self, method: &str, answer: &'a Answer) -> Said<'a> {
        if answer.status != 200 {
            return Said::Unclear(format!("answer {}", answer.status));
        }
        match self.node(method, &answer.body) {
            Ok((node, proved)) => sorted(node, proved),
            Err(why) => Said::Unclear(why),
        }
    }

    /// The node of the answer, and whether it is proved. A signature that is there must verify.
    fn node<'a>(&self, method: &str, body: &'a [u8]) -> Result<(&'a RawValue, bool), String> {
        let members =
            Members::read(body).map_err(|source| format!("the answer {}", json::fault(&source)))?;
        let name = format!("{}_response", method.replace('.', "_"));
        let only = |name: &str| members.only(name).map_err(|twice| format!("{name}: {twice}"));
        let node = match (only(&name)?, only("error_response")?) {
            (Some(node), None) | (None, Some(node)) => node,
            (Some(_), Some(_)) => return Err("both a node and an error_response".to_owned()),
            (None, None) => return Err(format!("no {name}")),
        };
        let Some(sign) = only("sign")? else { return Ok((node, false)) };
        let sign: String = serde_json::from_str(sign.get())
            .map_err(|source| format!("the sign {}", json::fault(&source)))?;
        if sign.is_empty() {
            return Ok((node, false));
        }
        if self.alipay_public_key.verifies(node.get().as_bytes(), &sign) {
            return Ok((node, true));
        }
        Err("the answer's signature does not verify".to_owned())
    }
}

fn sorted(node: &RawValue, proved: bool) -> Said<'_> {
    let head: Head = match serde_json::from_str(node.get()) {
        Ok(head) => head,
        Err(source) => return Said::Unclear(format!("the node {}", json::fault(&source))),
    };
    match (head.code.as_str(), proved) {
        ("10000", true) => Said::Done(node),
        ("40004", true) => Said::Failed(Failure { sub_code: head.sub_code, sub_msg: head.sub_msg }),
        // The gateway may not sign these; it gives them before it asks any business.
        ("20001" | "40006", _) => refused(&head, Reason::Configuration),
        ("40001" | "40002", _) => refused(&head, argument(&head.sub_code)),
        (code, true) => Said::Unclear(format!("code {:?}", cut(code))),
        (code, false) => Said::Unclear(format!("code {:?} without a signature", cut(code))),
    }
}

fn refused<'a>(head: &Head, reason: Reason) -> Said<'a> {
    let message = if head.sub_msg.is_empty() { &head.msg } else { &head.sub_msg };
    let code = if head.sub_code.is_empty() { &head.code } else { &head.sub_code };
    Said::Refused(Refusal::new(reason, code, message))
}

/// Arguments that the configuration gives, rather than the order.
fn argument(sub_code: &str) -> Reason {
    match sub_code.strip_prefix("isv.").unwrap_or(sub_code) {
        "invalid-signature"
        | "invalid-app-id"
        | "invalid-timestamp"
        | "invalid-signature-type"
        | "invalid-charset"
        | "invalid-method"
        | "missing-signature"
        | "missing-app-id"
        | "missing-timestamp"
        | "missing-signature-key"
        | "missing-signature-type" => Reason::Configuration,
        _ => Reason::InvalidRequest,
    }
}

/// The node's bytes, or the outcome that the answer has whatever was asked; `reason` knows the
/// failures that decide this call, the rest is unknown.
pub(super) fn done<'a, T>(
    said: Said<'a>,
    reason: fn(&str) -> Option<Reason>,
) -> Result<&'a str, Outcome<T>> {
    match said {
        Said::Done(node) => Ok(node.get()),
        Said::Failed(Failure { sub_code, sub_msg }) => Err(match reason(&sub_code) {
            Some(reason) => Outcome::Refused(Refusal::new(reason, &sub_code, &sub_msg)),
            None => Outcome::Unknown(format!("code 40004, sub_code {:?}", cut(&sub_code))),
        }),
        Said::Refused(refusal) => Err(Outcome::Refused(refusal)),
        Said::Unclear(why) => Err(Outcome::Unknown(why)),
    }
}

fn cut(word: &str) -> String {
    word.chars().take(64).collect()
}
