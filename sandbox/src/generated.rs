//! A sandbox with keys that nobody else has: made at the start, shown to whoever connects.

use aws_lc_rs::rand;

use crate::config::{SandboxConfig, Verification};
use crate::error::SandboxError;
use crate::keys::pair_in_pem;

/// The letters of secrets.
const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The merchant of WeChat Pay that still verifies by platform certificates.
const CERTIFIED_MCHID: &str = "1900000002";
/// The application of Alipay in certificate mode.
const CERTIFIED_APP_ID: &str = "2021000000000001";

impl SandboxConfig {
    /// As [`development`](Self::development), with fresh keys and secrets and in every mode of the
    /// providers: WeChat Pay by public key and by platform certificates, Alipay by key and by
    /// certificates.
    ///
    /// # Errors
    /// When the machine gives no random bytes.
    pub fn generated() -> Result<Self, SandboxError> {
        let mut config = Self::development();
        config.wechat.extend_from_within(..1);
        config.alipay.extend_from_within(..1);
        if let [.., certified] = config.wechat.as_mut_slice() {
            CERTIFIED_MCHID.clone_into(&mut certified.mchid);
            certified.verification = Verification::Certificates;
        }
        if let [.., certified] = config.alipay.as_mut_slice() {
            CERTIFIED_APP_ID.clone_into(&mut certified.app_id);
            certified.certificates = true;
        }
        for merchant in &mut config.wechat {
            let (private, public) = pair_in_pem(&merchant.mchid)?;
            merchant.published_private_key = Some(private);
            merchant.merchant_public_key = public;
            (merchant.platform_private_key, _) = pair_in_pem(&merchant.mchid)?;
            merchant.merchant_serial_no = letters::<40>(&LETTERS[..16])?;
            merchant.platform_public_key_id =
                format!("PUB_KEY_ID_{}", letters::<28>(&LETTERS[..10])?);
            merchant.apiv3_key = letters::<32>(LETTERS)?;
            merchant.api_key = Some(letters::<32>(LETTERS)?);
        }
        for app in &mut config.alipay {
            let (private, public) = pair_in_pem(&app.app_id)?;
            app.published_private_key = Some(private);
            app.app_public_key = public;
            (app.alipay_private_key, _) = pair_in_pem(&app.app_id)?;
        }
        for account in &mut config.sms {
            account.access_key_secret = letters::<30>(LETTERS)?;
        }
        Ok(config)
    }
}

/// `N` letters of chance. Their shares differ a little where the alphabet's length does not divide
/// 256, which no test secret minds.
fn letters<const N: usize>(alphabet: &[u8]) -> Result<String, SandboxError> {
    let mut bytes = [0_u8; N];
    rand::fill(&mut bytes).map_err(|_unspecified| SandboxError::NoRandomness)?;
    let letter = |byte: &u8| alphabet.iter().cycle().nth(usize::from(*byte)).copied();
    Ok(bytes.iter().filter_map(letter).map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_has_keys_and_secrets_of_its_own_that_can_be_used() {
        let (one, other) =
            (SandboxConfig::generated().unwrap(), SandboxConfig::generated().unwrap());
        for (one, other) in one.wechat.iter().zip(&other.wechat) {
            assert_ne!(one.merchant_public_key, other.merchant_public_key);
            assert_ne!(one.apiv3_key, other.apiv3_key);
            assert_ne!(one.api_key, other.api_key);
            assert_eq!((one.apiv3_key.len(), one.merchant_serial_no.len()), (32, 40));
        }
        for (one, other) in one.alipay.iter().zip(&other.alipay) {
            assert_ne!(one.alipay_private_key, other.alipay_private_key);
        }
        assert_ne!(one.sms[0].access_key_secret, other.sms[0].access_key_secret);
        assert_eq!((one.wechat.len(), one.alipay.len()), (3, 2));
        let now = jiff::Timestamp::constant(1_800_000_000, 0);
        assert!(crate::keys::Keys::read(&one, now).is_ok());
    }
}
