//! The backend service as a caller: it sends each request under a key until it has an answer, and
//! keeps what it was told. What it was told must be true at the end.

use payhub::demo::Office;
use serde_json::Value;

use super::scene::{Scene, told};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Fee,
    Order,
    Close { order: String },
    Refund { order: String },
    Void { fee: String },
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) kind: Kind,
    pub(super) path: String,
    pub(super) body: Value,
    pub(super) key: String,
    pub(super) at_second: bool,
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) bytes: Vec<u8>,
    pub(super) body: Value,
    pub(super) is_of_the_moment: bool,
}

impl Answer {
    /// Whether the backend has what it asked for, or knows that it will not get it.
    pub(super) const fn is_final(&self) -> bool {
        self.status < 500 && !self.is_of_the_moment
    }

    /// A text of the body, or nothing.
    pub(super) fn word(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Status and what it is about, for the story.
    pub(super) fn told(&self) -> String {
        let words = ["code", "detail", "id", "status", "out_trade_no", "out_refund_no"];
        let words: Vec<&str> =
            words.iter().map(|name| self.word(name)).filter(|word| !word.is_empty()).collect();
        format!("{} {}", self.status, words.join(" "))
    }
}

/// What was given to the backend, and under which amounts.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub(super) fees: Vec<Known>,
    pub(super) orders: Vec<Known>,
    pub(super) refunds: Vec<Known>,
    pub(super) closed: Vec<String>,
    pub(super) voided: Vec<String>,
    /// The last request with its answer.
    pub(super) last: Option<(Ask, Answer)>,
}

/// A resource that the backend was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) id: String,
    /// The number at the provider; a fee has none.
    pub(super) number: String,
    pub(super) amount_fen: i64,
}

impl Scene {
    /// Sends a request once.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Answer, String> {
        let request = self
            .office
            .client()
            .post(self.url(ask.at_second, &ask.path))
            .bearer_auth(Office::api_key())
            .header("idempotency-key", &ask.key)
            .header("content-type", "application/json")
            .body(ask.body.to_string());
        let answer = request.send().await.map_err(told)?;
        let status = answer.status().as_u16();
        let is_of_the_moment = answer.headers().contains_key("retry-after");
        let bytes = answer.bytes().await.map_err(told)?.to_vec();
        let body = serde_json::from_slice(&bytes).map_err(told)?;
        Ok(Answer { status, bytes, body, is_of_the_moment })
    }
}

impl Memory {
    /// Keeps what an answer gives; what it should not have said is an error.
    pub(super) fn keep(&mut self, ask: &Ask, answer: &Answer) -> Result<(), String> {
        let known = |amount: &str| Known {
            id: answer.word("id").to_owned(),
            number: [answer.word("out_trade_no"), answer.word("out_refund_no")].concat(),
            amount_fen: answer.body.get(amount).and_then(Value::as_i64).unwrap_or_default(),
        };
        let once = |list: &mut Vec<Known>, known: Known| {
            list.retain(|other| other.id != known.id);
            list.push(known);
        };
        match (&ask.kind, answer.status) {
            (Kind::Fee, 201) => once(&mut self.fees, known("total_fen")),
            (Kind::Order, 200..=202) => once(&mut self.orders, known("amount_fen")),
            (Kind::Refund { .. }, 200..=202) => {
                // The order's number stands in a refund too.
                let number = answer.word("out_refund_no").to_owned();
                once(&mut self.refunds, Known { number, ..known("amount_fen") });
            }
            (Kind::Close { order }, 200) => self.closed.push(order.clone()),
            (Kind::Void { fee }, 200) => self.voided.push(fee.clone()),
            (Kind::Order | Kind::Close { .. } | Kind::Refund { .. } | Kind::Void { .. }, 409)
            | (Kind::Order | Kind::Refund { .. }, 422) => {}
            (
                Kind::Fee
                | Kind::Order
                | Kind::Close { .. }
                | Kind::Refund { .. }
                | Kind::Void { .. },
                _,
            ) => {
                return Err(format!("{} gave {}", ask.path, answer.told()));
            }
        }
        self.last = Some((ask.clone(), answer.clone()));
        Ok(())
    }
}
