//! What the benchmarks share: merchants with the test keys of `fixtures/keys`, and the messages of
//! `fixtures/vectors`, which the providers' own packages made.

use std::fmt::Write as _;
use std::sync::LazyLock;

use adapters::alipay::{Alipay, AlipayConfig, Proof};
use adapters::keys::{SigningKey, VerifyingKey};
use adapters::provider::{NewOrder, Product};
use adapters::wechat::{PublicKey, Wechat, WechatConfig};
use adapters::wechat_v2::{SignType, WechatV2, WechatV2Config};
use adapters::wire::{Headers, Stamp};
use domain::Fen;
use domain::ids::OutTradeNo;
use domain::personal::Secret;
use jiff::Timestamp;
use serde_json::Value;

/// The merchant's private key, PEM.
pub const MERCHANT_KEY: &str = include_str!("../fixtures/keys/wechat_merchant.pem");
/// Its public half.
pub const MERCHANT_PUBLIC_KEY: &str = include_str!("../fixtures/keys/wechat_merchant_pub.pem");

/// The instant of every vector.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::constant(1_543_539_600, 0)
}

/// WeChat Pay, APIv3, with the test keys.
pub static WECHAT: LazyLock<Wechat> = LazyLock::new(|| {
    Wechat::new(WechatConfig {
        mchid: "1900000001".to_owned(),
        appid: "wx8888888888888888".to_owned(),
        sub_merchant: None,
        merchant_serial_no: "5157F09EFDC096DE15EBE81A47057A7232F1B8E1".to_owned(),
        merchant_private_key: SigningKey::read(MERCHANT_KEY).expect("a test key"),
        apiv3_key: Secret::new(include_str!("../fixtures/keys/wechat_v3_key.txt").trim()),
        api_key: None,
        public_key: Some(PublicKey {
            id: "PUB_KEY_ID_0114232134912410000000000000".to_owned(),
            key: VerifyingKey::read(include_str!("../fixtures/keys/wechatpay_platform_pub.pem"))
                .expect("a test key"),
        }),
        base_url: "https://api.mch.weixin.qq.com".to_owned(),
        second_base_url: None,
    })
    .expect("the test merchant")
});

/// Alipay in key mode, with the test keys.
pub static ALIPAY: LazyLock<Alipay> = LazyLock::new(|| {
    Alipay::new(AlipayConfig {
        app_id: "2021000000000000".to_owned(),
        seller_id: "2088000000000000".to_owned(),
        app_private_key: SigningKey::read(include_str!("../fixtures/keys/alipay_app.pem"))
            .expect("a test key"),
        proof: Proof::Key(
            VerifyingKey::read(include_str!("../fixtures/keys/alipay_platform_pub.pem"))
                .expect("a test key"),
        ),
        encrypt_key: None,
        app_auth_token: None,
        gateway_url: "https://openapi.alipay.com/gateway.do".to_owned(),
    })
    .expect("the test merchant")
});

/// WeChat Pay v2 with the key of its vectors.
#[must_use]
pub fn wechat_v2(sign_type: SignType) -> WechatV2 {
    WechatV2::new(WechatV2Config {
        mchid: "1900000001".to_owned(),
        appid: "wx8888888888888888".to_owned(),
        sub_merchant: None,
        api_key: Secret::new("v2keyv2keyv2keyv2keyv2keyv2key32"),
        sign_type,
        has_client_identity: false,
        base_url: "https://api.mch.weixin.qq.com".to_owned(),
        second_base_url: None,
    })
    .expect("the test merchant")
}

/// An order's number.
#[must_use]
pub fn trade_no() -> OutTradeNo {
    "P0187A5C3E4D7F3A9B2C1D0E4F5A6B7C".parse().expect("a number")
}

