//! Bodies: bounded, in time and size, and read strictly as JSON. A name that stands twice or that
//! nobody knows is told, because a caller who means something by it must not be guessed at.

use std::fmt;
use std::time::Duration;

use actix_web::web::{Bytes, BytesMut, Payload};
use futures_util::StreamExt as _;
use serde::de::{DeserializeOwned, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::fault::Fault;

/// The largest body of a backend service: 1 MiB.
pub(super) const LARGEST: usize = 1024 * 1024;
/// How much of a body that is too large is still taken in, so that its sender can read why.
const DRAINED: usize = 16 * 1024 * 1024;
/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Members under which persons stand: their values are never repeated.
const PERSONAL: [&str; 3] = ["applicant", "payer", "to"];

/// Takes a body in.
///
/// # Errors
/// 413 over `largest` bytes, 408 when it does not come, 400 when it breaks off.
pub(super) async fn take(payload: Payload, largest: usize) -> Result<Bytes, Fault> {
    take_within(payload, largest, PATIENCE, |_bytes| Ok(())).await
}

/// Takes a body in that must come within `patience`; `grow` is asked before each piece of it is
/// kept.
///
/// # Errors
/// As [`take`], and whatever `grow` says.
pub(super) async fn take_within<E: From<Fault>>(
    payload: Payload,
    largest: usize,
    patience: Duration,
    grow: impl FnMut(usize) -> Result<(), E>,
) -> Result<Bytes, E> {
    let body = tokio::time::timeout(patience, collect(payload, largest, grow)).await;
    body.unwrap_or_else(|_elapsed| {
        let mut fault = Fault::unreadable("body_timeout", "the body did not come in time");
        fault.status = 408;
        Err(fault.into())
    })
}

async fn collect<E: From<Fault>>(
    mut payload: Payload,
    largest: usize,
    mut grow: impl FnMut(usize) -> Result<(), E>,
) -> Result<Bytes, E> {
    let mut body = BytesMut::new();
    let mut length = 0_usize;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| {
            Fault::unreadable("body_broken", format!("the body broke: {error}"))
        })?;
        length = length.saturating_add(chunk.len());
        if length > DRAINED {
            break;
        }
        if length <= largest {
            grow(chunk.len())?;
            body.extend_from_slice(&chunk);
        }
    }
    if length > largest {
        return Err(Fault::too_large(format!("the body has more than {largest} bytes")).into());
    }
    Ok(body.freeze())
}

/// Reads bytes as JSON; nothing at all is an empty object.
///
/// # Errors
/// 400 `invalid_json`; 422 `invalid_body` for a number that is not whole.
pub(super) fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice::<Strict>(bytes).map(|strict| strict.0).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let reason = error.to_string();
        if reason.starts_with("invalid type: floating point") {
            let detail =
                format!("line {line} column {column}: numbers must be whole (amounts: fen)");
            Fault::invalid("invalid_body", detail)
        } else {
            Fault::unreadable("invalid_json", reason)
        }
    })
}

/// Gives JSON its meaning.
///
/// # Errors
/// 422 `invalid_body`, with the member's path.
pub(super) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Fault> {
    if !value.is_object() {
        return Err(Fault::invalid("invalid_body", "the body must be a JSON object"));
    }
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let of_person = PERSONAL.iter().any(|name| {
            path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        let reason = error.inner().to_string();
        let is_shown = !of_person || !repeats_a_value(&reason);
        let reason = if is_shown { reason } else { "has another form than asked for".to_owned() };
        Fault::invalid("invalid_body", format!("{path}: {reason}")).with("path", path)
    })
}

/// Whether the reader's words hold what stood in the body, not only names of members.
fn repeats_a_value(reason: &str) -> bool {
    !(reason.starts_with("missing field") || reason.starts_with("unknown field"))
}

/// The same JSON in one form: members by name, no blanks. Equal texts mean equal bodies.
pub(super) fn canonical(value: &Value) -> String {
    sorted(value).to_string()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut names: Vec<_> = members.iter().collect();
            names.sort_by_key(|(name, _)| *name);
            names.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect()
        }
        Value::Array(values) => values.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// JSON in which no name stands twice and every number is whole.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = access.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = access.next_key::<String>()? {
            if members.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the member {name:?} stands twice")));
            }
            let Strict(value) = access.next_value()?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests;
