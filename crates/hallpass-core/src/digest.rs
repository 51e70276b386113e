//! What a store keeps of a secret: a digest that names its algorithm and key, and cannot be turned back.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::token::SecretRef;

/// The digest of a token's secret, as stores keep it.
///
/// It names how it was made, `sha256` or `hmac-sha256:<key id>`, so peppers rotate without a flag
/// day. There is no `==`: only [`Hallpass`](crate::Hallpass) compares digests, in constant time.
///
/// ```
/// use hallpass_core::Digest;
///
/// let digest = Digest::from_parts("hmac-sha256:2026", &[7; 32]).unwrap();
/// assert_eq!(digest.algorithm(), "hmac-sha256:2026");
/// assert_eq!(format!("{digest:?}"), "Digest(hmac-sha256:2026)");
/// ```
#[derive(Clone)]
pub struct Digest {
    /// The algorithm's whole name, if it is an HMAC under a key.
    hmac: Option<Arc<str>>,
    bytes: [u8; 32],
}

const SHA256: &str = "sha256";
const HMAC_SHA256: &str = "hmac-sha256:";

impl Digest {
    /// Takes back what a store kept: [`algorithm`](Self::algorithm) and [`bytes`](Self::bytes).
    ///
    /// # Errors
    ///
    /// An algorithm this version does not know, or a digest that is not 32 bytes long.
    pub fn from_parts(algorithm: &str, bytes: &[u8]) -> Result<Self, DigestError> {
        let bytes = bytes.try_into().map_err(|_| DigestError::Length(bytes.len()))?;
        let hmac = match algorithm.strip_prefix(HMAC_SHA256) {
            Some(key) => {
                key.parse::<KeyId>()?;
                Some(algorithm.into())
            }
            None if algorithm == SHA256 => None,
            None => return Err(DigestError::Algorithm(algorithm.to_owned())),
        };
        Ok(Self { hmac, bytes })
    }

    /// Of a secret, without a pepper.
    pub(crate) fn sha256(secret: SecretRef<'_>) -> Self {
        Self { hmac: None, bytes: sha256(secret) }
    }

    /// The name of the pepper it was made under, if it was.
    fn key(&self) -> Option<&str> {
        self.hmac.as_deref().map(|algorithm| &algorithm[HMAC_SHA256.len()..])
    }

    /// How it was made: `sha256`, or `hmac-sha256:` and the key id.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.hmac.as_deref().unwrap_or(SHA256)
    }

    /// The 32 bytes, for a store to keep.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Whether both are the same digest, in constant time for digests of one algorithm.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.hmac == other.hmac && bytes_ct_eq(&self.bytes, &other.bytes)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.algorithm())
    }
}

/// What a store kept is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// The algorithm is none that this version knows.
    #[error("unknown digest algorithm {0:?}: was the record written by a newer version?")]
    Algorithm(String),
    /// The digest has another length than 32 bytes.
    #[error("a digest has 32 bytes, this one {0}")]
    Length(usize),
    /// The text is not what [`Digest::to_text`] writes.
    #[error("a digest is written `sha256:` and 64 hexadecimal digits")]
    Text,
    /// The key id is not one.
    #[error(transparent)]
    KeyId(#[from] KeyIdError),
}

/// The name of a pepper: 1 to 32 of `A-Z a-z 0-9 . _ -`. It is stored beside each digest it made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(Box<str>);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is no key id. It is not repeated: it may be a key that was given in the id's place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key id is 1 to 32 letters, digits, dots, hyphens or underscores")]
pub struct KeyIdError(());

impl std::str::FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(KeyIdError(()))
        }
    }
}

/// A key of the application's own that digests are made under, kept outside the store: who steals
/// the store alone cannot even test a guess.
///
/// At least 32 bytes. Wiped when dropped, and never printed.
pub struct Pepper(Zeroizing<Vec<u8>>);