/// The vectors' order, 80.00 yuan, open for two hours.
#[must_use]
pub fn new_order(product: Product, out_trade_no: &OutTradeNo) -> NewOrder<'_> {
    NewOrder {
        product,
        out_trade_no,
        amount: Fen::new(8000),
        subject: "不动产登记费 受理号20181130-001",
        expires_at: Timestamp::constant(1_543_546_800, 0),
        notify_url: "https://pay.example.cn/callbacks/registry",
        return_url: None,
        payer: None,
        identity: None,
        auth_code: None,
        client_ip: None,
        now: now(),
        chance: &[7; 32],
    }
}

/// What a request is signed under.
#[must_use]
pub fn stamp() -> Stamp {
    Stamp { now: now(), nonce: "593BEC0C930BF1AFEB40B4A08C8FB242".to_owned() }
}

/// The first notice of a provider's vectors: a payment, with its headers and body.
#[must_use]
pub fn payment_notice(provider: &str) -> (Headers, Vec<u8>) {
    let text = match provider {
        "wechat" => include_str!("../fixtures/vectors/wechat.json"),
        "wechat_v2" => include_str!("../fixtures/vectors/wechat_v2.json"),
        _ => include_str!("../fixtures/vectors/alipay.json"),
    };
    let vectors: Value = serde_json::from_str(text).expect("the vectors are JSON");
    let notice = &vectors["notices"][0];
    let headers = notice["headers"].as_object().map_or_else(Vec::new, |headers| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        headers.iter().map(|(name, value)| (name.clone(), text(value))).collect()
    });
    (Headers(headers), notice["body"].as_str().unwrap_or_default().as_bytes().to_vec())
}

/// A trade bill of WeChat Pay with so many payments of one fen, and its footer.
#[must_use]
pub fn wechat_bill(rows: usize) -> Vec<u8> {
    let mut bill = String::from(
        "\u{feff}交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注\r\n",
    );
    for row in 0..rows {
        let _infallible = write!(
            bill,
            "`2018-11-30 09:{:02}:{:02},`wx8888888888888888,`1900000001,`0,`,`42000{row:023},`P{row:031},`o,`NATIVE,`SUCCESS,`OTHERS,`CNY,`0.01,`0.00,`0,`0,`0.00,`0.00,`,`,`登记费,`,`0.00000,`0.60%,`0.01,`0.00,`\r\n",
            row / 60 % 60,
            row % 60,
        );
    }
    let total = format!("{}.{:02}", rows / 100, rows % 100);
    let _infallible = write!(
        bill,
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n`{rows},`{total},`0.00,`0.00,`0.00000,`{total},`0.00\r\n"
    );
    bill.into_bytes()
}

/// A trade bill of Alipay with so many payments of one fen and its totals, in GB18030 as it comes.
#[must_use]
pub fn alipay_bill(rows: usize) -> Vec<u8> {
    let mut bill = String::from(
        "#支付宝业务明细查询\r\n#账号：[20880000000000000156]\r\n#起始日期：[2018年11月30日 00:00:00]   终止日期：[2018年12月01日 00:00:00]\r\n#-----------------------------------------业务明细列表----------------------------------------\r\n支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注\r\n",
    );
    for row in 0..rows {
        let _infallible = write!(
            bill,
            "20181130{row:020}\t,P{row:031}\t,交易,登记费,2018-11-30 09:{:02}:{:02},2018-11-30 09:{:02}:{:02},,,,,o***@x.cn,0.01,0.01,0.00,0.00,0.00,0.00,0.00,,0.00,0.00,,0.00,0.00,\r\n",
            row / 60 % 60,
            row % 60,
            row / 60 % 60,
            row % 60,
        );
    }
    let total = format!("{}.{:02}", rows / 100, rows % 100);
    let _infallible = write!(
        bill,
        "#-----------------------------------------业务明细列表结束------------------------------------\r\n#交易合计：{rows}笔，商家实收共{total}元，商家优惠共0.00元\r\n#退款合计：0笔，商家实收退款共0.00元，商家优惠退款共0.00元\r\n#导出时间：[2018年12月01日 09:00:00]\r\n"
    );
    encoding_rs::GB18030.encode(&bill).0.into_owned()
}
