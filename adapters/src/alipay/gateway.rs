//! Sorts the gateway's answers: finds the node, proves it over its exact characters, and tells
//! done from failed, refused and unclear. HTTP says nothing here: Alipay answers 200.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Alipay;
use super::download::BILL_URL;
use super::order::QUERY;
use super::refund::REFUND_QUERY;
use super::renewal::DOWNLOAD;
use super::ring::{By, Proved};
use crate::json::{self, Members};
use crate::wire::{Answer, Outcome, Reason, Refusal};

/// What an answer says before it is known what was asked.
pub(super) enum Said<'a> {
    /// Code 10000, proved: the node, opened where it was sealed.
    Done(Cow<'a, str>),
    /// Code 10003, proved: the payer must do something first.
    Waiting(Cow<'a, str>),
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

/// An answer taken apart, with nothing of it proved yet.
pub(super) struct Envelope<'a> {
    /// The node's exact characters: an object, or the quoted text of a sealed one.
    pub(super) node: &'a RawValue,
    /// The signature over them, if there is one.
    pub(super) sign: Option<String>,
    /// The number of the certificate that signed, where it is named.
    pub(super) certificate: Option<String>,
    /// Whether the node is the gateway's `error_response`, not the method's own.
    pub(super) is_error: bool,
}

/// What stands behind a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Its signature verifies.
    Proved,
    /// It has none, and is an `error_response`: the gateway refuses in it, before any business.
    Refusal,
    /// It has none, and bears the name of a method that only reads: nothing can have moved.
    OfReading,
    /// It has none: whatever it says, the business may be done.
    Nothing,
}

/// The methods that only read.
const READING: [&str; 4] = [QUERY, REFUND_QUERY, BILL_URL, DOWNLOAD];

impl Standing {
    /// Of the node of an answer to `method`.
    pub(super) fn of(method: &str, envelope: &Envelope<'_>, is_proved: bool) -> Self {
        if is_proved {
            Self::Proved
        } else if envelope.is_error {
            Self::Refusal
        } else if READING.contains(&method) {
            Self::OfReading
        } else {
            Self::Nothing
        }
    }
}

impl<'a> Envelope<'a> {
    /// Finds the parts of the answer to `method`, each exactly once.
    pub(super) fn read(method: &str, answer: &'a Answer) -> Result<Self, String> {
        if answer.status != 200 {
            return Err(format!("answer {}", answer.status));
        }
        let members = Members::read(&answer.body)
            .map_err(|source| format!("the answer {}", json::fault(&source)))?;
        let name = format!("{}_response", method.replace('.', "_"));
        let only = |name: &str| members.only(name).map_err(|twice| format!("{name}: {twice}"));
        let text = |name: &str| -> Result<Option<String>, String> {
            let Some(text) = only(name)? else { return Ok(None) };
            let text: String = serde_json::from_str(text.get())
                .map_err(|source| format!("the {name} {}", json::fault(&source)))?;
            Ok(Some(text).filter(|text| !text.is_empty()))
        };
        let (node, is_error) = match (only(&name)?, only("error_response")?) {
            (Some(node), None) => (node, false),
            (None, Some(node)) => (node, true),
            (Some(_), Some(_)) => return Err("both a node and an error_response".to_owned()),
            (None, None) => return Err(format!("no {name}")),
        };
        Ok(Self { node, sign: text("sign")?, certificate: text("alipay_cert_sn")?, is_error })
    }
}

