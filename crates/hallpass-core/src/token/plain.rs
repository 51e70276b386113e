//! Whole tokens, as they are shown to their owners.

use std::fmt;

use zeroize::Zeroizing;

use super::{Checksums, Prefix, Secret, TokenId, TokenRef, checksum, layout};

/// A whole token, to show to its owner once: `<prefix>_<id><secret><checksum>`.
///
/// The text is wiped when it is dropped. `Debug` shows only prefix and id, and there is no
/// `Display`, `==`, `Clone` or `Serialize`. So the only way to read the token is
/// [`reveal`](Self::reveal), which is easy to find in a review.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use hallpass_core::{Actor, Hallpass, NewToken};
/// # use hallpass_memory::MemoryStore;
///
/// let hallpass = Hallpass::builder(MemoryStore::new()).build();
/// let issued = hallpass.issue(&Actor::owner("alice"), NewToken::named("ci")).await.unwrap();
/// assert!(issued.token.reveal().starts_with("hp_"));
/// assert_eq!(format!("{:?}", issued.token), format!("PlainToken(hp_{}...)", &issued.token.reveal()[3..25]));
/// # }
/// ```
///
/// ```compile_fail
/// # fn leak(token: hallpass_core::PlainToken) {
/// println!("{token}"); // a token cannot be printed
/// # }
/// ```
pub struct PlainToken {
    text: Zeroizing<String>,
    id: TokenId,
}

impl PlainToken {
    /// Creates a token from its parts.
    pub(crate) fn assemble(
        prefix: &Prefix,
        id: TokenId,
        secret: &Secret,
        checksums: &Checksums,
    ) -> Self {
        Self { text: layout::write(prefix, id, secret, checksums), id }
    }

    pub(crate) fn borrow(&self) -> TokenRef<'_> {
        let covered = self.text.len() - checksum::LEN;
        TokenRef::new(self.id, &self.text.as_bytes()[..covered])
    }

    /// Returns the token's text. Show it only to the token's owner.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let public = self.text.len() - checksum::LEN - Secret::TEXT_LEN;
        write!(f, "PlainToken({}...)", &self.text[..public])
    }
}
