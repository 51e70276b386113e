use std::fmt;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// Where a confirmation is sent.
pub(crate) const HEADER: &str = "hallpass-confirmation";

/// The longest confirmation that is looked at, in bytes.
const MAX_LEN: usize = 1024;

/// What a person typed to confirm a change: a password, a one-time code, or whatever the host asks
/// for.
///
/// It is 1 to 1024 bytes long and may hold any character. Wiped when dropped. `Debug` shows nothing
/// of it, and there is no `Display`, no `==`, no `Clone` and no `Serialize`: it leaves the program
/// where somebody wrote [`reveal`](Self::reveal) and nowhere else.
///
/// ```compile_fail
/// # fn leak(password: hallpass_axum::Confirmation) {
/// println!("{password}"); // a confirmation cannot be printed
/// # }
/// ```
///
/// ```compile_fail
/// # fn compare(password: hallpass_axum::Confirmation) -> bool {
/// password == "wonderland" // nor compared: that is for a password hash to do
/// # }
/// ```
pub struct Confirmation(Zeroizing<String>);

impl Confirmation {
    /// What was typed, for the check alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Confirmation(..)")
    }
}

/// What a request says in the header.
#[derive(Debug)]
pub(crate) enum Presented {
    /// Nothing, or the empty text.
    Absent,
    /// Nothing that can be read, and why.
    Malformed(&'static str),
    Given(Confirmation),
}

impl Presented {
    /// Takes it out of the headers, so that nobody behind prints it.
    pub(crate) fn take(headers: &mut HeaderMap) -> Self {
        let mut values = headers.get_all(HEADER).iter();
        let presented = match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(value), None) => Self::read(value.as_bytes()),
            (Some(_), Some(_)) => Self::Malformed("send one `Hallpass-Confirmation`, once"),
        };
        headers.remove(HEADER);
        presented
    }

    fn read(value: &[u8]) -> Self {
        /// Padding is nobody's mistake to make; a stray bit at the end is.
        const BASE64URL: GeneralPurpose = GeneralPurpose::new(
            &URL_SAFE,
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        if value.is_empty() {
            return Self::Absent;
        }
        if value.len() > MAX_LEN.div_ceil(3) * 4 {
            return Self::Malformed("a confirmation has at most 1024 bytes");
        }
        let mut bytes = Zeroizing::new(vec![0; MAX_LEN + 2]);
        let text = match BASE64URL.decode_slice(value, &mut bytes) {
            Ok(len) if len > MAX_LEN => {
                return Self::Malformed("a confirmation has at most 1024 bytes");
            }
            Ok(len) => std::str::from_utf8(&bytes[..len]).ok(),
            Err(_) => None,
        };
        match text {
            Some(text) => Self::Given(Confirmation(Zeroizing::new(text.to_owned()))),
            None => Self::Malformed("write `Hallpass-Confirmation` as base64url of the UTF-8 text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};

    use super::*;

    /// What is read of these values of the header; the error is one sentence.
    fn read(values: &[&[u8]]) -> Result<Option<String>, &'static str> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_bytes(value).unwrap());
        }
        let presented = Presented::take(&mut headers);
        assert!(headers.is_empty(), "nothing stays behind");
        match presented {
            Presented::Absent => Ok(None),
            Presented::Malformed(why) => Err(why),
            Presented::Given(confirmation) => Ok(Some(confirmation.reveal().to_owned())),
        }
    }

    #[test]
    fn what_was_typed_is_read_with_padding_and_without() {
        for typed in ["x", "ab", "abc", "wonderland", "pässwörd 🔑", "  ", "\0\n", "??>>~~"] {
            for sent in [BASE64_URL_SAFE.encode(typed), BASE64_URL_SAFE_NO_PAD.encode(typed)] {
                assert_eq!(read(&[sent.as_bytes()]), Ok(Some(typed.to_owned())), "{sent}");
            }
        }
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[b""]), Ok(None));
    }

    #[test]
    fn what_cannot_be_read_is_told_apart_from_what_is_wrong() {
        let standard = BASE64_STANDARD.encode("??>>~~");
        assert!(standard.contains('/') || standard.contains('+'));
        for bad in [
            standard.as_bytes(),
            b"A",
            b"d29uZGVybGFuZA===",
            b"d29uZGVybGFuZB",
            b"d29u ZGVy",
            b"\xff\xfe",
            b"=",
            BASE64_URL_SAFE.encode(b"\xff\xfe").as_bytes(),
            BASE64_URL_SAFE.encode(b"\xc0\xaf").as_bytes(),
        ] {
            let why = read(&[bad]).unwrap_err();
            assert!(why.contains("base64url"), "{why}");
        }
        assert!(read(&[b"YQ", b"YQ"]).unwrap_err().contains("once"));
        assert!(read(&[b"", b""]).unwrap_err().contains("once"));
    }

    #[test]
    fn it_is_bounded_before_it_is_decoded() {
        for (len, ok) in [(1023, true), (1024, true), (1025, false), (1026, false), (9_000, false)]
        {
            let typed = "x".repeat(len);
            for sent in [BASE64_URL_SAFE.encode(&typed), BASE64_URL_SAFE_NO_PAD.encode(&typed)] {
                match read(&[sent.as_bytes()]) {
                    Ok(read) => assert!(ok && read.as_ref() == Some(&typed), "{len}"),
                    Err(why) => assert!(!ok && why.contains("1024"), "{len}: {why}"),
                }
            }
        }
    }

    #[test]
    fn it_prints_nothing() {
        let Presented::Given(confirmation) = Presented::read(b"d29uZGVybGFuZA") else {
            panic!("it is one");
        };
        assert_eq!(format!("{confirmation:?}"), "Confirmation(..)");
        assert_eq!(format!("{:?}", Presented::Given(confirmation)), "Given(Confirmation(..))");
    }
}
