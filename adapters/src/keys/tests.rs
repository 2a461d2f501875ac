//! Keys in every form in which they are handed out, and two libraries against each other.

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::{EncodeRsaPrivateKey as _, EncodeRsaPublicKey as _};
use rsa::pkcs1v15::Pkcs1v15Sign;
use sha2::{Digest as _, Sha256};

use super::{AeadError, Chance, KeyError, OaepError, SigningKey, VerifyingKey, read};
use super::{open_aes_256_gcm, open_oaep_sha1, seal_aes_256_gcm};
use crate::testing::fixture;

#[test]
fn two_libraries_give_the_same_signature_byte_for_byte() {
    for name in ["wechat_merchant", "wechatpay_platform", "alipay_app", "alipay_platform"] {
        let pem = fixture(&format!("keys/{name}.pem"));
        let reference = read::private_key(&pem).unwrap();
        let key = SigningKey::read(&pem).unwrap();
        for message in ["", "message", "登记费\n80.00\n", &"x".repeat(100_000)] {
            let digest = Sha256::digest(message.as_bytes());
            let expected = reference.sign(Pkcs1v15Sign::new::<Sha256>(), &digest).unwrap();
            assert_eq!(key.sign(message.as_bytes()).unwrap(), STANDARD.encode(expected));
        }
    }
}

#[test]
fn a_signature_verifies_under_its_own_key_and_message_only() {
    let key = SigningKey::read(&fixture("keys/alipay_app.pem")).unwrap();
    let own = VerifyingKey::read(&fixture("keys/alipay_app_pub.pem")).unwrap();
    let other = VerifyingKey::read(&fixture("keys/alipay_platform_pub.pem")).unwrap();
    let signature = key.sign(b"message").unwrap();
    assert!(own.verifies(b"message", &signature));
    assert!(key.verifying_key().unwrap().verifies(b"message", &signature));
    assert!(!other.verifies(b"message", &signature));
    assert!(!own.verifies(b"massage", &signature));
    for broken in
        ["", "no base64!", "AAAA", &format!("{signature}\n"), signature.get(..340).unwrap()]
    {
        assert!(!own.verifies(b"message", broken), "{broken}");
    }
}

#[test]
fn a_key_is_read_in_every_form_in_which_it_is_handed_out() {
    let pem = fixture("keys/alipay_app.pem");
    let expected = SigningKey::read(&pem).unwrap().sign(b"message").unwrap();
    let bare: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let pkcs1 =
        STANDARD.encode(read::private_key(&pem).unwrap().to_pkcs1_der().unwrap().as_bytes());
    let windows = pem.replace('\n', "\r\n");
    let armoured =
        format!("-----BEGIN RSA PRIVATE KEY-----\n{pkcs1}\n-----END RSA PRIVATE KEY-----\n");
    for form in [bare, pkcs1, windows, armoured] {
        assert_eq!(SigningKey::read(&form).unwrap().sign(b"message").unwrap(), expected);
    }
    let public = fixture("keys/alipay_app_pub.pem");
    let pkcs1 = STANDARD.encode(read::public_key(&public).unwrap().to_pkcs1_der().unwrap());
    assert!(VerifyingKey::read(&pkcs1).unwrap().verifies(b"message", &expected));
}

#[test]
fn what_is_no_key_is_refused_without_repeating_it() {
    let private = fixture("keys/alipay_app.pem");
    assert!(matches!(SigningKey::read(""), Err(KeyError::Empty)));
    assert!(matches!(SigningKey::read("???"), Err(KeyError::Base64(_))));
    assert!(matches!(SigningKey::read("c2VjcmV0"), Err(KeyError::NotPrivate(_))));
    assert!(matches!(VerifyingKey::read(&private), Err(KeyError::NotPublic(_))));
    let public = fixture("keys/alipay_app_pub.pem");
    assert!(matches!(SigningKey::read(&public), Err(KeyError::NotPrivate(_))));
    assert!(!format!("{:?}", SigningKey::read(&private).unwrap()).contains("MII"));
}

