//! Base62 in the order `0-9A-Za-z`, most significant digit first, zero-padded to a fixed width.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The value of each byte as a digit; 255 for a byte that is none.
const VALUES: [u8; 256] = {
    let mut values = [255; 256];
    let mut digit = 0;
    while digit < 62 {
        values[DIGITS[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

/// The digit for a value below 62.
pub(crate) fn digit(value: u8) -> u8 {
    DIGITS[usize::from(value)]
}

/// Whether the byte is a base62 digit.
pub(crate) fn is_digit(byte: u8) -> bool {
    VALUES[usize::from(byte)] != 255
}

/// Writes `value` into all of `out`, zero-padded. What does not fit is cut off at the top, so the
/// caller sizes `out` for the type: 22 digits hold 128 bits, 6 hold 32.
pub(crate) fn encode(mut value: u128, out: &mut [u8]) {
    for place in out.iter_mut().rev() {
        *place = DIGITS[(value % 62) as usize];
        value /= 62;
    }
}

/// Reads all of `text`; `None` for a byte that is no digit or a value of 2^128 or more.
pub(crate) fn decode(text: &[u8]) -> Option<u128> {
    // Ten digits fit a u64, so most of the work is done in one register, not two.
    let mut value: u128 = 0;
    for chunk in text.chunks(10) {
        let mut part: u64 = 0;
        let mut scale: u64 = 1;
        for &byte in chunk {
            let digit = VALUES[usize::from(byte)];
            if digit == 255 {
                return None;
            }
            part = part * 62 + u64::from(digit);
            scale *= 62;
        }
        value = value.checked_mul(u128::from(scale))?.checked_add(u128::from(part))?;
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn digits_are_ordered_and_padded() {
        let mut out = [0; 4];
        encode(61, &mut out);
        assert_eq!(&out, b"000z");
        encode(62, &mut out);
        assert_eq!(&out, b"0010");
    }

    #[test]
    fn the_largest_id_is_read_and_the_next_is_refused() {
        let mut out = [0; 22];
        encode(u128::MAX, &mut out);
        assert_eq!(&out, b"7n42DGM5Tflk9n8mt7Fhc7");
        assert_eq!(decode(&out), Some(u128::MAX));
        assert_eq!(decode(b"7n42DGM5Tflk9n8mt7Fhc8"), None);
        assert_eq!(decode(b"zzzzzzzzzzzzzzzzzzzzzz"), None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(value: u128) {
            let mut out = [0; 22];
            encode(value, &mut out);
            prop_assert_eq!(decode(&out), Some(value));
        }
    }
}
