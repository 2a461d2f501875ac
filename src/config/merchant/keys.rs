//! Keys and certificates of merchants, each held against its neighbours: two that were mixed up
//! stop the start, because no signature would ever verify.

use adapters::keys::{Certificate, SigningKey, VerifyingKey};

use super::Dated;
use crate::config::error::ConfigError;
use crate::config::section::Section;

/// What is signed in order to see whether two halves are of one key.
const PROBE: &[u8] = b"whose key is this?";

pub(super) fn private_key(
    section: &Section<'_>,
    key: &str,
    what: &str,
) -> Result<SigningKey, ConfigError> {
    let text = section.key_text(key, &format!("give {what}, PEM text or a path"))?;
    SigningKey::read(&text)
        .map_err(|fault| section.fault(key, fault.to_string(), format!("give {what}")))
}

/// Reads the provider's public key, and refuses the merchant's own, which people upload and then
/// copy back by mistake.
pub(super) fn public_key(
    section: &Section<'_>,
    key: &str,
    what: &str,
    own: &SigningKey,
) -> Result<VerifyingKey, ConfigError> {
    let text = section.key_text(key, &format!("give {what}, PEM text or a path"))?;
    let theirs = VerifyingKey::read(&text)
        .map_err(|fault| section.fault(key, fault.to_string(), format!("give {what}")))?;
    refuse_own(section, key, what, own, &theirs)?;
    Ok(theirs)
}

/// Reads the merchant's own certificate: its PEM text, and until when it is good.
pub(super) fn own_certificate(
    section: &Section<'_>,
    key: &'static str,
    what: &str,
    own: &SigningKey,
) -> Result<(String, Dated), ConfigError> {
    let (text, certificate) = certificate(section, key, what)?;
    if !is_pair(own, &certificate.key) {
        let mend = format!("give {what}, the one that was made with the private key beside it");
        return Err(section.fault(key, "is not the certificate of the private key", mend));
    }
    Ok((text, Dated { key, until: certificate.not_after, is_own: true }))
}

/// Reads the provider's certificate: its PEM text, and until when it is good.
pub(super) fn their_certificate(
    section: &Section<'_>,
    key: &'static str,
    what: &str,
    own: &SigningKey,
) -> Result<(String, Dated), ConfigError> {
    let (text, certificate) = certificate(section, key, what)?;
    refuse_own(section, key, what, own, &certificate.key)?;
    Ok((text, Dated { key, until: certificate.not_after, is_own: false }))
}

fn certificate(
    section: &Section<'_>,
    key: &str,
    what: &str,
) -> Result<(String, Certificate), ConfigError> {
    let text = section.key_text(key, &format!("give {what}, PEM text or a path"))?;
    let read = Certificate::read(&text)
        .map_err(|fault| section.fault(key, fault.to_string(), format!("give {what}")))?;
    Ok((text, read))
}

fn refuse_own(
    section: &Section<'_>,
    key: &str,
    what: &str,
    own: &SigningKey,
    theirs: &VerifyingKey,
) -> Result<(), ConfigError> {
    if is_pair(own, theirs) {
        let mend = format!("give {what}");
        return Err(section.fault(key, "is the public half of the merchant's own key", mend));
    }
    Ok(())
}

pub(super) fn is_pair(private: &SigningKey, public: &VerifyingKey) -> bool {
    private.sign(PROBE).is_ok_and(|signature| public.verifies(PROBE, &signature))
}
