//! Base62 in the order `0-9A-Za-z`, most significant digit first, zero-padded to a fixed width.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The value of each byte as a digit, or 255 for a byte that is not a digit.
const VALUES: [u8; 256] = {
    let mut values = [255; 256];
    let mut digit = 0;
    while digit < 62 {
        values[DIGITS[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

/// Returns the digit for a value below 62.
pub(crate) fn digit(value: u8) -> u8 {
    DIGITS[usize::from(value)]
}

/// Returns whether all bytes are base62 digits. It does not stop at the first that is not, so that
/// the compiler can check many bytes at a time.
pub(crate) fn are_digits<const N: usize>(text: &[u8; N]) -> bool {
    text.iter().fold(true, |all, byte| all & byte.is_ascii_alphanumeric())
}

/// Writes `value` into all of `out`, zero-padded. High digits that do not fit are lost, so `out`
/// must be large enough: 22 digits hold 128 bits, 6 digits hold 32.
pub(crate) fn encode(mut value: u128, out: &mut [u8]) {
    for place in out.iter_mut().rev() {
        *place = DIGITS[(value % 62) as usize];
        value /= 62;
    }
}

/// Packs 43 digits into six bits each. The last six bits are zero.
///
/// Different texts yield different bytes, if all characters are digits.
pub(crate) fn pack(text: &[u8; 43], out: &mut [u8; 33]) {
    let bits = |digits: &[u8]| {
        digits.iter().fold(0, |bits, digit| bits << 6 | u64::from(VALUES[usize::from(*digit)]))
    };
    let (groups, last) = text.as_chunks::<8>();
    let (packed, rest) = out.as_chunks_mut::<6>();
    for (group, packed) in groups.iter().zip(packed) {
        packed.copy_from_slice(&bits(group).to_be_bytes()[2..]);
    }
    rest.copy_from_slice(&(bits(last) << 6).to_be_bytes()[5..]);
}

/// Reads 22 digits. Returns `None` if a byte is not a digit, or if the value is 2^128 or more.
pub(crate) fn decode(text: &[u8; 22]) -> Option<u128> {
    // Ten digits fit into a `u64`, which is faster to compute with than a `u128`.
    let (first, rest) = text.split_first_chunk::<10>()?;
    let (second, rest) = rest.split_first_chunk::<10>()?;
    let last: &[u8; 2] = rest.try_into().ok()?;
    let high = u128::from(part(first)?) * u128::from(62_u64.pow(10)) + u128::from(part(second)?);
    high.checked_mul(62 * 62)?.checked_add(u128::from(part(last)?))
}

/// Reads at most ten digits. Returns `None` if a byte is not a digit.
pub(crate) fn part<const N: usize>(text: &[u8; N]) -> Option<u64> {
    const { assert!(N <= 10, "62^10 fits, 62^11 does not") };
    let (mut value, mut all) = (0_u64, 0_u8);
    let mut digit = |byte: u8| {
        let digit = VALUES[usize::from(byte)];
        all |= digit;
        u64::from(digit)
    };
    // Two digits at a time, so that the processor can compute several products at once.
    let (pairs, rest) = text.as_chunks::<2>();
    for [high, low] in pairs {
        let pair = digit(*high) * 62 + digit(*low);
        value = value.wrapping_mul(62 * 62).wrapping_add(pair);
    }
    for byte in rest {
        value = value.wrapping_mul(62).wrapping_add(digit(*byte));
    }
    // Only the value 255, which stands for "not a digit", has the highest bit set.
    (all < 128).then_some(value)
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
    fn largest_id_is_read_and_the_next_is_rejected() {
        let mut out = [0; 22];
        encode(u128::MAX, &mut out);
        assert_eq!(&out, b"7n42DGM5Tflk9n8mt7Fhc7");
        assert_eq!(decode(&out), Some(u128::MAX));
        assert_eq!(decode(b"7n42DGM5Tflk9n8mt7Fhc8"), None);
        assert_eq!(decode(b"zzzzzzzzzzzzzzzzzzzzzz"), None);
    }

    #[test]
    fn packed_digits_have_six_bits_each() {
        let packed = |text: &str| {
            let mut out = [0xFF; 33];
            pack(text.as_bytes().try_into().unwrap(), &mut out);
            out
        };
        assert_eq!(packed(&"0".repeat(43)), [0; 33]);
        let text = format!("1{}1{}z1z", "0".repeat(7), "0".repeat(31));
        let mut expected = [0; 33];
        expected[0] = 0b0000_0100;
        expected[6] = 0b0000_0100;
        expected[30..].copy_from_slice(&[0b1111_0100, 0b0001_1111, 0b0100_0000]);
        assert_eq!(packed(&text), expected);
    }

    proptest! {
        #[test]
        fn different_digits_are_packed_differently(
            one in "[0-9A-Za-z]{43}",
            place in 0_usize..43,
            digit in "[0-9A-Za-z]",
        ) {
            let packed = |text: &str| {
                let mut out = [0; 33];
                pack(text.as_bytes().try_into().unwrap(), &mut out);
                out
            };
            let mut other = one.clone();
            other.replace_range(place..=place, &digit);
            prop_assert_eq!(packed(&one) == packed(&other), one == other);
        }

        #[test]
        fn base62_round_trips(value: u128) {
            let mut out = [0; 22];
            encode(value, &mut out);
            prop_assert_eq!(decode(&out), Some(value));
        }
    }
}
