//! A merchant of WeChat Pay, APIv3.

use adapters::wechat::{PublicKey, SubMerchant, WechatConfig};
use domain::ids::MerchantId;
use domain::personal::Secret;

use super::keys::{private_key, public_key};
use super::{Merchant, provider_url, refused, second_url};
use crate::config::error::ConfigError;
use crate::config::section::Section;

pub(super) const WECHAT_URL: &str = "https://api.mch.weixin.qq.com";
const MCHID: &str = "give the merchant's number (商户号)";
const KEYS: [&str; 17] = [
    "id",
    "provider",
    "mchid",
    "sp_mchid",
    "appid",
    "sub_mchid",
    "sub_appid",
    "merchant_serial_no",
    "merchant_private_key",
    "apiv3_key",
    "api_key",
    "wechatpay_public_key_id",
    "wechatpay_public_key",
    "base_url",
    "second_base_url",
    "queries_per_second",
    "fund_flow",
];

pub(super) fn read(section: &Section<'_>, id: MerchantId) -> Result<Merchant, ConfigError> {
    section.only(&KEYS)?;
    let private_key =
        private_key(section, "merchant_private_key", "the merchant's apiclient_key.pem")?;
    let public_key =
        match (section.has("wechatpay_public_key_id"), section.has("wechatpay_public_key")) {
            // Platform certificates are fetched instead.
            (false, false) => None,
            _ => Some(PublicKey {
                id: section
                    .needed("wechatpay_public_key_id", "give the public key's id, PUB_KEY_ID_…")?,
                key: public_key(
                    section,
                    "wechatpay_public_key",
                    "WeChat Pay's public key (微信支付公钥, pub_key.pem)",
                    &private_key,
                )?,
            }),
        };
    let sub_merchant = sub_merchant(section)?;
    let config = WechatConfig {
        mchid: mchid(section)?,
        appid: section.needed("appid", "give the appid that is bound to the merchant")?,
        sub_merchant,
        merchant_serial_no: section
            .needed("merchant_serial_no", "give the serial of the merchant's API certificate")?,
        merchant_private_key: private_key,
        apiv3_key: key_of_32(section, "apiv3_key", "the 32 characters of the APIv3 key")?,
        api_key: match section.has("api_key") {
            true => Some(api_key(section)?),
            false => None,
        },
        public_key,
        base_url: provider_url(section, "base_url", WECHAT_URL)?,
        second_base_url: second_url(section, "second_base_url")?,
    };
    Merchant::wechat(id, config).map_err(|fault| refused(section, fault))
}

/// The merchant that signs: in service-provider mode its number may stand under its own name.
pub(super) fn mchid(section: &Section<'_>) -> Result<String, ConfigError> {
    match (section.text("mchid")?, section.text("sp_mchid")?) {
        (Some(mchid), Some(sp_mchid)) if mchid != sp_mchid => Err(section.fault(
            "sp_mchid",
            "differs from mchid",
            "give the service provider's number (服务商商户号) under one of the two names",
        )),
        (Some(mchid), _) | (None, Some(mchid)) => Ok(mchid),
        (None, None) => Err(section.fault("mchid", "missing", MCHID)),
    }
}

/// On whose behalf a service provider acts.
pub(super) fn sub_merchant(section: &Section<'_>) -> Result<Option<SubMerchant>, ConfigError> {
    if !["sp_mchid", "sub_mchid", "sub_appid"].iter().any(|key| section.has(key)) {
        return Ok(None);
    }
    let mend = "in service-provider mode (服务商模式) give the number of the merchant for whom it acts (特约商户号)";
    let mchid = section.needed("sub_mchid", mend)?;
    Ok(Some(SubMerchant { mchid, appid: section.text("sub_appid")? }))
}

/// The key of the old interface.
pub(super) fn api_key(section: &Section<'_>) -> Result<Secret, ConfigError> {
    key_of_32(section, "api_key", "the 32 characters of the APIv2 key")
}

fn key_of_32(section: &Section<'_>, key: &str, form: &str) -> Result<Secret, ConfigError> {
    Ok(Secret::new(section.secret_text(key, form, |text| text.len() == 32)?))
}
