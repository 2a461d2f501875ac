//! Merchants in every way in which a provider knows them.

use adapters::provider::Product;

use super::*;

#[test]
fn a_service_provider_says_for_whom_it_acts() {
    let sp = |keys: &str| WHOLE.replacen("mchid =", &format!("{keys}\nmchid ="), 1);
    let good = sp("sub_mchid = \"1900000002\"\nsub_appid = \"wx2\"\nsp_mchid = \"1900000001\"");
    assert!(parse(&good, &Environment::default()).is_ok());
    let alone = good.replacen("\nmchid = \"1900000001\"", "", 1);
    assert!(parse(&alone, &Environment::default()).is_ok(), "sp_mchid stands for mchid");
    refuses("mchid =", "sp_mchid = \"2\"\nsub_mchid = \"3\"\nmchid =", &["sp_mchid: differs"]);
    refuses("mchid =", "sub_appid = \"wx2\"\nmchid =", &["sub_mchid: missing", "服务商模式"]);
}

#[test]
fn a_fund_flow_bill_is_asked_for_where_the_provider_gives_one() {
    let flow = |text: &str| {
        let config = parse(text, &Environment::default()).unwrap();
        config.merchants[0].fund_flow
    };
    let with = |keys: &str| WHOLE.replacen("mchid =", &format!("{keys}\nmchid ="), 1);
    assert!(flow(WHOLE));
    assert!(!flow(&with("fund_flow = false")));
    assert!(!flow(&with("sub_mchid = \"1900000002\"")), "a partner, by either of its keys");
    assert!(flow(&with("sub_mchid = \"1900000002\"\nfund_flow = true")));
    refuses("mchid =", "fund_flow = 1\nmchid =", &["fund_flow"]);
}

#[test]
fn without_a_public_key_platform_certificates_are_fetched() {
    let text: String = WHOLE
        .lines()
        .filter(|line| !line.starts_with("wechatpay_public_key"))
        .map(|line| format!("{line}\n"))
        .collect();
    let config = parse(&text, &Environment::default()).unwrap();
    assert!(config.merchants[0].provider.renewed_keys().is_some());
}

/// The WeChat merchant of the configuration, through the old interface.
fn v2(more: &str) -> String {
    let (before, rest) = WHOLE.split_once("[[merchants]]").unwrap();
    let (_, after) = rest.split_once("[[merchants]]").unwrap();
    format!(
        "{before}[[merchants]]\nid = \"legacy-wechat\"\nprovider = \"wechat-v2\"\nmchid = \"1900000001\"\n\
         appid = \"wx8888888888888888\"\napi_key = \"{APIV3_KEY}\"\n{more}\n[[merchants]]{after}",
    )
}

/// A certificate of a key of the fixtures, and that key.
fn certified(name: &str) -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/keys").join(name);
    let pem = fs::read_to_string(path).unwrap();
    let pair = rcgen::KeyPair::from_pem(&pem).unwrap();
    let params = rcgen::CertificateParams::new(["example.cn".to_owned()]).unwrap();
    (params.self_signed(&pair).unwrap().pem(), pem)
}

#[track_caller]
fn line_of(text: &str) -> String {
    parse(text, &Environment::default()).unwrap_err().to_string()
}

#[test]
fn a_merchant_of_the_old_interface_shows_its_certificate() {
    let plain = parse(&v2(""), &Environment::default()).unwrap();
    assert!(plain.merchants[0].client_identity.is_none());
    let (certificate, key) = certified("wechat_merchant.pem");
    let whole =
        format!("client_identity = \"\"\"{certificate}{key}\"\"\"\nsign_type = \"HMAC-SHA256\"");
    let config = parse(&v2(&whole), &Environment::default()).unwrap();
    assert!(config.merchants[0].client_identity.is_some());
    assert_eq!(config.merchants[0].certificates[0].key, "client_identity");
    assert!(!format!("{config:?}").contains("PRIVATE KEY"));
    let (other, _) = certified("alipay_app.pem");
    for (more, naming) in [
        (format!("client_identity = \"\"\"{certificate}\"\"\""), "holds no private key"),
        (format!("client_identity = \"\"\"{key}\"\"\""), "holds no certificate"),
        (format!("client_identity = \"\"\"{other}{key}\"\"\""), "is not that of the private key"),
        ("client_identity = \"keys/none.pem\"".to_owned(), "cannot read keys/none.pem"),
        ("sign_type = \"RSA\"".to_owned(), "sign_type: `RSA`"),
        ("apiv3_key = \"x\"".to_owned(), "apiv3_key: unknown key"),
    ] {
        let line = line_of(&v2(&more));
        assert!(line.contains("merchants[0].") && line.contains(naming), "{line}");
    }
}

#[test]
fn where_no_certificate_can_be_shown_none_is_needed_for_the_counter() {
    let offers = |text: &str| {
        let config = parse(text, &Environment::default()).unwrap();
        config.merchants[0].provider.products().contains(&Product::Codepay)
    };
    let clear = "base_url = \"http://127.0.0.1:9010\"";
    assert!(offers(&v2(clear)));
    assert!(!offers(&v2("")), "the provider itself asks for one");
    assert!(!offers(&v2("base_url = \"https://127.0.0.1:9010\"")), "and so may one on loopback");
    let second = "second_base_url = \"https://api2.mch.weixin.qq.com\"";
    assert!(!offers(&v2(&format!("{clear}\n{second}"))), "or the second host");
}

#[test]
fn alipay_is_proved_by_a_key_or_by_certificates_and_never_by_both() {
    let own = "alipay_public_key = \"keys/alipay_platform_pub.pem\"";
    let (app, _) = certified("alipay_app.pem");
    let (alipay, _) = certified("alipay_platform.pem");
    let with = |app: &str, alipay: &str, root: &str| {
        WHOLE.replace(
            own,
            &format!("app_cert = \"\"\"{app}\"\"\"\nalipay_cert = \"\"\"{alipay}\"\"\"\n{root}"),
        )
    };
    let root = format!("alipay_root_cert = \"\"\"{alipay}\"\"\"");
    for (text, naming) in [
        (with(&alipay, &alipay, &root), "app_cert: is not the certificate of the private key"),
        (with(&app, &app, &root), "alipay_cert: is the public half of the merchant's own key"),
        (with(&app, &alipay, ""), "alipay_root_cert: missing"),
        (
            with(&app, &alipay, &format!("{root}\n{own}")),
            "app_cert: stands beside alipay_public_key",
        ),
        (WHOLE.replace(own, &format!("{own}\nencrypt_key = \"short\"")), "encrypt_key: has 5"),
    ] {
        let line = line_of(&text);
        assert!(line.contains("merchants[1].") && line.contains(naming), "{line}");
    }
}
