//! The modes of the table: how the sandbox knows the merchant, and how the hub is set up for it.

use adapters::PaymentProvider;
use adapters::alipay::{Alipay, AlipayConfig, Proof};
use adapters::keys::{SigningKey, VerifyingKey};
use adapters::wechat::{PublicKey, SubMerchant, Wechat, WechatConfig};
use adapters::wechat_v2::{SignType, WechatV2, WechatV2Config};
use domain::personal::Secret;
use sandbox::{Engine, SandboxConfig, Verification};

use crate::office::{APIV3_KEY, APP_ID, APPID, MCHID, PLATFORM_ID, SELLER, SERIAL, config};
use crate::wechat_v2::{API_KEY, PAYEE};

const BASE: &str = "http://127.0.0.1:0";
/// For whom a service provider and a third party act.
const SUB: &str = "1900000301";
const OTHER_SELLER: &str = "2088000000000301";

macro_rules! key {
    ($kind:ident, $file:literal) => {
        $kind::read(include_str!(concat!("../../../../fixtures/keys/", $file))).unwrap()
    };
}

/// An adapter and how its merchant is set up at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// APIv3, proved by WeChat Pay's public key.
    WechatPublicKey,
    /// APIv3, proved by platform certificates, which are fetched first.
    WechatCertificates,
    /// APIv3 as a service provider.
    WechatForSubMerchant,
    /// The old interface under MD5.
    WechatV2Md5,
    /// The old interface under HMAC-SHA256.
    WechatV2Hmac,
    /// The old interface as a service provider.
    WechatV2ForSubMerchant,
    /// Alipay, proved by its key.
    AlipayKey,
    /// Alipay, proved by certificates.
    AlipayCertificates,
    /// Alipay with sealed contents.
    AlipaySealed,
    /// Alipay as a third party (ISV).
    AlipayForOthers,
}

impl Mode {
    /// How the sandbox knows the merchant.
    pub(super) fn config(self) -> SandboxConfig {
        let mut config = config();
        if self == Self::WechatCertificates {
            config.wechat[0].verification = Verification::Certificates;
        }
        if self == Self::WechatV2ForSubMerchant {
            config.wechat[1].sub_merchants = config.wechat[0].sub_merchants.clone();
        }
        config.alipay[0].certificates = self == Self::AlipayCertificates;
        // Nobody else is there: reading keys is the slowest part of the suite.
        config.wechat.retain(|known| !self.is_alipay() && known.mchid == self.merchant());
        config.alipay.retain(|_| self.is_alipay());
        config
    }

    /// The hub's side; certificates of Alipay are those that the sandbox gives out.
    pub(super) fn adapter(self, engine: &Engine) -> Box<dyn PaymentProvider> {
        if self.is_v2() {
            Box::new(WechatV2::new(self.wechat_v2()).unwrap())
        } else if self.is_alipay() {
            Box::new(Alipay::new(self.alipay(engine)).unwrap())
        } else {
            Box::new(Wechat::new(self.wechat()).unwrap())
        }
    }

    pub(super) fn is_v2(self) -> bool {
        matches!(self, Self::WechatV2Md5 | Self::WechatV2Hmac | Self::WechatV2ForSubMerchant)
    }

    pub(super) fn is_alipay(self) -> bool {
        matches!(
            self,
            Self::AlipayKey | Self::AlipayCertificates | Self::AlipaySealed | Self::AlipayForOthers
        )
    }

    /// Whether the provider proves itself by certificates that are renewed.
    pub(super) fn is_certified(self) -> bool {
        matches!(self, Self::WechatCertificates | Self::AlipayCertificates)
    }

    /// Who signs the requests: what the sandbox calls the merchant.
    pub(super) fn merchant(self) -> &'static str {
        if self.is_v2() {
            PAYEE
        } else if self.is_alipay() {
            APP_ID
        } else {
            MCHID
        }
    }

    fn wechat(self) -> WechatConfig {
        let public_key = PublicKey {
            id: PLATFORM_ID.to_owned(),
            key: key!(VerifyingKey, "wechatpay_platform_pub.pem"),
        };
        WechatConfig {
            mchid: MCHID.to_owned(),
            appid: APPID.to_owned(),
            merchant_serial_no: SERIAL.to_owned(),
            merchant_private_key: key!(SigningKey, "wechat_merchant.pem"),
            apiv3_key: Secret::new(APIV3_KEY),
            sub_merchant: (self == Self::WechatForSubMerchant).then(sub_merchant),
            api_key: None,
            public_key: (self != Self::WechatCertificates).then_some(public_key),
            base_url: BASE.to_owned(),
            second_base_url: None,
        }
    }

    fn wechat_v2(self) -> WechatV2Config {
        let is_md5 = self == Self::WechatV2Md5;
        WechatV2Config {
            mchid: PAYEE.to_owned(),
            appid: APPID.to_owned(),
            sub_merchant: (self == Self::WechatV2ForSubMerchant).then(sub_merchant),
            api_key: Secret::new(API_KEY),
            sign_type: if is_md5 { SignType::Md5 } else { SignType::HmacSha256 },
            has_client_identity: true,
            base_url: BASE.to_owned(),
            second_base_url: None,
        }
    }

    fn alipay(self, engine: &Engine) -> AlipayConfig {
        let given = engine.connection();
        let text = |name: &str| given["alipay"][0][name].as_str().unwrap().to_owned();
        let for_others = self == Self::AlipayForOthers;
        let proof = if self == Self::AlipayCertificates {
            let (app, alipay) = (text("app_cert"), text("alipay_cert"));
            Proof::Certificates { app, alipay, root: text("alipay_root_cert") }
        } else {
            Proof::Key(key!(VerifyingKey, "alipay_platform_pub.pem"))
        };
        let sealed = self == Self::AlipaySealed;
        AlipayConfig {
            app_id: APP_ID.to_owned(),
            seller_id: if for_others { OTHER_SELLER } else { SELLER }.to_owned(),
            app_private_key: key!(SigningKey, "alipay_app.pem"),
            proof,
            encrypt_key: sealed.then(|| Secret::new(text("encrypt_key"))),
            app_auth_token: for_others.then(|| Secret::new("sandboxAppAuthToken")),
            gateway_url: format!("{BASE}/gateway.do"),
        }
    }
}

fn sub_merchant() -> SubMerchant {
    SubMerchant { mchid: SUB.to_owned(), appid: None }
}
