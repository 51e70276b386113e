//! Secret keys for HMAC-SHA-256.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A key for HMAC-SHA-256, kept as the state of the algorithm after it has processed the key. That
/// saves two blocks of SHA-256 for each tag.
///
/// The state is wiped when it is dropped, and never printed.
#[derive(Clone)]
pub(crate) struct HmacKey(Hmac<Sha256>);

impl HmacKey {
    /// The minimum length of a key, in bytes. A shorter key might be guessed.
    const MIN_LEN: usize = 32;

    /// Creates a key from its bytes. If there are too few bytes, returns their number as the error.
    pub(crate) fn new(key: impl Into<Vec<u8>>) -> Result<Self, usize> {
        let key = Zeroizing::new(key.into());
        if key.len() < Self::MIN_LEN {
            return Err(key.len());
        }
        Ok(Self(Hmac::new_from_slice(&key).expect("HMAC takes a key of any length")))
    }

    /// Computes the tag of a message, which is the concatenation of its parts. Messages with the
    /// same concatenation have the same tag, even if they are split differently.
    pub(crate) fn tag(&self, message: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in message {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HmacKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tag_matches_rfc_4231() {
        // Test case 6: a key longer than a block.
        let key = HmacKey::new([0xAA; 131]).unwrap();
        let tag = key.tag(&[b"Test Using Larger Than Block-Size Key", b" - Hash Key First"]);
        let tag = crate::hex::encode(&tag);
        assert_eq!(tag, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
        assert_eq!(HmacKey::new([0; 31]).unwrap_err(), 31);
    }
}
