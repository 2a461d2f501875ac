//! What signs for an application: its shared secret, the one before it while they are exchanged,
//! and its own key pair. They are made here, sealed where they stand, and opened for an attempt.

use adapters::webhook::{Message, Signers, SigningKey, WebhookSecret, build};
use adapters::wire::Request;
use domain::personal::Secret;
use jiff::Timestamp;
use zeroize::Zeroizing;

use crate::hub::{random, secret_context};
use crate::seal::{Purpose, SealError, Sealer};
use crate::store::applications::Endpoint;

/// A fresh secret: shown once, and stored sealed.
pub struct NewSecret {
    /// As its receiver needs it.
    pub shown: Secret,
    /// As it is stored.
    pub sealed: Vec<u8>,
}

/// A fresh secret of an application.
///
/// # Errors
/// When the machine has no random bytes.
pub fn new_secret(sealer: &Sealer, application: &str) -> Result<NewSecret, SealError> {
    let bytes = Zeroizing::new(random::<32>()?);
    let secret = WebhookSecret::from_random(&*bytes)
        .map_err(|_thirty_two_are_enough| SealError::NoRandomness)?;
    let shown = secret.to_secret();
    let context = secret_context(application);
    let text = shown.expose().as_bytes();
    let sealed = sealer.seal(Purpose::WebhookSecret, text, context.as_bytes())?;
    Ok(NewSecret { shown, sealed })
}

/// A fresh key pair: its private half is never shown.
#[derive(Debug)]
pub struct NewPair {
    /// Both halves, sealed.
    pub sealed: Vec<u8>,
    /// The half that receivers hold.
    pub public: [u8; 32],
}

/// A fresh key pair of an application.
///
/// # Errors
/// When the machine has no random bytes.
pub fn new_pair(sealer: &Sealer, application: &str) -> Result<NewPair, SealError> {
    let seed = Zeroizing::new(random::<32>()?);
    let pair =
        SigningKey::from_seed(&seed).map_err(|_every_seed_is_good| SealError::NoRandomness)?;
    let context = pair_context(application);
    let text = pair.to_secret();
    let sealed =
        sealer.seal(Purpose::WebhookSecret, text.expose().as_bytes(), context.as_bytes())?;
    Ok(NewPair { sealed, public: *pair.public().as_bytes() })
}

/// The place for which a key pair is sealed.
fn pair_context(application: &str) -> String {
    format!("applications.webhook_key:{application}")
}

/// What signs the attempts to one endpoint, opened.
#[derive(Debug)]
pub(crate) struct Keys {
    secrets: Vec<WebhookSecret>,
    pair: Option<SigningKey>,
}

impl Keys {
    /// Opens what signs at `now`.
    ///
    /// # Errors
    /// Which of them does not open, and why.
    pub(crate) fn open(
        sealer: &Sealer,
        application: &str,
        endpoint: &Endpoint,
        now: Timestamp,
    ) -> Result<Self, String> {
        let context = secret_context(application);
        let read = |sealed: &[u8]| -> Result<WebhookSecret, String> {
            let text = open(sealer, sealed, &context, "secret")?;
            text.parse().map_err(|error| format!("the endpoint's secret: {error}"))
        };
        let mut secrets = vec![read(&endpoint.secret_sealed)?];
        if let Some(previous) = &endpoint.previous_sealed
            && endpoint.previous_until.is_none_or(|until| now < until)
        {
            secrets.push(read(previous)?);
        }
        let pair = endpoint.pair_sealed.as_ref().map(|sealed| -> Result<SigningKey, String> {
            let text = open(sealer, sealed, &pair_context(application), "key pair")?;
            text.parse().map_err(|error| format!("the endpoint's key pair: {error}"))
        });
        Ok(Self { secrets, pair: pair.transpose()? })
    }

    /// The request of one attempt at `now`.
    pub(crate) fn request(&self, message: &Message<'_>, now: Timestamp) -> Request {
        let secrets: Vec<&WebhookSecret> = self.secrets.iter().collect();
        build(message, &Signers { secrets: &secrets, pair: self.pair.as_ref() }, now)
    }
}

fn open(
    sealer: &Sealer,
    sealed: &[u8],
    context: &str,
    what: &str,
) -> Result<Zeroizing<String>, String> {
    let opened = sealer
        .open(Purpose::WebhookSecret, sealed, context.as_bytes())
        .map_err(|error| format!("the endpoint's {what} does not open: {error}"))?;
    String::from_utf8(opened)
        .map(Zeroizing::new)
        .map_err(|error| format!("the endpoint's {what} is no text: {}", error.utf8_error()))
}
