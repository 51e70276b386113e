//! The bytes that a digest covers.

use zeroize::Zeroizing;

use crate::token::{Prefix, Secret, TokenId, TokenRef, base62};

/// The bytes that a digest covers: the id, the packed secret, and the prefix.
///
/// Id and secret have fixed lengths, so different tokens never have the same message. With a prefix
/// of at most six characters, the message fits into one block of SHA-256. The token's own text
/// would need two.
///
/// A message has 50 to 65 bytes. The message of a keyed checksum has at least 88. So a host that
/// uses the same key for both does not reveal a part of a digest in a checksum.
pub(super) struct Message {
    /// The secret is wiped when the message is dropped.
    bytes: Zeroizing<[u8; FIXED + Prefix::MAX_LEN]>,
    len: usize,
}

/// The length of id and secret.
const FIXED: usize = size_of::<TokenId>() + Secret::PACKED_LEN;

impl Message {
    pub(super) fn of(token: TokenRef<'_>) -> Self {
        let mut bytes = Zeroizing::new([0; FIXED + Prefix::MAX_LEN]);
        let (id, rest) = bytes.split_first_chunk_mut().expect("there is room for the id");
        *id = *token.id().as_uuid().as_bytes();
        let (secret, rest) = rest.split_first_chunk_mut().expect("there is room for the secret");
        base62::pack(token.secret(), secret);
        let prefix = token.prefix();
        rest[..prefix.len()].copy_from_slice(prefix);
        Self { bytes, len: FIXED + prefix.len() }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}