impl Pepper {
    /// Takes the key's bytes.
    ///
    /// # Errors
    ///
    /// Fewer than 32 bytes: a short key is guessed together with the token.
    pub fn new(key: impl Into<Vec<u8>>) -> Result<Self, PepperError> {
        let key = Zeroizing::new(key.into());
        if key.len() < 32 { Err(PepperError(key.len())) } else { Ok(Self(key)) }
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

/// The pepper is too short.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a pepper has at least 32 bytes, this one {0}: make one with `openssl rand -hex 32`")]
pub struct PepperError(usize);

/// Makes digests under the current pepper, and checks secrets against digests of any known one.
#[derive(Debug, Default)]
pub(crate) struct Digester {
    /// What new digests are made under; `None` means plain SHA-256.
    current: Option<(KeyId, Pepper)>,
    retired: Vec<(KeyId, Pepper)>,
}

impl Digester {
    pub(crate) fn new(current: Option<(KeyId, Pepper)>, retired: Vec<(KeyId, Pepper)>) -> Self {
        Self { current, retired }
    }

    pub(crate) fn digest(&self, secret: SecretRef<'_>) -> Digest {
        let hmac = self.current.as_ref().map(|(id, _)| format!("{HMAC_SHA256}{id}").into());
        Digest { hmac, bytes: self.hash(secret) }
    }

    /// The bytes of [`digest`](Self::digest) alone: as much work as to check a secret against it.
    pub(crate) fn hash(&self, secret: SecretRef<'_>) -> [u8; 32] {
        match &self.current {
            None => sha256(secret),
            Some((_, pepper)) => hmac_sha256(pepper, secret),
        }
    }

    /// Whether the digest was made of this secret: in constant time, and `false` for a key that is not known here.
    pub(crate) fn matches(&self, secret: SecretRef<'_>, stored: &Digest) -> bool {
        let computed = match stored.key() {
            None => sha256(secret),
            Some(key) => {
                match self.current.iter().chain(&self.retired).find(|(id, _)| *id.0 == *key) {
                    Some((_, pepper)) => hmac_sha256(pepper, secret),
                    None => {
                        tracing::error!(
                            target: "hallpass",
                            key_id = %key,
                            "a token's digest was made under a pepper this service was not given: \
                             add it with `retired_pepper`"
                        );
                        return false;
                    }
                }
            }
        };
        bytes_ct_eq(&computed, &stored.bytes)
    }

    /// Whether a digest is not what [`digest`](Self::digest) would make today.
    pub(crate) fn is_outdated(&self, stored: &Digest) -> bool {
        stored.key() != self.current.as_ref().map(|(id, _)| &*id.0)
    }
}

/// In constant time, eight bytes at a time.
fn bytes_ct_eq(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let words = |bytes: &[u8; 32]| {
        let (words, _) = bytes.as_chunks::<8>();
        [words[0], words[1], words[2], words[3]].map(u64::from_ne_bytes)
    };
    words(one)[..].ct_eq(&words(other)[..]).into()
}

fn sha256(secret: SecretRef<'_>) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn hmac_sha256(pepper: &Pepper, secret: SecretRef<'_>) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&pepper.0).expect("HMAC takes a key of any length");
    mac.update(secret.as_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Secret;

    fn pepper(byte: u8) -> Pepper {
        Pepper::new([byte; 32]).unwrap()
    }

    /// The first is the current one, the others are retired.
    fn digester(keys: &[(&str, u8)]) -> Digester {
        let mut keys = keys.iter().map(|(id, byte)| (id.parse().unwrap(), pepper(*byte)));
        Digester::new(keys.next(), keys.collect())
    }

    #[test]
    fn a_digest_proves_its_own_secret_only() {
        let (secret, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        for digester in [digester(&[]), digester(&[("a", 1)])] {
            let digest = digester.digest(secret.borrow());
            assert!(digester.matches(secret.borrow(), &digest));
            assert!(!digester.matches(other.borrow(), &digest));
        }
    }

    #[test]
    fn peppers_rotate_without_a_flag_day() {
        let secret = Secret::generate().unwrap();
        let plain = digester(&[]).digest(secret.borrow());
        let old = digester(&[("2025", 1)]).digest(secret.borrow());
        let both = digester(&[("2026", 2), ("2025", 1)]);
        assert!(both.matches(secret.borrow(), &plain) && both.is_outdated(&plain));
        assert!(both.matches(secret.borrow(), &old) && both.is_outdated(&old));
        let new = both.digest(secret.borrow());
        assert!(both.matches(secret.borrow(), &new) && !both.is_outdated(&new));
        assert!(
            !digester(&[("2025", 1)]).matches(secret.borrow(), &new),
            "an unknown key proves nothing"
        );
        assert!(
            !digester(&[("2026", 3)]).matches(secret.borrow(), &new),
            "nor another key of that name"
        );
    }

    #[test]
    fn a_digest_survives_the_store_and_a_strange_one_does_not() {
        let secret = Secret::generate().unwrap();
        let digest = digester(&[("k-1", 1)]).digest(secret.borrow());
        let kept = Digest::from_parts(digest.algorithm(), digest.bytes()).unwrap();
        assert!(kept.ct_eq(&digest));
        assert!(Digest::from_parts("md5", &[0; 32]).is_err());
        assert!(Digest::from_parts("sha256", &[0; 31]).is_err());
        assert!(Digest::from_parts("hmac-sha256:", &[0; 32]).is_err());
    }

    #[test]
    fn a_short_pepper_is_refused_and_none_is_printed() {
        assert!(Pepper::new("short").is_err());
        assert_eq!(format!("{:?}", pepper(65)), "Pepper(..)");
    }

    #[test]
    fn sha256_is_over_the_43_characters() {
        let secret = SecretRef::new(b"0000000000000000000000000000000000000000000");
        let hex: String = sha256(secret).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "b918b22a1581fedd39058065f00e6aad35bd561f20257151131a1ddcd21803de");
    }
}
