//! The text of a token: `<prefix>_<id><secret><checksum>`, 22 + 43 + 6 base62 characters behind the prefix.

use zeroize::Zeroizing;

use super::{Prefix, Secret, SecretRef, TokenId, base62};

const CHECKSUM_LEN: usize = 6;
pub(super) const BODY_LEN: usize = TokenId::TEXT_LEN + Secret::TEXT_LEN + CHECKSUM_LEN;

/// The longest text any token has, in bytes: what is longer is refused by its length alone.
pub(crate) const MAX_LEN: usize = Prefix::MAX_LEN + 1 + BODY_LEN;

/// The published pattern of a token with this prefix, for secret scanners: a match is worth a checksum.
pub(crate) fn pattern(prefix: &Prefix) -> String {
    format!("\\b{prefix}_[0-9A-Za-z]{{{BODY_LEN}}}\\b")
}

pub(super) fn write(prefix: &Prefix, id: TokenId, secret: &Secret) -> Zeroizing<String> {
    let head = prefix.as_str().len() + 1;
    let mut text = Zeroizing::new(vec![0; head + BODY_LEN]);
    text[..head - 1].copy_from_slice(prefix.as_str().as_bytes());
    text[head - 1] = b'_';
    let (id_end, secret_end) = (head + TokenId::TEXT_LEN, head + BODY_LEN - CHECKSUM_LEN);
    id.write_base62(&mut text[head..id_end]);
    text[id_end..secret_end].copy_from_slice(secret.as_bytes());
    let checksum = checksum(&text[..secret_end]);
    base62::encode(u128::from(checksum), &mut text[secret_end..]);
    let text = String::from_utf8(std::mem::take(&mut *text))
        .expect("a prefix, an underscore and base62 digits are ASCII");
    Zeroizing::new(text)
}

/// The id and the secret, if the text is a token of one of these prefixes. No I/O, no allocation,
/// and for a text of the wrong length not even a checksum.
pub(crate) fn read<'t>(text: &'t [u8], prefixes: &[Prefix]) -> Option<(TokenId, SecretRef<'t>)> {
    if text.len() > MAX_LEN {
        return None;
    }
    let head = text.len().checked_sub(BODY_LEN)?;
    let (mark, body) = text.split_at(head);
    let mark = mark.strip_suffix(b"_")?;
    if !prefixes.iter().any(|prefix| prefix.as_str().as_bytes() == mark) {
        return None;
    }
    let (id, rest) = body.split_first_chunk::<{ TokenId::TEXT_LEN }>()?;
    let (secret, _) = rest.split_first_chunk::<{ Secret::TEXT_LEN }>()?;
    if !has_checksum(text) || !base62::are_digits(secret) {
        return None;
    }
    Some((TokenId::read_base62(id)?, SecretRef::new(secret)))
}

/// Whether the last characters are the checksum of those before.
pub(super) fn has_checksum(text: &[u8]) -> bool {
    text.split_last_chunk::<CHECKSUM_LEN>()
        .is_some_and(|(before, sum)| base62::part(sum) == Some(u64::from(checksum(before))))
}

/// CRC-32 (IEEE) of everything before it: a typo or a truncation never reaches a store.
fn checksum(text: &[u8]) -> u32 {
    crc32fast::hash(text)
}
