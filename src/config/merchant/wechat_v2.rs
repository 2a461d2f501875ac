//! A merchant of WeChat Pay's old interface (v2, XML).

use std::sync::Arc;

use adapters::wechat_v2::{SignType, WechatV2, WechatV2Config};
use domain::ids::MerchantId;

use super::wechat::{WECHAT_URL, api_key, mchid, sub_merchant};
use super::{Merchant, identity, provider_url, refused, second_url};
use crate::config::error::ConfigError;
use crate::config::section::Section;

pub(super) fn read(section: &Section<'_>, id: MerchantId) -> Result<Merchant, ConfigError> {
    section.only(&[
        "id",
        "provider",
        "mchid",
        "sp_mchid",
        "appid",
        "sub_mchid",
        "sub_appid",
        "api_key",
        "sign_type",
        "client_identity",
        "base_url",
        "second_base_url",
        "queries_per_second",
        "fund_flow",
    ])?;
    let identity = identity::read(section)?;
    let base_url = provider_url(section, "base_url", WECHAT_URL)?;
    let second_base_url = second_url(section, "second_base_url")?;
    // In clear there is nobody to show a certificate to, and clear is for this machine alone.
    let is_clear = [Some(&base_url), second_base_url.as_ref()]
        .into_iter()
        .flatten()
        .all(|url| url.starts_with("http://"));
    let config = WechatV2Config {
        mchid: mchid(section)?,
        appid: section.needed("appid", "give the appid that is bound to the merchant")?,
        sub_merchant: sub_merchant(section)?,
        api_key: api_key(section)?,
        sign_type: sign_type(section)?,
        has_client_identity: identity.is_some() || is_clear,
        base_url,
        second_base_url,
    };
    let base_url = config.base_url.clone();
    let adapter = WechatV2::new(config).map_err(|fault| refused(section, fault))?;
    let mut merchant = Merchant::of(id, Arc::new(adapter), base_url);
    if let Some((identity, dated)) = identity {
        merchant.client_identity = Some(identity);
        merchant.certificates.push(dated);
    }
    Ok(merchant)
}

/// With which algorithm; the provider's own default where it is not said.
fn sign_type(section: &Section<'_>) -> Result<SignType, ConfigError> {
    match section.text("sign_type")?.as_deref() {
        None | Some("MD5") => Ok(SignType::Md5),
        Some("HMAC-SHA256") => Ok(SignType::HmacSha256),
        Some(other) => Err(section.fault(
            "sign_type",
            format!("`{other}` is no algorithm of WeChat Pay v2"),
            "give HMAC-SHA256, or MD5",
        )),
    }
}
