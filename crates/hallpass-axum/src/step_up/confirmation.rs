//! The text with which a person confirms a change, and the header that carries it.

use std::fmt;

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// The request header that contains the confirmation.
pub(crate) const HEADER: &str = "hallpass-confirmation";

/// The maximum length of a confirmation, in bytes.
const MAX_LEN: usize = 1024;

/// A text that a person typed to confirm a change: a password, a one-time code, or whatever else
/// the host requires.
///
/// It is 1 to 1024 bytes long and may contain any character. It is overwritten when dropped.
/// `Debug` does not print it, and it does not implement `Display`, `PartialEq`, `Clone` or
/// `Serialize`. So only [`reveal`](Self::reveal) gives access to it.
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
    /// Returns the typed text. Use it for the check alone.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Removes the confirmation from the headers, so that no inner service logs it. Returns `None`
    /// if the header is absent or empty.
    ///
    /// # Errors
    ///
    /// Returns the reason if the header cannot be read.
    pub(crate) fn take(headers: &mut HeaderMap) -> Result<Option<Self>, &'static str> {
        let mut values = headers.get_all(HEADER).iter();
        let confirmation = match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) if value.is_empty() => Ok(None),
            (Some(value), None) => Self::read(value.as_bytes()).map(Some),
            (Some(_), Some(_)) => Err("send the header `Hallpass-Confirmation` only once"),
        };
        headers.remove(HEADER);
        confirmation
    }

    fn read(value: &[u8]) -> Result<Self, &'static str> {
        /// Accepts base64 with and without padding, but no stray bits at the end.
        const BASE64URL: GeneralPurpose = GeneralPurpose::new(
            &URL_SAFE,
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        const TOO_LONG: &str = "a confirmation has at most 1024 bytes";
        if value.len() > MAX_LEN.div_ceil(3) * 4 {
            return Err(TOO_LONG);
        }
        let mut bytes = Zeroizing::new(vec![0; MAX_LEN + 2]);
        let text = match BASE64URL.decode_slice(value, &mut bytes) {
            Ok(len) if len > MAX_LEN => return Err(TOO_LONG),
            Ok(len) => std::str::from_utf8(&bytes[..len]).ok(),
            Err(_) => None,
        };
        let text = text.ok_or("write `Hallpass-Confirmation` as base64url of the UTF-8 text")?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Confirmation(..)")
    }
}
