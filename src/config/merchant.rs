//! `[[merchants]]`: the accounts through which the office collects, each with its keys, read into
//! an adapter that is ready to build and to open.

mod alipay;
mod identity;
mod keys;
mod wechat;
mod wechat_v2;

use std::fmt;
use std::sync::Arc;

use adapters::PaymentProvider;
use adapters::alipay::{Alipay, AlipayConfig};
use adapters::settings::SettingError;
use adapters::wechat::{Wechat, WechatConfig};
use domain::ids::MerchantId;
use domain::provider::Provider;
use jiff::Timestamp;
use url::Url;

use super::error::ConfigError;
use super::section::{Section, is_loopback};
use crate::outbound::Budget;

pub use identity::ClientIdentity;

const ID: &str = "give the name that stands in the callback path: 1 to 64 of 0-9 a-z A-Z _ -";
const QUERIES: &str = "queries_per_second";
const PROVIDERS: &str = "give wechat, wechat-v2 or alipay";

/// An account at a payment provider.
#[derive(Clone)]
pub struct Merchant {
    /// Its name in the hub.
    pub id: MerchantId,
    /// Its provider, ready to build, sign and open.
    pub provider: Arc<dyn PaymentProvider>,
    /// Where the provider is reached.
    pub base_url: String,
    /// What it shows to its provider where that asks for a certificate (mutual TLS).
    pub client_identity: Option<ClientIdentity>,
    /// The certificates of its settings, which end some day.
    pub certificates: Vec<Dated>,
    /// How many queries a second it carries, by all hubs together.
    pub queries: Budget,
    /// Whether its fund flow bill (资金账单) is held against its trade bill every day.
    pub fund_flow: bool,
}

/// A certificate of the configuration and its last instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    /// The key of `payhub.toml` that it stands under.
    pub key: &'static str,
    /// The last instant at which it is good.
    pub until: Timestamp,
    /// Whether its key was compared with the private key beside it; they agree then.
    pub is_own: bool,
}

impl Merchant {
    /// A merchant of WeChat Pay.
    ///
    /// # Errors
    /// The setting that cannot be right.
    pub fn wechat(id: MerchantId, config: WechatConfig) -> Result<Self, SettingError> {
        let base_url = config.base_url.clone();
        Ok(Self::of(id, Arc::new(Wechat::new(config)?), base_url))
    }

    /// A merchant of Alipay.
    ///
    /// # Errors
    /// The setting that cannot be right.
    pub fn alipay(id: MerchantId, config: AlipayConfig) -> Result<Self, SettingError> {
        let base_url = config.gateway_url.clone();
        Ok(Self::of(id, Arc::new(Alipay::new(config)?), base_url))
    }

    fn of(id: MerchantId, provider: Arc<dyn PaymentProvider>, base_url: String) -> Self {
        Self {
            id,
            provider,
            base_url,
            client_identity: None,
            certificates: Vec::new(),
            queries: Budget::default(),
            fund_flow: true,
        }
    }

    /// Whether its provider is a sandbox on this machine, where no real money moves.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        Url::parse(&self.base_url).is_ok_and(|url| is_loopback(&url))
    }
}

impl fmt::Debug for Merchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.provider.account();
        let provider: Provider = self.provider.provider();
        write!(f, "Merchant({}, {provider} {}, {})", self.id, account.payee, self.base_url)
    }
}

pub(super) fn read(section: &Section<'_>) -> Result<Merchant, ConfigError> {
    let id: MerchantId = section.id(ID)?;
    let provider = section.needed("provider", PROVIDERS)?;
    let mut merchant = match provider.as_str() {
        "wechat" => wechat::read(section, id),
        "wechat-v2" => wechat_v2::read(section, id),
        "alipay" => alipay::read(section, id),
        other => {
            let what = format!("`{other}` is no known provider");
            Err(section.fault("provider", what, PROVIDERS))
        }
    }?;
    if let Some(text) = section.text_or_number(QUERIES)? {
        let queries = text.parse().ok().and_then(Budget::per_second);
        merchant.queries = queries.ok_or_else(|| {
            let mend = "give how many queries a second its provider may be sent, 1 to 300";
            section.fault(QUERIES, format!("`{text}` does not do here"), mend)
        })?;
    }
    // Older keys sign no question for it, and partners are given their merchants' sealed.
    let is_partner = ["sp_mchid", "sub_mchid", "sub_appid"].iter().any(|key| section.has(key));
    let usual = provider != "wechat-v2" && !is_partner;
    merchant.fund_flow = section.flag("fund_flow")?.unwrap_or(usual);
    Ok(merchant)
}

/// A setting that the adapter refuses, as a fault of its key.
fn refused(section: &Section<'_>, fault: SettingError) -> ConfigError {
    section.fault(fault.key, "cannot be used", fault.mend)
}

fn provider_url(section: &Section<'_>, key: &str, usual: &str) -> Result<String, ConfigError> {
    Ok(second_url(section, key)?.unwrap_or_else(|| usual.to_owned()))
}

fn second_url(section: &Section<'_>, key: &str) -> Result<Option<String>, ConfigError> {
    let url = section.url(key, true)?;
    Ok(url.map(|url| url.as_str().trim_end_matches('/').to_owned()))
}
