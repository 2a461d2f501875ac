//! How a payer pays at WeChat Pay, and what the merchant is given for it.

use domain::time::beijing;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::random::Random;

/// A product (支付产品).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    Native,
    Jsapi,
    H5,
    App,
}

impl Product {
    /// The product that a path names.
    pub(super) fn of(word: &str) -> Option<Self> {
        match word {
            "native" => Some(Self::Native),
            "jsapi" => Some(Self::Jsapi),
            "h5" => Some(Self::H5),
            "app" => Some(Self::App),
            _ => None,
        }
    }

    /// The same for combined orders, which have a path of their own for mini programs.
    pub(super) fn of_combined(word: &str) -> Option<Self> {
        if word == "miniprogram" { Some(Self::Jsapi) } else { Self::of(word) }
    }

    /// The word in queries, notices and bills.
    pub(super) const fn trade_type(self) -> &'static str {
        match self {
            Self::Native => "NATIVE",
            Self::Jsapi => "JSAPI",
            Self::H5 => "MWEB",
            Self::App => "APP",
        }
    }

    /// How long what the merchant is given is good, in seconds.
    pub(super) const fn code_life_s(self) -> u32 {
        match self {
            Self::Native | Self::Jsapi | Self::App => 7200,
            Self::H5 => 300,
        }
    }

    /// A fresh code, prepay id or address; the same for the same chance.
    pub(super) fn code(self, chance: &mut Random, now: Timestamp) -> String {
        let prepay_id = |chance: &mut Random| {
            format!("wx{}{}", beijing(now).strftime("%Y%m%d%H%M%S"), chance.hex(20))
        };
        match self {
            Self::Native => format!("weixin://wxpay/bizpayurl?pr={}zz", chance.nonce(9)),
            Self::Jsapi | Self::App => prepay_id(chance),
            Self::H5 => format!(
                "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id={}&package={}",
                prepay_id(chance),
                chance.digits(10)
            ),
        }
    }

    /// The answer that carries it.
    pub(super) fn answer(self, code: &str) -> Value {
        match self {
            Self::Native => json!({"code_url": code}),
            Self::Jsapi | Self::App => json!({"prepay_id": code}),
            Self::H5 => json!({"h5_url": code}),
        }
    }
}
