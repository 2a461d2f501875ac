//! What the sandbox thinks of each request that a provider answered: whether its signature held, and
//! every deviation from the manual, those too that the real provider would let pass. Bounded, and
//! free of secrets: of a query only the names of its fields are kept, save a few plain ones.

use std::collections::{BTreeSet, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

use crate::message::Received;

/// So many verdicts are kept, the newest.
const KEPT: usize = 500;
/// So many nonces are remembered to find repeats, the newest.
const NONCES: usize = 10_000;
/// No request has more deviations than this on record.
const MOST: usize = 40;
/// Fields of a query whose values are shown.
const PLAIN: &[&str] = &[
    "mchid",
    "sp_mchid",
    "sub_mchid",
    "bill_date",
    "bill_type",
    "account_type",
    "tar_type",
    "algorithm_type",
    "method",
    "app_id",
    "charset",
    "format",
    "sign_type",
    "version",
    "timestamp",
];

/// How the signature of a request stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// It verifies.
    Ok,
    /// It does not, or what it needs is wrong.
    Bad,
    /// There is none.
    Missing,
    /// This call needs none.
    #[default]
    NotNeeded,
}

/// What was thought of one request.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// When it came.
    pub at: Timestamp,
    /// `wechat`, `wechat-v2`, `alipay` or `aliyun-sms`.
    pub provider: &'static str,
    /// HTTP method.
    pub method: String,
    /// Path and query, without secrets.
    pub target: String,
    /// Which call of the provider it is, where the target does not say.
    pub call: Option<String>,
    /// HTTP status of the answer; 0: the connection was cut.
    pub status: u16,
    /// How its signature stands.
    pub signature: Proof,
    /// Every deviation from the provider's manual, in words for a person.
    pub deviations: Vec<String>,
}

/// The log, and what is being found out about the request in hand. A provider's part calls
/// [`signature`](Self::signature), [`deviates`](Self::deviates) and [`nonce`](Self::nonce) while it
/// answers.
#[derive(Default)]
pub(crate) struct Verdicts {
    log: VecDeque<Verdict>,
    proof: Proof,
    call: Option<String>,
    deviations: Vec<String>,
    nonces: BTreeSet<String>,
    nonces_by_age: VecDeque<String>,
}

impl Verdicts {
    /// A request is in hand from now on.
    pub(crate) fn begin(&mut self) {
        self.proof = Proof::default();
        self.call = None;
        self.deviations.clear();
    }

    /// How the signature of the request in hand stands.
    pub(crate) const fn signature(&mut self, proof: Proof) {
        self.proof = proof;
    }

    /// Which call the request in hand is, where its target does not say.
    pub(crate) fn call(&mut self, name: impl Into<String>) {
        self.call = Some(name.into());
    }

    /// The request in hand deviates from the manual. `what` must repeat no secret and no personal
    /// data.
    pub(crate) fn deviates(&mut self, what: impl Into<String>) {
        let what = what.into();
        if self.deviations.len() < MOST && !self.deviations.contains(&what) {
            self.deviations.push(what);
        }
    }

    /// Remembers a nonce of a merchant; a repeated one is a deviation.
    pub(crate) fn nonce(&mut self, merchant: &str, nonce: &str) {
        let nonce = format!("{merchant} {nonce}");
        if !self.nonces.insert(nonce.clone()) {
            self.deviates("nonce: used before");
            return;
        }
        self.nonces_by_age.push_back(nonce);
        if self.nonces_by_age.len() > NONCES
            && let Some(oldest) = self.nonces_by_age.pop_front()
        {
            self.nonces.remove(&oldest);
        }
    }

    /// The request in hand was answered.
    pub(crate) fn end(
        &mut self,
        at: Timestamp,
        provider: &'static str,
        request: &Received,
        status: u16,
    ) {
        if self.log.len() >= KEPT {
            self.log.pop_front();
        }
        self.log.push_back(Verdict {
            at,
            provider,
            method: request.method.clone(),
            target: shown(request),
            call: self.call.take(),
            status,
            signature: self.proof,
            deviations: std::mem::take(&mut self.deviations),
        });
    }

    /// The verdicts, oldest first.
    pub(crate) fn log(&self) -> impl Iterator<Item = &Verdict> {
        self.log.iter()
    }
}

/// Path and query without what nobody else should read.
fn shown(request: &Received) -> String {
    let fields: Vec<String> = url::form_urlencoded::parse(request.query().as_bytes())
        .map(|(name, value)| {
            if PLAIN.contains(&name.as_ref()) {
                format!("{name}={value}")
            } else {
                format!("{name}=…")
            }
        })
        .collect();
    if fields.is_empty() {
        request.path().to_owned()
    } else {
        format!("{}?{}", request.path(), fields.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str) -> Received {
        Received {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    #[test]
    fn secrets_of_a_query_are_not_on_record() {
        let shown = shown(&request("/x?token=geheim&mchid=19&sign=abc"));
        assert_eq!(shown, "/x?token=…&mchid=19&sign=…");
    }

    #[test]
    fn the_newest_five_hundred_are_kept_each_with_its_own_deviations() {
        let mut verdicts = Verdicts::default();
        for count in 0..600 {
            verdicts.begin();
            if count % 2 == 0 {
                verdicts.deviates("odd");
                verdicts.deviates("odd");
            }
            verdicts.end(Timestamp::UNIX_EPOCH, "wechat", &request(&format!("/{count}")), 200);
        }
        let log: Vec<&Verdict> = verdicts.log().collect();
        assert_eq!((log.len(), log[0].target.as_str()), (500, "/100"));
        assert_eq!(log[0].deviations, ["odd"]);
        assert!(log[1].deviations.is_empty());
    }

    #[test]
    fn a_nonce_is_new_once_for_each_merchant() {
        let mut verdicts = Verdicts::default();
        for (merchant, deviations) in [("a", 0), ("b", 0), ("a", 1)] {
            verdicts.begin();
            verdicts.nonce(merchant, "n");
            assert_eq!(verdicts.deviations.len(), deviations);
        }
    }
}
