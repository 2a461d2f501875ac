//! The asymmetric half of Standard Webhooks, against vectors of other implementations.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// Made with Python's `cryptography` from the seed 00 01 … 1f and the message of the `v1` vector.
const PRIVATE: &str =
    "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8DoQe/884Qvh1w3RjnS8CZZ+TWMJulDV8d3IZkElUxuA==";
const PUBLIC: &str = "whpk_A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
const V1A: &str =
    "v1a,yoUrgEkc12aGqm0n4Sydmdz55xJfTz4AsAgieHFjmkR7LJtqVCZOQYzvvHjI5kAey+r4iaBGxTFRrl2iBQxtDQ==";

fn pair() -> SigningKey {
    PRIVATE.parse().unwrap()
}

#[test]
fn another_implementation_makes_the_same_signature_and_the_same_keys() {
    assert_eq!(pair().sign(ID, SIGNED_AT, BODY), V1A);
    assert_eq!(pair().public().to_string(), PUBLIC);
    assert_eq!(pair().to_secret().expose(), PRIVATE);
    let mut seed = [0; 32];
    for (byte, number) in seed.iter_mut().zip(0..) {
        *byte = number;
    }
    let grown = SigningKey::from_seed(&seed).unwrap();
    assert_eq!(grown.to_secret().expose(), PRIVATE);
    assert_eq!(PUBLIC.parse::<VerifyingKey>().unwrap(), grown.public());
}

#[test]
fn the_public_keys_of_rfc_8032_grow_from_its_private_ones() {
    for (seed, public) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        ),
    ] {
        let pair = SigningKey::from_seed(&hex(seed)).unwrap();
        assert_eq!(pair.public().as_bytes(), &hex(public));
    }
}

#[test]
fn whoever_holds_the_public_key_alone_can_verify_over_the_bytes_of_the_standard() {
    let secret = secret(SECRET);
    let signers = Signers { secrets: &[&secret], pair: Some(&pair()) };
    let headers = Headers(build(&message(), &signers, at(SIGNED_AT)).headers);
    let written = headers.only("webhook-signature").unwrap();
    assert_eq!(written, format!("{SIGNATURE} {V1A}"), "v1 first: its verifiers pass over v1a");
    // By hand, with nothing of ours but the header.
    let public = STANDARD.decode(PUBLIC.strip_prefix("whpk_").unwrap()).unwrap();
    let given = written.split(' ').find_map(|one| one.strip_prefix("v1a,")).unwrap();
    let given = STANDARD.decode(given).unwrap();
    let signed = format!("{ID}.{SIGNED_AT}.{}", std::str::from_utf8(BODY).unwrap());
    UnparsedPublicKey::new(&ED25519, &public).verify(signed.as_bytes(), &given).unwrap();
    // And as our own receivers do.
    let public: VerifyingKey = PUBLIC.parse().unwrap();
    let judge = |key: &VerifyingKey, body: &[u8]| {
        verify(&Verifier::PublicKey(key), &headers, body, at(SIGNED_AT))
    };
    assert_eq!(judge(&public, BODY), Ok(()));
    assert_eq!(judge(&public, b"{}"), Err(VerifyError::Signature));
    let other = SigningKey::from_seed(&[9; 32]).unwrap().public();
    assert_eq!(judge(&other, BODY), Err(VerifyError::Signature));
}

#[test]
fn one_kind_of_signature_never_stands_for_the_other() {
    let key = pair();
    let only_v1a = Signers { secrets: &[], pair: Some(&key) };
    let headers = Headers(build(&message(), &only_v1a, at(SIGNED_AT)).headers);
    let secret = secret(SECRET);
    let verdict = verify(&Verifier::Secrets(&[&secret]), &headers, BODY, at(SIGNED_AT));
    assert_eq!(verdict, Err(VerifyError::Signature));
    let headers = Headers(build(&message(), &shared(&[&secret]), at(SIGNED_AT)).headers);
    let verdict = verify(&Verifier::PublicKey(&key.public()), &headers, BODY, at(SIGNED_AT));
    assert_eq!(verdict, Err(VerifyError::Signature));
}

#[test]
fn keys_of_the_wrong_form_are_refused_and_never_printed() {
    let halves = |seed: [u8; 32], public: [u8; 32]| {
        format!("whsk_{}", STANDARD.encode([seed, public].concat()))
    };
    for (text, error) in [
        (PUBLIC.to_owned(), KeyPairError::Prefix("whsk_")),
        ("whsk_!".to_owned(), KeyPairError::Base64),
        ("whsk_AAAA".to_owned(), KeyPairError::Length(3)),
        (format!("whsk_{}", STANDARD.encode([1; 63])), KeyPairError::Length(63)),
        (format!("whsk_{}", STANDARD.encode([1; 65])), KeyPairError::Length(65)),
        (halves([1; 32], [2; 32]), KeyPairError::NoPair),
    ] {
        assert_eq!(text.parse::<SigningKey>().unwrap_err(), error, "{text}");
    }
    assert_eq!("whpk_AAAA".parse::<VerifyingKey>().unwrap_err(), KeyPairError::Length(3));
    assert!(PRIVATE.parse::<VerifyingKey>().is_err(), "a private key is never taken for a public");
    assert_eq!(format!("{:?}", pair()), "SigningKey(…)");
}

fn hex(text: &str) -> [u8; 32] {
    let digit = |letter: u8| u8::try_from(char::from(letter).to_digit(16).unwrap()).unwrap();
    let pairs = text.as_bytes().chunks_exact(2);
    let bytes: Vec<u8> = pairs.map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
    bytes.try_into().unwrap()
}
