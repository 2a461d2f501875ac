//! What every order, callback and bill costs in cryptography and parsing, on one core. The peer of
//! signing and verifying is the crate `rsa`; the providers' own packages run in `benches/peers`,
//! right after, on the same messages.

use adapters::PaymentProvider;
use adapters::keys::{Chance, SigningKey, VerifyingKey};
use adapters::provider::{Notice, Product};
use adapters::wechat_v2::SignType;
use benches::{ALIPAY, MERCHANT_KEY, MERCHANT_PUBLIC_KEY, WECHAT};
use benches::{
    alipay_bill, new_order, now, payment_notice, stamp, trade_no, wechat_bill, wechat_v2,
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
    let signature =
        SigningKey::read(MERCHANT_KEY).and_then(|key| key.sign(MESSAGE)).expect("a test key signs");
    bencher.counter(ItemsCount::new(1_usize)).bench(|| key.verifies(MESSAGE, &signature));
}

#[divan::bench(name = "verify: peer (rsa)")]
fn verify_rsa(bencher: Bencher<'_, '_>) {
    let key = rsa::PublicKey::from_public_key_pem(MERCHANT_PUBLIC_KEY).expect("a test key");
    let signature = rsa::PrivateKey::from_pkcs8_pem(MERCHANT_KEY)
        .map(|key| key.sign(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(MESSAGE)))
        .expect("a test key")
        .expect("a test key signs");
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench(|| key.verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(MESSAGE), &signature));
}

/// Builds and signs an order, as it is done for each payer.
fn place(bencher: Bencher<'_, '_>, merchant: &dyn PaymentProvider, product: Product) {
    let number = trade_no();
    let once = || {
        let call = merchant.place(&new_order(product, &number)).expect("within every limit");
        merchant.sign(&call, &stamp())
    };
    assert!(once().is_ok(), "it signs");
    bencher.counter(ItemsCount::new(1_usize)).bench(once);
}

#[divan::bench(name = "place an order: WeChat Pay, APIv3")]
fn place_wechat(bencher: Bencher<'_, '_>) {
    place(bencher, &*WECHAT, Product::Native);
}

#[divan::bench(name = "place an order: Alipay")]
fn place_alipay(bencher: Bencher<'_, '_>) {
    place(bencher, &*ALIPAY, Product::Precreate);
}

#[divan::bench(name = "place an order: WeChat Pay v2, MD5")]
fn place_v2_md5(bencher: Bencher<'_, '_>) {
    place(bencher, &wechat_v2(SignType::Md5), Product::Native);
}

#[divan::bench(name = "place an order: WeChat Pay v2, HMAC-SHA256")]
fn place_v2_hmac(bencher: Bencher<'_, '_>) {
    place(bencher, &wechat_v2(SignType::HmacSha256), Product::Native);
}

#[divan::bench(name = "seal a name with RSA-OAEP")]
fn seal_oaep(bencher: Bencher<'_, '_>) {
    let key = VerifyingKey::read(MERCHANT_PUBLIC_KEY).expect("a test key");
    let seal = || key.seal_oaep_sha1("张三", &mut Chance::new(&[7; 32]));
    assert!(seal().is_ok(), "it seals");
    bencher.counter(ItemsCount::new(1_usize)).bench(seal);
}

/// Proves, decrypts and reads a payment's notice.
fn open(bencher: Bencher<'_, '_>, merchant: &dyn PaymentProvider, vectors: &str) {
    let (headers, body) = payment_notice(vectors);
    let notice = Notice { headers: &headers, body: &body, received_at: now() };
    assert_eq!(merchant.open_notice(&notice).expect("the vector opens").facts.len(), 1);
    bencher.counter(ItemsCount::new(1_usize)).bench(|| merchant.open_notice(&notice));
}

#[divan::bench(name = "open a callback: WeChat Pay, APIv3")]
fn open_wechat(bencher: Bencher<'_, '_>) {
    open(bencher, &*WECHAT, "wechat");
}

#[divan::bench(name = "open a callback: Alipay")]
fn open_alipay(bencher: Bencher<'_, '_>) {
    open(bencher, &*ALIPAY, "alipay");
}

#[divan::bench(name = "open a callback: WeChat Pay v2, MD5")]
fn open_v2(bencher: Bencher<'_, '_>) {
    open(bencher, &wechat_v2(SignType::Md5), "wechat_v2");
}

const ROWS: usize = 100_000;

fn read(bencher: Bencher<'_, '_>, bill: &[u8]) {
    let totals = adapters::bill::read(bill, &mut |_row| {}).expect("the bill reads");
    assert!(totals.footer_ok, "{:?}", totals.footer_fault);
    assert_eq!(totals.payments.count, ROWS as u64, "every row is read");
    bencher
        .counter(ItemsCount::new(ROWS))
        .counter(BytesCount::of_slice(bill))
        .bench(|| adapters::bill::read(bill, &mut |_row| {}));
}

#[divan::bench(name = "read a bill: WeChat Pay, 100 000 rows", sample_count = 20, sample_size = 1)]
fn read_wechat_bill(bencher: Bencher<'_, '_>) {
    read(bencher, &wechat_bill(ROWS));
}

#[divan::bench(name = "read a bill: Alipay, 100 000 rows", sample_count = 20, sample_size = 1)]
fn read_alipay_bill(bencher: Bencher<'_, '_>) {
    read(bencher, &alipay_bill(ROWS));
}

/// The least that any reader does: check the encoding and find the ends of lines and fields.
#[divan::bench(name = "read a bill: limit, split only", sample_count = 20, sample_size = 1)]
fn split_bill(bencher: Bencher<'_, '_>) {
    let bill = wechat_bill(ROWS);
    bencher.counter(ItemsCount::new(ROWS)).counter(BytesCount::of_slice(&bill)).bench(|| {
        let text = std::str::from_utf8(&bill).unwrap_or_default();
        text.lines().map(|line| line.split(",`").count()).sum::<usize>()
    });
}
