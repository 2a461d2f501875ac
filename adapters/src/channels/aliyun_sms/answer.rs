//! Reads what Aliyun answers: whether it took a message, and what its record says about one.

use domain::delivery::{Arrival, Delivery, Lookup};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::super::for_record;
use super::codes;
use crate::wire::Answer;

/// How long an overloaded gateway is left alone that says nothing else.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// What became of a message.
pub(super) fn read_send(answer: &Answer, now: Timestamp) -> Delivery {
    let Ok(sent) = serde_json::from_slice::<SendAnswer>(&answer.body) else {
        return without_code(answer.status, now);
    };
    match sent.code.as_str() {
        "OK" if answer.status == 200 => Delivery::Accepted { vendor_ref: sent.biz_id },
        code => codes::classify(code, &sent.message, now),
    }
}

/// What the record of one day says about the message that went out as `out_id`.
pub(super) fn read_query(out_id: &str, answer: &Answer) -> Lookup {
    let Ok(record) = serde_json::from_slice::<QueryAnswer>(&answer.body) else {
        return Lookup::NoAnswer(format!("HTTP {} without a record", answer.status));
    };
    let Some(details) = record.details.filter(|_| answer.status == 200 && record.code == "OK")
    else {
        return Lookup::NoAnswer(for_record(&format!("{}: {}", record.code, record.message)));
    };
    let listed = u64::try_from(details.list.len()).unwrap_or(u64::MAX);
    let mine = details.list.into_iter().filter(|detail| detail.out_id == out_id);
    match mine.map(|detail| detail.standing()).reduce(Lookup::or) {
        Some(found) => found,
        None if record.total_count.is_some_and(|total| total.number() == Some(listed)) => {
            Lookup::Absent
        }
        None => Lookup::NoAnswer("the record of that day is not whole".to_owned()),
    }
}

/// What an answer means that holds no code: the gateway or something before it spoke.
fn without_code(status: u16, now: Timestamp) -> Delivery {
    if status == 429 {
        let until = now.saturating_add(PAUSE).unwrap_or(Timestamp::MAX);
        return Delivery::Throttled { until, message: "HTTP 429".to_owned() };
    }
    Delivery::Unknown { detail: format!("HTTP {status} without a code") }
}

/// The answer to `SendSms`, and of the gateway to anything that it refuses.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendAnswer {
    code: String,
    #[serde(default)]
    message: String,
    biz_id: Option<String>,
}

/// The answer to `QuerySendDetails`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueryAnswer {
    code: String,
    #[serde(default)]
    message: String,
    total_count: Option<Count>,
    #[serde(rename = "SmsSendDetailDTOs")]
    details: Option<Details>,
}

/// A number, which this API writes as a number or as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Number(u64),
    Text(String),
}

impl Count {
    fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

#[derive(Deserialize)]
struct Details {
    #[serde(rename = "SmsSendDetailDTO")]
    list: Vec<Detail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Detail {
    #[serde(default)]
    out_id: String,
    #[serde(default)]
    err_code: String,
    send_status: Count,
}

impl Detail {
    /// 1: no receipt yet, 2: failed, 3: arrived. It is there in any case.
    fn standing(&self) -> Lookup {
        Lookup::Found(match self.send_status.number() {
            Some(3) => Some(Arrival::Delivered),
            Some(2) => Some(Arrival::Undelivered {
                reason: codes::undelivered(&self.err_code),
                code: for_record(&self.err_code),
            }),
            Some(_) | None => None,
        })
    }
}
