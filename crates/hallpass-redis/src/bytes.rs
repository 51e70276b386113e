//! Reading and writing bytes, one piece after the other.

use std::error::Error as StdError;

pub(crate) type Undecodable = Box<dyn StdError + Send + Sync>;

/// What is left to be read.
pub(crate) struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'b [u8], Undecodable> {
        let (taken, left) = self.0.split_at_checked(count).ok_or("a record that ends early")?;
        self.0 = left;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Undecodable> {
        Ok(self.take(N)?.try_into()?)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Undecodable> {
        self.array().map(|[byte]| byte)
    }

    /// A text behind its length.
    pub(crate) fn text(&mut self) -> Result<&'b str, Undecodable> {
        let mut length = usize::from(self.byte()?);
        if length >= LONG {
            length = (length - LONG) << 8 | usize::from(self.byte()?);
        }
        Ok(std::str::from_utf8(self.take(length)?)?)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fails unless everything was read.
    pub(crate) fn end(&self) -> Result<(), Undecodable> {
        if self.is_empty() { Ok(()) } else { Err("a record with something behind it".into()) }
    }
}

/// From this length on, a length takes two bytes, the first of them so much larger.
const LONG: usize = 0x80;

/// Writes a text behind its length. The longest that there is, a hundred of the longest scopes, has less than 2^15
/// bytes.
pub(crate) fn push_text(out: &mut Vec<u8>, text: &str) {
    let length = text.len();
    if length >= LONG {
        out.push((LONG | length >> 8) as u8);
    }
    out.push(length as u8);
    out.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_every_length_come_back() {
        for length in [0, 1, 127, 128, 255, 256, 1_000, 12_999, 32_767] {
            let text = "x".repeat(length);
            let mut out = Vec::new();
            push_text(&mut out, &text);
            push_text(&mut out, "next");
            let mut bytes = Bytes::new(&out);
            assert_eq!(bytes.text().unwrap(), text);
            assert!(bytes.end().is_err());
            assert_eq!(bytes.text().unwrap(), "next");
            bytes.end().unwrap();
            assert!(Bytes::new(&out[..length]).text().is_err(), "cut off");
        }
    }
}
