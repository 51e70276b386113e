//! The layout of a token's text: `<prefix>_<id><secret><checksum>`. Id, secret and checksum are 22,
//! 43 and 6 base62 characters.

use std::ops::Range;

use zeroize::Zeroizing;

use super::checksum::{self, Checksums};
use super::{Prefix, Secret, TokenId, TokenRef, base62};

/// The length of the part after the prefix and the underscore, in characters.
pub const BODY_LEN: usize = TokenId::TEXT_LEN + Secret::TEXT_LEN + checksum::LEN;

/// The maximum length of a token, in bytes. A longer text is rejected without looking at it.
pub const MAX_LEN: usize = Prefix::MAX_LEN + 1 + BODY_LEN;

/// Returns the places in a text at which a token's body may be: after a `_`, as many letters and
/// digits as a body has. The checksum is not verified, because it may be keyed.
pub fn find_bodies(text: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let underscores = text.iter().enumerate().filter(|(_, byte)| **byte == b'_');
    underscores.map(|(at, _)| at + 1..at + 1 + BODY_LEN).filter(|body| {
        let body = text.get(body.clone());
        body.is_some_and(|body| body.iter().all(u8::is_ascii_alphanumeric))
    })
}

/// Writes the text of a token. Every buffer that contains the secret is wiped.
pub(super) fn write(
    prefix: &Prefix,
    id: TokenId,
    secret: &Secret,
    checksums: &Checksums,
) -> Zeroizing<String> {
    let head = prefix.as_str().len() + 1;
    let mut text = Zeroizing::new(vec![0; head + BODY_LEN]);
    text[..head - 1].copy_from_slice(prefix.as_str().as_bytes());
    text[head - 1] = b'_';
    let (id_end, secret_end) = (head + TokenId::TEXT_LEN, head + BODY_LEN - checksum::LEN);
    id.write_base62(&mut text[head..id_end]);
    text[id_end..secret_end].copy_from_slice(secret.as_bytes());
    let (covered, checksum) = text.split_at_mut(secret_end);
    checksums.write(covered, checksum);
    let text = String::from_utf8(std::mem::take(&mut *text))
        .expect("a prefix, an underscore and base62 digits are ASCII");
    Zeroizing::new(text)
}

/// Reads a token with one of these prefixes. Returns `None` if the text is not such a token.
///
/// It does no I/O and allocates nothing. The cheap checks come first: length, then prefix, then
/// checksum, so that junk costs little.
pub(crate) fn read<'t>(
    text: &'t [u8],
    prefixes: &[Prefix],
    checksums: &Checksums,
) -> Option<TokenRef<'t>> {
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
    let covered = checksums.strip(text)?;
    if !base62::are_digits(secret) {
        return None;
    }
    Some(TokenRef::new(TokenId::read_base62(id)?, covered))
}
