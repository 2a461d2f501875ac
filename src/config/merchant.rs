//! `[[merchants]]`: the accounts through which the office collects, each with its keys, read into
//! an adapter that is ready to build and to open.

use std::fmt;
use std::sync::Arc;

use adapters::PaymentProvider;
use adapters::alipay::{Alipay, AlipayConfig, Proof};
use adapters::keys::{SigningKey, VerifyingKey};
use adapters::settings::SettingError;
use adapters::wechat::{PublicKey, Wechat, WechatConfig};
use domain::ids::MerchantId;
use domain::personal::Secret;
use domain::provider::Provider;
use url::Url;

use super::error::ConfigError;
use super::section::{Section, is_loopback};

const WECHAT_URL: &str = "https://api.mch.weixin.qq.com";
const ALIPAY_URL: &str = "https://openapi.alipay.com/gateway.do";
const ID: &str = "give the name that stands in the callback path: 1 to 64 of 0-9 a-z A-Z _ -";

/// An account at a payment provider.
#[derive(Clone)]
pub struct Merchant {
    /// Its name in the hub.
    pub id: MerchantId,
    /// Its provider, ready to build, sign and open.
    pub provider: Arc<dyn PaymentProvider>,
    /// Where the provider is reached.
    pub base_url: String,
}

impl Merchant {
    /// A merchant of WeChat Pay.
    ///
    /// # Errors
    /// The setting that cannot be right.
    pub fn wechat(id: MerchantId, config: WechatConfig) -> Result<Self, SettingError> {
        let base_url = config.base_url.clone();
        Ok(Self { id, provider: Arc::new(Wechat::new(config)?), base_url })
    }

    /// A merchant of Alipay.
    ///
    /// # Errors
    /// The setting that cannot be right.
    pub fn alipay(id: MerchantId, config: AlipayConfig) -> Result<Self, SettingError> {
        let base_url = config.gateway_url.clone();
        Ok(Self { id, provider: Arc::new(Alipay::new(config)?), base_url })
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
    let provider = section.needed("provider", "give wechat or alipay")?;
    let merchant = match provider.as_str() {
        "wechat" => Merchant::wechat(id, wechat(section)?),
        "alipay" => Merchant::alipay(id, alipay(section)?),
        "wechat-v2" => {
            return Err(section.fault(
                "provider",
                "wechat-v2 (XML) is not supported yet",
                "use the merchant through APIv3 (`wechat`), or take it out",
            ));
        }
        other => {
            let what = format!("`{other}` is no known provider");
            return Err(section.fault("provider", what, "give wechat or alipay"));
        }
    };
    merchant.map_err(|fault| section.fault(fault.key, "cannot be used", fault.mend))
}

fn wechat(section: &Section<'_>) -> Result<WechatConfig, ConfigError> {
    refuse_for_now(section, &["sp_mchid", "sub_mchid", "sub_appid"], "service-provider mode")?;
    section.only(&[
        "id",
        "provider",
        "mchid",
        "appid",
        "merchant_serial_no",
        "merchant_private_key",
        "apiv3_key",
        "wechatpay_public_key_id",
        "wechatpay_public_key",
        "base_url",
    ])?;
    if !section.has("wechatpay_public_key_id") && !section.has("wechatpay_public_key") {
        return Err(section.fault(
            "wechatpay_public_key_id",
            "missing, and platform certificates are not supported yet",
            "apply for the WeChat Pay public key (微信支付公钥) in the merchant platform and give its id and key",
        ));
    }
    let private_key =
        private_key(section, "merchant_private_key", "the merchant's apiclient_key.pem")?;
    let public_key = public_key(
        section,
        "wechatpay_public_key",
        "WeChat Pay's public key (微信支付公钥, pub_key.pem)",
        &private_key,
    )?;
    Ok(WechatConfig {
        mchid: section.needed("mchid", "give the merchant's number (商户号)")?,
        appid: section.needed("appid", "give the appid that is bound to the merchant")?,
        merchant_serial_no: section
            .needed("merchant_serial_no", "give the serial of the merchant's API certificate")?,
        merchant_private_key: private_key,
        apiv3_key: Secret::new(section.secret_text(
            "apiv3_key",
            "the 32 characters of the APIv3 key",
            |text| text.len() == 32,
        )?),
        sub_merchant: None,
        api_key: None,
        public_key: Some(PublicKey {
            id: section
                .needed("wechatpay_public_key_id", "give the public key's id, PUB_KEY_ID_…")?,
            key: public_key,
        }),
        second_base_url: None,
        base_url: provider_url(section, "base_url", WECHAT_URL)?,
    })
}

fn alipay(section: &Section<'_>) -> Result<AlipayConfig, ConfigError> {
    let certificates = ["app_cert", "alipay_cert", "alipay_root_cert"];
    refuse_for_now(section, &certificates, "certificate mode")?;
    section.only(&[
        "id",
        "provider",
        "app_id",
        "seller_id",
        "app_private_key",
        "alipay_public_key",
        "gateway_url",
    ])?;
    let private_key = private_key(section, "app_private_key", "the application's private key")?;
    let public_key =
        public_key(section, "alipay_public_key", "Alipay's public key (支付宝公钥)", &private_key)?;
    Ok(AlipayConfig {
        app_id: section.needed("app_id", "give the application's id")?,
        seller_id: section.needed("seller_id", "give the seller's id (PID), 2088…")?,
        app_private_key: private_key,
        proof: Proof::Key(public_key),
        encrypt_key: None,
        app_auth_token: None,
        gateway_url: provider_url(section, "gateway_url", ALIPAY_URL)?,
    })
}

fn refuse_for_now(section: &Section<'_>, keys: &[&str], mode: &str) -> Result<(), ConfigError> {
    keys.iter().find(|key| section.has(key)).map_or(Ok(()), |key| {
        let what = format!("{mode} is not supported yet");
        Err(section.fault(key, what, "take the key out, or the merchant"))
    })
}

fn private_key(section: &Section<'_>, key: &str, what: &str) -> Result<SigningKey, ConfigError> {
    let text = section.key_text(key, &format!("give {what}, PEM text or a path"))?;
    SigningKey::read(&text)
        .map_err(|fault| section.fault(key, fault.to_string(), format!("give {what}")))
}

/// Reads the provider's public key, and refuses the merchant's own, which people upload and then
/// copy back by mistake: no answer of the provider would ever verify.
fn public_key(
    section: &Section<'_>,
    key: &str,
    what: &str,
    own: &SigningKey,
) -> Result<VerifyingKey, ConfigError> {
    let text = section.key_text(key, &format!("give {what}, PEM text or a path"))?;
    let theirs = VerifyingKey::read(&text)
        .map_err(|fault| section.fault(key, fault.to_string(), format!("give {what}")))?;
    let probe = b"whose key is this?";
    let is_own = own.sign(probe).is_ok_and(|signature| theirs.verifies(probe, &signature));
    if is_own {
        let mend = format!("give {what}");
        return Err(section.fault(key, "is the public half of the merchant's own key", mend));
    }
    Ok(theirs)
}

fn provider_url(section: &Section<'_>, key: &str, usual: &str) -> Result<String, ConfigError> {
    Ok(section
        .url(key, true)?
        .map_or_else(|| usual.to_owned(), |url| url.as_str().trim_end_matches('/').to_owned()))
}
