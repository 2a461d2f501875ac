//! What every order and every callback costs in cryptography and parsing, on one core. The peer of
//! signing and verifying is the crate `rsa`; the peers of opening a callback run in
//! `benches/peers`, right after, on the same messages.

use adapters::PaymentProvider as _;
use adapters::keys::{SigningKey, VerifyingKey};
use adapters::provider::Notice;
use benches::{
    ALIPAY, MERCHANT_KEY, MERCHANT_PUBLIC_KEY, WECHAT, now, payment_notice, wechat_bill,
};
use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::{DecodePrivateKey as _, DecodePublicKey as _};
use sha2::{Digest as _, Sha256};

fn main() {
    divan::main();
}

const MESSAGE: &[u8] = &[b'm'; 512];

#[divan::bench(name = "sign: hub (aws-lc-rs)")]
fn sign(bencher: Bencher<'_, '_>) {
    let key = SigningKey::read(MERCHANT_KEY).expect("a test key");
    bencher.counter(ItemsCount::new(1_usize)).bench(|| key.sign(MESSAGE));
}

#[divan::bench(name = "sign: peer (rsa)")]
fn sign_rsa(bencher: Bencher<'_, '_>) {
    let key = rsa::PrivateKey::from_pkcs8_pem(MERCHANT_KEY).expect("a test key");
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench(|| key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(MESSAGE)));
}

#[divan::bench(name = "verify: hub (aws-lc-rs)")]
fn verify(bencher: Bencher<'_, '_>) {
    let key = VerifyingKey::read(MERCHANT_PUBLIC_KEY).expect("a test key");
    let signature = SigningKey::read(MERCHANT_KEY)
        .and_then(|key| key.sign(MESSAGE))
        .expect("a test key signs");
    bencher.counter(ItemsCount::new(1_usize)).bench(|| key.verifies(MESSAGE, &signature));
}

#[divan::bench(name = "verify: peer (rsa)")]
fn verify_rsa(bencher: Bencher<'_, '_>) {
    let key = rsa::PublicKey::from_public_key_pem(MERCHANT_PUBLIC_KEY).expect("a test key");
    let signature = rsa::PrivateKey::from_pkcs8_pem(MERCHANT_KEY)
        .map(|key| key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(MESSAGE)))
        .expect("a test key")
        .expect("a test key signs");
    bencher.counter(ItemsCount::new(1_usize)).bench(|| {
        key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(MESSAGE), &signature)
    });
}

#[divan::bench(name = "open a callback: WeChat Pay")]
fn open_wechat(bencher: Bencher<'_, '_>) {
    let (headers, body) = payment_notice("wechat");
    let notice = Notice { headers: &headers, body: &body, received_at: now() };
    assert_eq!(WECHAT.open_notice(&notice).expect("the vector opens").facts.len(), 1);
    bencher.counter(ItemsCount::new(1_usize)).bench(|| WECHAT.open_notice(&notice));
}

#[divan::bench(name = "open a callback: Alipay")]
fn open_alipay(bencher: Bencher<'_, '_>) {
    let (headers, body) = payment_notice("alipay");
    let notice = Notice { headers: &headers, body: &body, received_at: now() };
    assert_eq!(ALIPAY.open_notice(&notice).expect("the vector opens").facts.len(), 1);
    bencher.counter(ItemsCount::new(1_usize)).bench(|| ALIPAY.open_notice(&notice));
}

const ROWS: usize = 100_000;

#[divan::bench(name = "read a bill: hub, 100 000 rows", sample_count = 10, sample_size = 1)]
fn read_bill(bencher: Bencher<'_, '_>) {
    let bill = wechat_bill(ROWS);
    let totals = adapters::bill::read(&bill, &mut |_row| {}).expect("the bill reads");
    assert!(totals.footer_ok, "{:?}", totals.footer_fault);
    bencher
        .counter(ItemsCount::new(ROWS))
        .counter(BytesCount::of_slice(&bill))
        .bench(|| adapters::bill::read(&bill, &mut |_row| {}));
}

/// The least that any reader does: check the encoding and find the ends of lines and fields.
#[divan::bench(name = "read a bill: limit, split only", sample_count = 10, sample_size = 1)]
fn split_bill(bencher: Bencher<'_, '_>) {
    let bill = wechat_bill(ROWS);
    bencher.counter(ItemsCount::new(ROWS)).counter(BytesCount::of_slice(&bill)).bench(|| {
        let text = std::str::from_utf8(&bill).unwrap_or_default();
        text.lines().map(|line| line.split(",`").count()).sum::<usize>()
    });
}
