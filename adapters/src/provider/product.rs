//! How a payer pays.

use domain::provider::UnknownWord;
use serde::{Deserialize, Serialize};

/// How the payer pays (支付产品), in the contract's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// WeChat: a code that the payer scans.
    Native,
    /// WeChat: inside an official account or mini program.
    Jsapi,
    /// WeChat: from a phone's browser.
    H5,
    /// Either: inside the office's own app.
    App,
    /// WeChat: the counter scans the payer.
    Codepay,
    /// Alipay: a code that the payer scans.
    Precreate,
    /// Alipay: a web page.
    Page,
    /// Alipay: a phone's browser.
    Wap,
    /// Alipay: a mini program.
    Create,
    /// Alipay: the counter scans the payer.
    Pay,
}

impl Product {
    /// Every product.
    pub const ALL: [Self; 10] = [
        Self::Native,
        Self::Jsapi,
        Self::H5,
        Self::App,
        Self::Codepay,
        Self::Precreate,
        Self::Page,
        Self::Wap,
        Self::Create,
        Self::Pay,
    ];

    /// Whether the counter scans the payer: the order is paid, refused or taken back within a
    /// minute, and nothing calls back.
    #[must_use]
    pub const fn is_at_counter(self) -> bool {
        matches!(self, Self::Codepay | Self::Pay)
    }

    /// Its word in API and database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Jsapi => "jsapi",
            Self::H5 => "h5",
            Self::App => "app",
            Self::Codepay => "codepay",
            Self::Precreate => "precreate",
            Self::Page => "page",
            Self::Wap => "wap",
            Self::Create => "create",
            Self::Pay => "pay",
        }
    }
}

impl std::str::FromStr for Product {
    type Err = UnknownWord;
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let word = || text.chars().take(64).collect();
        Self::ALL
            .into_iter()
            .find(|product| product.as_str() == text)
            .ok_or_else(|| UnknownWord { what: "product", word: word() })
    }
}