impl Alipay {
    /// Sorts the answer to `method`.
    pub(super) fn said<'a>(&self, method: &str, answer: &'a Answer, now: Timestamp) -> Said<'a> {
        let read = Envelope::read(method, answer).and_then(|envelope| {
            let proved = self.proved(&envelope, now)?;
            let standing = Standing::of(method, &envelope, proved);
            Ok((self.opened(envelope.node, proved)?, standing))
        });
        match read {
            Ok((node, standing)) => sorted(node, standing),
            Err(why) => Said::Unclear(why),
        }
    }

    /// Whether the answer is proved. A signature that is there must verify.
    fn proved(&self, envelope: &Envelope<'_>, now: Timestamp) -> Result<bool, String> {
        let Some(sign) = &envelope.sign else { return Ok(false) };
        let (named, node) = (envelope.certificate.as_deref(), envelope.node.get().as_bytes());
        match self.trust.proves(By::Answer, named, now, node, sign) {
            Proved::Yes => Ok(true),
            Proved::No => Err("the answer's signature does not verify".to_owned()),
            Proved::UnknownKey => {
                Err("the answer is signed by a certificate that is not known or over".to_owned())
            }
        }
    }

    /// The node as text: opened where it is sealed, and never opened before it is proved. Refusals
    /// come in the clear even where contents are sealed.
    fn opened<'a>(&self, node: &'a RawValue, proved: bool) -> Result<Cow<'a, str>, String> {
        if !node.get().starts_with('"') {
            return Ok(node.get().into());
        }
        let Some(key) = self.content.as_ref().filter(|_| proved) else {
            return Err("a sealed answer that nobody can open".to_owned());
        };
        let sealed: String = serde_json::from_str(node.get())
            .map_err(|source| format!("the node {}", json::fault(&source)))?;
        key.open(&sealed).map(Cow::Owned).map_err(|why| why.to_string())
    }
}

/// Tells apart what a node says.
pub(super) fn sorted(node: Cow<'_, str>, standing: Standing) -> Said<'_> {
    let head: Head = match serde_json::from_str(&node) {
        Ok(head) => head,
        Err(source) => return Said::Unclear(format!("the node {}", json::fault(&source))),
    };
    let reason = refusal(&head);
    match (standing, head.code.as_str(), reason) {
        (Standing::Proved, "10000", _) => Said::Done(node),
        (Standing::Proved, "10003", _) => Said::Waiting(node),
        (Standing::Proved, "40004", _) => {
            Said::Failed(Failure { sub_code: head.sub_code, sub_msg: head.sub_msg })
        }
        // The gateway may not sign its refusals; it gives them before it asks any business.
        (Standing::Proved | Standing::Refusal, _, Some(reason)) => refused(&head, reason),
        // It cannot sign what it refuses for our signature's sake, and may name the method's node.
        (Standing::OfReading, _, Some(Reason::Configuration)) => {
            refused(&head, Reason::Configuration)
        }
        (Standing::Proved, code, _) => Said::Unclear(format!("code {:?}", cut(code))),
        (Standing::Refusal | Standing::OfReading | Standing::Nothing, code, _) => {
            Said::Unclear(format!("code {:?} without a signature", cut(code)))
        }
    }
}

/// Why the gateway refuses before it asks any business, where its code says that it does.
fn refusal(head: &Head) -> Option<Reason> {
    match head.code.as_str() {
        "20001" | "40006" => Some(Reason::Configuration),
        "40001" | "40002" => Some(argument(&head.sub_code)),
        _ => None,
    }
}

fn refused(head: &Head, reason: Reason) -> Said<'static> {
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
        | "missing-signature-type"
        | "missing-app-cert-sn"
        | "missing-alipay-root-cert-sn"
        | "app-cert-not-exist"
        | "invalid-alipay-root-cert-sn"
        | "missing-encrypt-key"
        | "invalid-encrypt-type"
        | "invalid-encrypt" => Reason::Configuration,
        word if word.starts_with("decryption-error") => Reason::Configuration,
        _ => Reason::InvalidRequest,
    }
}

/// The node's bytes, or the outcome that the answer has whatever was asked; `reason` knows the
/// failures that decide this call, the rest is unknown.
pub(super) fn done<'a, T>(
    said: Said<'a>,
    reason: fn(&str) -> Option<Reason>,
) -> Result<Cow<'a, str>, Outcome<T>> {
    match said {
        Said::Done(node) => Ok(node),
        Said::Waiting(_) => Err(Outcome::Unknown("code \"10003\"".to_owned())),
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