#[test]
fn a_field_is_sealed_for_one_key_and_by_its_chance() {
    let private = fixture("keys/wechatpay_platform.pem");
    let public = VerifyingKey::read(&fixture("keys/wechatpay_platform_pub.pem")).unwrap();
    // A key that was taken from its private half is held in other bytes, and seals alike.
    let own = SigningKey::read(&private).unwrap().verifying_key().unwrap();
    let seal = |key: &VerifyingKey, text: &str, seed| {
        key.seal_oaep_sha1(text, &mut Chance::new(&[seed; 32]))
    };
    for text in ["", "张三", "11010119900307001X", &"x".repeat(214)] {
        let sealed = seal(&public, text, 1).unwrap();
        assert_eq!(open_oaep_sha1(&private, &sealed).unwrap(), text.as_bytes());
        assert_eq!(sealed, seal(&own, text, 1).unwrap());
        assert_ne!(sealed, seal(&own, text, 2).unwrap());
        let reference = read::private_key(&private).unwrap();
        let opened = reference.oaep_decrypt::<sha1::Sha1>(&STANDARD.decode(&sealed).unwrap());
        assert_eq!(opened.unwrap(), text.as_bytes());
        assert!(open_oaep_sha1(&fixture("keys/alipay_app.pem"), &sealed).is_err());
    }
    let long = seal(&public, &"x".repeat(215), 1).unwrap_err();
    assert!(matches!(long, OaepError::TooLong { most: 214, length: 215 }), "{long}");
    assert!(matches!(open_oaep_sha1(&private, "???"), Err(OaepError::Refused)));
    let mut chance = Chance::new(&[1; 32]);
    let twice = [(); 2].map(|()| public.seal_oaep_sha1("张三", &mut chance).unwrap());
    assert_ne!(twice[0], twice[1], "two fields of a call never look alike");
    assert!(!format!("{chance:?}").contains('1'));
}

#[test]
fn sealed_texts_open_in_both_libraries() {
    let (key, nonce) = (b"payhubtestsonlyapiv3key012345678", b"uluk4a9R25RW");
    let sealed = seal_aes_256_gcm(key, nonce, b"transaction", "登记".as_bytes()).unwrap();
    let reference = aes_gcm::Aes256Gcm::new_from_slice(key).unwrap();
    let payload = Payload { msg: "登记".as_bytes(), aad: b"transaction" };
    let nonce_of_reference = aes_gcm::Nonce::try_from(&nonce[..]).unwrap();
    assert_eq!(sealed, reference.encrypt(&nonce_of_reference, payload).unwrap());
    let text = open_aes_256_gcm(key, nonce, b"transaction", &sealed).unwrap();
    assert_eq!(text, "登记".as_bytes());
}

#[test]
fn t19_wrong_lengths_and_tampering_are_errors_before_any_primitive() {
    let key = b"payhubtestsonlyapiv3key012345678";
    let sealed = seal_aes_256_gcm(key, b"uluk4a9R25RW", b"", b"text").unwrap();
    for length in (0..64).filter(|length| *length != 12) {
        let nonce = vec![b'n'; length];
        assert_eq!(open_aes_256_gcm(key, &nonce, b"", &sealed), Err(AeadError::NonceLength));
    }
    for length in (0..64).filter(|length| *length != 32) {
        let key = vec![b'k'; length];
        let opened = open_aes_256_gcm(&key, b"uluk4a9R25RW", b"", &sealed);
        assert_eq!(opened, Err(AeadError::KeyLength));
    }
    for end in 0..sealed.len() {
        let cut = &sealed[..end];
        assert_eq!(open_aes_256_gcm(key, b"uluk4a9R25RW", b"", cut), Err(AeadError::Tampered));
        let mut flipped = sealed.clone();
        flipped[end] ^= 1;
        let opened = open_aes_256_gcm(key, b"uluk4a9R25RW", b"", &flipped);
        assert_eq!(opened, Err(AeadError::Tampered));
    }
}
