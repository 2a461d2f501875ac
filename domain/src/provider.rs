//! Who takes the money: the payment providers and their products.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A payment provider (支付渠道).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// WeChat Pay (微信支付).
    Wechat,
    /// Alipay (支付宝).
    Alipay,
}

impl Provider {
    /// Its name in configuration, API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wechat => "wechat",
            Self::Alipay => "alipay",
        }
    }

    /// Its name on reports for Chinese readers.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Wechat => "微信支付",
            Self::Alipay => "支付宝",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Provider {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "wechat" => Ok(Self::Wechat),
            "alipay" => Ok(Self::Alipay),
            _ => Err(UnknownWord { what: "provider", word: text.chars().take(64).collect() }),
        }
    }
}

/// The way on which a payment came (支付途径): a provider, or a transfer at the office's bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaidThrough {
    /// WeChat Pay (微信支付).
    Wechat,
    /// Alipay (支付宝).
    Alipay,
    /// A transfer of a monthly account (银行转账).
    Bank,
}

impl PaidThrough {
    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wechat => Provider::Wechat.as_str(),
            Self::Alipay => Provider::Alipay.as_str(),
            Self::Bank => "bank",
        }
    }
}

impl From<Provider> for PaidThrough {
    fn from(provider: Provider) -> Self {
        match provider {
            Provider::Wechat => Self::Wechat,
            Provider::Alipay => Self::Alipay,
        }
    }
}

/// A word from the database, the configuration or a request that its type does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is not a known {what}")]
pub struct UnknownWord {
    /// What the word was taken for.
    pub what: &'static str,
    /// The word, cut to 64 characters.
    pub word: String,
}
