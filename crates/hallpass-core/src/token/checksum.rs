//! The last six characters of a token: they catch typing errors and, under a key of the host's,
//! made-up tokens.

use std::fmt;

use super::base62;
use crate::hmac_key::HmacKey;

/// How many characters the checksum takes.
pub(super) const LEN: usize = 6;

/// What the tag of a checksum covers in front of the token's text. A digest covers another text, so
/// a host that uses one key for both does not publish a part of the digest in the checksum.
const DOMAIN: &[u8] = b"hallpass checksum v1:";

/// A key under which the checksums of tokens are made, so that only the host can make tokens that
/// look valid.
///
/// It has at least 32 bytes. It is wiped when it is dropped, and never printed.
#[derive(Clone)]
pub struct ChecksumKey(HmacKey);

/// The checksum key is too short.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a checksum key needs at least 32 bytes, but this one has {0}: create one with `openssl rand -hex 32`"
)]
pub struct ChecksumKeyError(usize);

impl ChecksumKey {
    /// Takes the key's bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if there are fewer than 32 bytes.
    pub fn new(key: impl Into<Vec<u8>>) -> Result<Self, ChecksumKeyError> {
        HmacKey::new(key).map(Self).map_err(ChecksumKeyError)
    }

    /// Computes the value of the six characters: 35 bits of an HMAC-SHA-256 tag.
    fn checksum(&self, text: &[u8]) -> u64 {
        let tag = self.0.tag(&[DOMAIN, text]);
        let (first, _) = tag.split_first_chunk().expect("a tag has 32 bytes");
        // The remainder favours some values by less than one in 2^28, which helps nobody.
        u64::from_be_bytes(*first) % 62_u64.pow(LEN as u32)
    }
}

impl fmt::Debug for ChecksumKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChecksumKey(..)")
    }
}

/// How checksums are made, and which ones are accepted.
#[derive(Debug)]
pub(crate) struct Checksums {
    /// The first key is the current one. Without any, checksums are CRC-32.
    keys: Vec<ChecksumKey>,
    accept_unkeyed: bool,
}

impl Checksums {
    /// Plain CRC-32, which anybody can compute.
    pub(crate) const UNKEYED: Self = Self { keys: Vec::new(), accept_unkeyed: true };

    /// Makes checksums under the first key, and accepts those of every key. `accept_unkeyed`
    /// accepts CRC-32 as well, which tokens have that were issued before there was a key.
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

/// CRC-32 (IEEE): it finds every typing error in one place, and nearly every truncation.
fn crc32(text: &[u8]) -> u64 {
    u64::from(crc32fast::hash(text))
}
