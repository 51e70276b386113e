//! Digests: the one-way hashes of tokens that a store keeps in place of their secrets.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::pepper::{KeyId, KeyIdError, Pepper};
use crate::token::TokenRef;

mod digester;
mod message;

pub(crate) use digester::{Digester, SecretMatch};
use message::Message;

/// The digest of a token: a one-way hash that a store keeps in place of the secret.
///
/// Each digest carries the name of its algorithm:
///
/// | algorithm | covers | under a pepper |
/// |---|---|---|
/// | `sha256-v1` | prefix, id and secret | no |
/// | `hmac-sha256-v1:<key id>` | prefix, id and secret | yes |
///
/// The number is the version of the bytes that the digest covers, so that a later version can cover
/// others.
///
/// A digest binds a token to the prefix and the id that it was issued with. As a result, a token
/// cannot be relabelled for another application that shares the store. Digests without a pepper and
/// of a retired pepper keep working. They are replaced when their token is used.
///
/// The type has no `==`, because a comparison must take constant time: see [`ct_eq`](Self::ct_eq).
///
/// ```
/// use hallpass_core::Digest;
///
/// let digest = Digest::from_parts("hmac-sha256-v1:2026", &[7; 32]).unwrap();
/// assert_eq!(digest.algorithm(), "hmac-sha256-v1:2026");
/// assert_eq!(format!("{digest:?}"), "Digest(hmac-sha256-v1:2026)");
/// ```
#[derive(Clone)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: [u8; 32],
}

/// The algorithm of a digest. An HMAC carries its whole name, which ends with the key id.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Algorithm {
    Sha256,
    HmacSha256(Arc<str>),
}

const SHA256: &str = "sha256-v1";
const HMAC_SHA256: &str = "hmac-sha256-v1:";

impl Algorithm {
    fn parse(name: &str) -> Result<Self, DigestError> {
        if let Some(key) = name.strip_prefix(HMAC_SHA256) {
            key.parse::<KeyId>()?;
            return Ok(Self::HmacSha256(name.into()));
        }
        match name {
            SHA256 => Ok(Self::Sha256),
            _ => Err(DigestError::Algorithm(name.to_owned())),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Sha256 => SHA256,
            Self::HmacSha256(name) => name,
        }
    }

    /// Returns the key id of the pepper, if the algorithm uses one.
    fn key_id(&self) -> Option<&str> {
        match self {
            Self::Sha256 => None,
            Self::HmacSha256(name) => Some(&name[HMAC_SHA256.len()..]),
        }
    }
}

impl Digest {
    /// Creates a digest from the [`algorithm`](Self::algorithm) and the [`bytes`](Self::bytes) that
    /// a store has kept.
    ///
    /// # Errors
    ///
    /// Returns [`DigestError::Algorithm`] if this version does not support the algorithm,
    /// [`DigestError::KeyId`] if the key id is invalid, and [`DigestError::Length`] if there are
    /// not exactly 32 bytes.
    pub fn from_parts(algorithm: &str, bytes: &[u8]) -> Result<Self, DigestError> {
        let bytes = bytes.try_into().map_err(|_| DigestError::Length(bytes.len()))?;
        Ok(Self { algorithm: Algorithm::parse(algorithm)?, bytes })
    }

    /// Returns a placeholder for the digest of a token without a secret. No known text has this
    /// hash.
    pub(crate) fn unmatchable() -> Self {
        Self { bytes: [0; 32], algorithm: Algorithm::Sha256 }
    }

    /// Computes the digest of a token without a pepper.
    pub(crate) fn without_pepper(token: TokenRef<'_>) -> Self {
        Self { bytes: hash(token, None), algorithm: Algorithm::Sha256 }
    }

    /// Returns the name of the algorithm, with the key id if there is one.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.algorithm.name()
    }

    /// Returns the 32 bytes, for a store to keep.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Returns whether both digests are equal. Digests of the same algorithm are compared in
    /// constant time.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && bytes_ct_eq(&self.bytes, &other.bytes)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.algorithm())
    }
}

/// The error for data that is not a valid digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// This version does not support the algorithm.
    #[error("unknown digest algorithm {0:?}: was the record written by a newer version?")]
    Algorithm(String),
    /// The digest does not have exactly 32 bytes.
    #[error("a digest has 32 bytes, but this one has {0}")]
    Length(usize),
    /// The text is not what [`Digest::to_text`] writes.
    #[error(
        "write a digest as its algorithm, such as `sha256-v1`, then `:` and 64 hexadecimal digits"
    )]
    Text,
    /// The key id is invalid.
    #[error(transparent)]
    KeyId(#[from] KeyIdError),
}

/// Hashes a token, under a pepper if there is one.
fn hash(token: TokenRef<'_>, pepper: Option<&Pepper>) -> [u8; 32] {
    let message = Message::of(token);
    match pepper {
        None => Sha256::digest(message.as_bytes()).into(),
        Some(pepper) => pepper.tag(message.as_bytes()),
    }
}

/// Compares in constant time, eight bytes at a time.
fn bytes_ct_eq(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let words = |bytes: &[u8; 32]| {
        let (words, _) = bytes.as_chunks::<8>();
        [words[0], words[1], words[2], words[3]].map(u64::from_ne_bytes)
    };
    words(one)[..].ct_eq(&words(other)[..]).into()
}
