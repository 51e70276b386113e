//! The format of a token (rules 7 and 8).

/// The number of characters after the prefix and its `_`: 22 for the id, 43 for the secret and 6
/// for the checksum.
pub const BODY_LEN: usize = 22 + 43 + 6;

/// Returns whether a text is a `b64token` (RFC 6750, section 2.1):
/// `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`.
#[must_use]
pub fn is_b64token(text: &[u8]) -> bool {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    end > 0
        && text[..end].iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte))
}

/// Returns whether a text has the format of a token with this prefix, including the checksum.
#[must_use]
pub fn is_token(text: &[u8], prefix: &str) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let Some(body) = text.strip_prefix(prefix).and_then(|text| text.strip_prefix('_')) else {
        return false;
    };
    if body.len() != BODY_LEN || !body.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return false;
    }
    // The base62 digits are in ASCII order. Texts of equal length therefore compare like their
    // values.
    let largest_id = base62(u128::MAX, 22);
    let (sealed, sum) = text.split_at(text.len() - 6);
    body[..22] <= *largest_id && sum == checksum(sealed.as_bytes())
}

/// Returns the text of the token with this id and secret.
#[must_use]
pub fn assemble(prefix: &str, id: u128, secret: &str) -> String {
    let sealed = format!("{prefix}_{}{secret}", base62(id, 22));
    let sum = checksum(sealed.as_bytes());
    sealed + &sum
}

/// Returns the CRC-32 (IEEE 802.3) of a text as six base62 digits. It is computed bit by bit.
#[must_use]
pub fn checksum(text: &[u8]) -> String {
    let mut register = u32::MAX;
    for byte in text {
        register ^= u32::from(*byte);
        for _ in 0..8 {
            let carry = register & 1;
            register >>= 1;
            if carry == 1 {
                register ^= 0xEDB8_8320;
            }
        }
    }
    base62(u128::from(!register), 6)
}

/// Returns a value as `digits` base62 digits (`0-9A-Za-z`), most significant digit first.
#[must_use]
pub fn base62(mut value: u128, digits: usize) -> String {
    let alphabet: Vec<char> = ('0'..='9').chain('A'..='Z').chain('a'..='z').collect();
    let mut text = vec!['0'; digits];
    for digit in text.iter_mut().rev() {
        *digit = alphabet[(value % 62) as usize];
        value /= 62;
    }
    text.into_iter().collect()
}
