//! The checksum of a token: its last six characters. It detects typing errors. If the host sets a
//! key, it also detects forged tokens.

use std::fmt;

use super::base62;
use crate::hmac_key::HmacKey;

/// The length of a checksum, in characters.
pub(super) const LEN: usize = 6;

/// The text that is hashed before the token's own text for a keyed checksum. Digests use a
/// different text. So if a host uses the same key for both, a checksum does not reveal a part of
/// the digest.
const DOMAIN: &[u8] = b"hallpass checksum v1:";

/// A secret key for the checksums of tokens. With it, only the host can create tokens with a valid
/// checksum.
///
/// A key has at least 32 bytes. It is wiped when it is dropped, and never printed.
#[derive(Clone)]
pub struct ChecksumKey(HmacKey);

/// The error for a checksum key that is too short.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a checksum key needs at least 32 bytes, but this one has {0}: create one with `openssl rand -hex 32`"
)]
pub struct ChecksumKeyError(usize);

impl ChecksumKey {
    /// Creates a key from its bytes.
    ///
    /// # Errors
    ///
    /// Returns [`ChecksumKeyError`] if there are fewer than 32 bytes.
    pub fn new(key: impl Into<Vec<u8>>) -> Result<Self, ChecksumKeyError> {
        HmacKey::new(key).map(Self).map_err(ChecksumKeyError)
    }

    /// Computes the value of a keyed checksum: 35 bits of an HMAC-SHA-256 tag.
    fn checksum(&self, text: &[u8]) -> u64 {
        let tag = self.0.tag(&[DOMAIN, text]);
        let (first, _) = tag.split_first_chunk().expect("a tag has 32 bytes");
        // The remainder favours some values by less than one in 2^28, which is too little to
        // exploit.
        u64::from_be_bytes(*first) % 62_u64.pow(LEN as u32)
    }
}

impl fmt::Debug for ChecksumKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChecksumKey(..)")
    }
}

/// The settings for checksums: how new ones are computed, and which ones are accepted.
#[derive(Debug)]
pub(crate) struct Checksums {
    /// The keys. The first one is current. If there is no key, checksums are CRC-32.
    keys: Vec<ChecksumKey>,
    accept_unkeyed: bool,
}

impl Checksums {
    /// Checksums without a key, which are CRC-32. Anybody can compute them.
    pub(crate) const UNKEYED: Self = Self { keys: Vec::new(), accept_unkeyed: true };

    /// Creates settings that use the first key for new tokens, and accept checksums of every key.
    /// With `accept_unkeyed`, CRC-32 is accepted as well, for tokens from before there was a key.
    pub(crate) fn keyed(keys: Vec<ChecksumKey>, accept_unkeyed: bool) -> Self {
        Self { keys, accept_unkeyed }
    }

    /// Writes the checksum of `text`.
    pub(super) fn write(&self, text: &[u8], out: &mut [u8]) {
        let checksum =
            self.keys.first().map_or_else(|| crc32(text), |current| current.checksum(text));
        base62::encode(u128::from(checksum), out);
    }

    /// Returns `text` without its last six characters, if those are its checksum.
    pub(super) fn strip<'t>(&self, text: &'t [u8]) -> Option<&'t [u8]> {
        let (text, written) = text.split_last_chunk::<LEN>()?;
        let written = base62::part(written)?;
        let is_valid = self.keys.iter().any(|key| key.checksum(text) == written)
            || (self.accept_unkeyed && crc32(text) == written);
        is_valid.then_some(text)
    }
}

/// Computes CRC-32 (IEEE). It detects every error in a single character, and nearly every
/// truncation.
fn crc32(text: &[u8]) -> u64 {
    u64::from(crc32fast::hash(text))
}
