//! Keys and primitives that the hub and the sandbox share. Canonical strings are not in here:
//! each side writes its own, so that a mistake cannot verify itself.
//!
//! `rsa` reads and checks keys; `aws-lc-rs` signs and verifies on the hot path, in constant time.
//! PKCS#1 v1.5 signatures are deterministic, so a test holds the two against each other.

mod aead;
mod certificate;
mod link;
mod oaep;
mod read;
mod rsa_key;
#[cfg(test)]
mod tests;

pub use aead::{AeadError, open_aes_256_gcm, seal_aes_256_gcm};
pub use certificate::Certificate;
pub use link::Link;
pub use oaep::{Chance, OaepError, open_oaep_sha1};
pub use rsa_key::{KeyError, SigningKey, VerifyingKey};
