//! The values of a template's variables: each of a kind with its own letters and length, checked
//! when a notification is asked for and not when it leaves at night.

use std::collections::BTreeMap;
use std::fmt;

use domain::money::Fen;
use jiff::civil::Date;
use serde::Deserialize;

use crate::text;

/// The longest value of a variable, in characters, that every vendor takes.
pub const LONGEST_VALUE: usize = 20;

/// What a variable may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Words; what is too long is cut and ends in `…`.
    Words,
    /// A case or bill number; of a long one the end is kept, behind `…`.
    Reference,
    /// Yuan, without the currency sign: `80` or `80.00`.
    Amount,
    /// A count: up to six digits.
    Count,
    /// A day, `2018-12-05`.
    Date,
    /// A time of day or a date and time, in digits and `-:年月日时分`.
    Time,
    /// A telephone number of the office.
    Phone,
    /// The last letters of a code, at most eight.
    Tail,
}

impl Kind {
    /// The value as it may go out, or the rule that it breaks.
    fn shape(self, value: &str) -> Result<String, &'static str> {
        let value = value.trim();
        let count = value.chars().count();
        if count == 0 {
            return Err("must not be empty");
        }
        if text::refused_letter(value).is_some() {
            return Err("holds a letter that SMS vendors refuse");
        }
        if text::has_link(value) {
            return Err("holds a link");
        }
        let all = |good: fn(char) -> bool| value.chars().all(good);
        let (is_good, rule) = match self {
            Self::Words => return Ok(cut(value)),
            Self::Reference => return Ok(keep_end(value)),
            Self::Amount => (is_yuan(value), "must be yuan such as 80.00"),
            Self::Count => (
                all(|letter| letter.is_ascii_digit()) && count <= 6,
                "must be a number of up to six digits",
            ),
            Self::Date => (value.parse::<Date>().is_ok(), "must be a day such as 2018-12-05"),
            Self::Time => (
                all(|letter| letter.is_ascii_digit() || "-: 年月日时分".contains(letter))
                    && count <= LONGEST_VALUE,
                "must be a time such as 12月5日 09:30",
            ),
            Self::Phone => (
                all(|letter| letter.is_ascii_digit() || letter == '-') && count <= LONGEST_VALUE,
                "must be a telephone number",
            ),
            Self::Tail => (
                all(|letter| letter.is_ascii_alphanumeric()) && count <= 8,
                "must be up to eight letters or digits",
            ),
        };
        if is_good { Ok(value.to_owned()) } else { Err(rule) }
    }
}

/// Digits, and two more behind a point if there is one.
fn is_yuan(value: &str) -> bool {
    let (yuan, cents) = value.split_once('.').unwrap_or((value, "00"));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    (1..=9).contains(&yuan.len()) && cents.len() == 2 && digits(yuan) && digits(cents)
}

fn cut(value: &str) -> String {
    if value.chars().count() <= LONGEST_VALUE {
        return value.to_owned();
    }
    let kept = value.chars().take(LONGEST_VALUE.saturating_sub(1));
    kept.chain(std::iter::once('…')).collect()
}

fn keep_end(value: &str) -> String {
    let count = value.chars().count();
    if count <= LONGEST_VALUE {
        return value.to_owned();
    }
    let dropped = count.saturating_sub(LONGEST_VALUE).saturating_add(1);
    std::iter::once('…').chain(value.chars().skip(dropped)).collect()
}

/// Values by name. They may hold personal data, so `Debug` shows names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// No values yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a text, a number or a day.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    /// With an amount, written as yuan.
    #[must_use]
    pub fn with_amount(self, name: &str, amount: Fen) -> Self {
        self.with(name, amount.yuan())
    }

    /// The `params` of a request: texts and whole numbers.
    ///
    /// # Errors
    /// The first value that is neither.
    pub fn from_json(
        object: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Self, ParamError> {
        let mut params = Self::new();
        for (name, value) in object {
            let text = value.as_str().map(str::to_owned);
            let number = || value.as_i64().map(|number| number.to_string());
            let Some(text) = text.or_else(number) else {
                return Err(ParamError {
                    name: name.clone(),
                    rule: "must be a text or a whole number",
                });
            };
            params.0.insert(name.clone(), text);
        }
        Ok(params)
    }

    /// Whether a value of that name is given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The value of that name as its kind lets it go out.
    pub(crate) fn shaped(&self, name: &str, kind: Kind) -> Result<String, ParamError> {
        let error = |rule| ParamError { name: name.to_owned(), rule };
        let value = self.0.get(name).ok_or_else(|| error("is missing"))?;
        kind.shape(value).map_err(error)
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A value that its variable does not take. It is not repeated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("params.{name} {rule}")]
pub struct ParamError {
    /// The variable.
    pub name: String,
    /// The rule that it breaks.
    pub rule: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(kind: Kind, value: &str, expected: Option<&str>) {
        let shaped = Params::new().with("x", value).shaped("x", kind);
        assert_eq!(shaped.ok().as_deref(), expected, "{kind:?} {value:?}");
    }

    #[test]
    fn each_kind_takes_its_own_letters_only() {
        check(Kind::Amount, "80.00", Some("80.00"));
        check(Kind::Amount, "80", Some("80"));
        for wrong in ["¥80.00", "80.0", "8,000.00", "-1", "1e3", "", "1234567890"] {
            check(Kind::Amount, wrong, None);
        }
        check(Kind::Count, "30", Some("30"));
        check(Kind::Count, "三十", None);
        check(Kind::Date, "2018-12-05", Some("2018-12-05"));
        check(Kind::Date, "2018-02-30", None);
        check(Kind::Time, "12月5日 09:30", Some("12月5日 09:30"));
        check(Kind::Time, "明天", None);
        check(Kind::Phone, "0512-12345", Some("0512-12345"));
        check(Kind::Phone, "call me", None);
        check(Kind::Tail, "9F3A", Some("9F3A"));
        check(Kind::Tail, "123456789", None);
    }

    #[test]
    fn what_is_too_long_is_shortened_where_that_does_no_harm() {
        check(Kind::Words, &"字".repeat(20), Some(&"字".repeat(20)));
        check(Kind::Words, &"字".repeat(21), Some(&format!("{}…", "字".repeat(19))));
        check(
            Kind::Reference,
            "苏(2025)苏州工业园区不动产权第0012345号",
            Some("…苏州工业园区不动产权第0012345号"),
        );
    }

    #[test]
    fn no_value_smuggles_a_signature_or_a_link() {
        for value in ["【银行】", "请登录 a.com", "http://x", "a\nb", "  "] {
            check(Kind::Words, value, None);
        }
    }

    #[test]
    fn values_come_from_json_as_texts_and_whole_numbers() {
        let read = |text: &str| Params::from_json(&serde_json::from_str(text).unwrap());
        let params = read(r#"{"no":"A1","n":3}"#).unwrap();
        assert_eq!(params.shaped("n", Kind::Count).unwrap(), "3");
        assert_eq!(read(r#"{"n":1.5}"#).unwrap_err().name, "n");
        assert_eq!(format!("{params:?}"), r#"{"n", "no"}"#);
    }
}
