//! The secrets of webhooks, and signatures as Standard Webhooks 1.0 defines them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use berth_base::clock::Random;

/// The prefix of a secret, before its base64.
const PREFIX: &str = "whsec_";
/// How many random bytes a secret has.
const BYTES: usize = 32;

/// A fresh secret: `whsec_` and the base64 of 32 random bytes.
pub fn generate(random: &dyn Random) -> String {
    let mut bytes = [0u8; BYTES];
    random.fill(&mut bytes);
    format!("{PREFIX}{}", STANDARD.encode(bytes))
}

/// A key that signs messages.
#[derive(Clone)]
pub struct Key(Vec<u8>);

impl Key {
    /// The key of a secret that [`generate`] made; `None` when the text has another form.
    pub fn of(secret: &str) -> Option<Self> {
        STANDARD.decode(secret.strip_prefix(PREFIX)?).ok().map(Self)
    }

    /// The signature of a message: `v1,` and the base64 of the HMAC-SHA256 of `id.seconds.body`.
    fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> Option<String> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).ok()?;
        mac.update(format!("{id}.{seconds}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

/// The value of the header `webhook-signature`: one signature for each key, so that the receiver needs to know only one
/// of them. `seconds` is the value of `webhook-timestamp`.
pub fn signature(keys: &[Key], id: &str, seconds: i64, body: &[u8]) -> String {
    keys.iter().filter_map(|key| key.sign(id, seconds, body)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may fail loudly")]
mod tests {
    use super::*;
    use berth_base::clock::SystemRandom;

    /// The test vector of the Standard Webhooks libraries.
    #[test]
    fn the_signature_is_the_one_of_the_specification() {
        let key = Key::of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let body = br#"{"test": 2432232314}"#;
        let signed = signature(&[key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn f99_every_valid_secret_signs() {
        let keys = [generate(&SystemRandom), generate(&SystemRandom)].map(|secret| Key::of(&secret).unwrap());
        let (one, both) = (signature(&keys[..1], "evt", 1, b"x"), signature(&keys, "evt", 1, b"x"));
        assert!(both.starts_with(&one) && both.matches("v1,").count() == 2, "{both}");
    }

    #[test]
    fn a_secret_has_32_random_bytes() {
        let secret = generate(&SystemRandom);
        assert_eq!(STANDARD.decode(secret.strip_prefix(PREFIX).unwrap()).unwrap().len(), BYTES);
        assert_ne!(secret, generate(&SystemRandom));
        assert!(Key::of("secret").is_none());
    }
}
