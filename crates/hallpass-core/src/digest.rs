//! Digests: what a store keeps of a token. A digest names its algorithm and key, and cannot be
//! reversed.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::hmac_key::HmacKey;
use crate::token::TokenRef;

/// The digest of a token, as stores keep it.
///
/// It names how it was made:
///
/// | algorithm | covers | under a pepper |
/// |---|---|---|
/// | `sha256-v2` | prefix, id and secret | no |
/// | `hmac-sha256-v2:<key id>` | prefix, id and secret | yes |
/// | `sha256` | the secret alone | no |
/// | `hmac-sha256:<key id>` | the secret alone | yes |
///
/// New digests are of version 2, so that a token works only with the prefix and the id that it was
/// issued with: nobody can relabel it for another application that shares the store. Digests of
/// version 1 keep working, and are replaced when their token is used. So are those of a retired
/// pepper.
///
/// There is no `==`: only [`Hallpass`](crate::Hallpass) compares digests, in constant time.
///
/// ```
/// use hallpass_core::Digest;
///
/// let digest = Digest::from_parts("hmac-sha256-v2:2026", &[7; 32]).unwrap();
/// assert_eq!(digest.algorithm(), "hmac-sha256-v2:2026");
/// assert_eq!(format!("{digest:?}"), "Digest(hmac-sha256-v2:2026)");
/// ```
#[derive(Clone)]
pub struct Digest {
    algorithm: Algorithm,
    bytes: [u8; 32],
}

/// How a digest was made. An HMAC carries its whole name, which ends with the key id.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Algorithm {
    Sha256,
    HmacSha256(Arc<str>),
    Sha256V2,
    HmacSha256V2(Arc<str>),
}

const SHA256: &str = "sha256";
const HMAC_SHA256: &str = "hmac-sha256:";
const SHA256_V2: &str = "sha256-v2";
const HMAC_SHA256_V2: &str = "hmac-sha256-v2:";

/// What a digest of version 2 covers in front of the token's text. It keeps digests apart from
/// checksums, and from whatever else the host makes under the same key.
///
/// With it, the message has at most 101 bytes, which SHA-256 reads in two blocks.
const DOMAIN: &[u8] = b"hallpass digest v2:";

impl Algorithm {
    fn parse(name: &str) -> Result<Self, DigestError> {
        let hmac = |key: &str| key.parse::<KeyId>().map(|_| name.into());
        if let Some(key) = name.strip_prefix(HMAC_SHA256_V2) {
            return Ok(Self::HmacSha256V2(hmac(key)?));
        }
        if let Some(key) = name.strip_prefix(HMAC_SHA256) {
            return Ok(Self::HmacSha256(hmac(key)?));
        }
        match name {
            SHA256_V2 => Ok(Self::Sha256V2),
            SHA256 => Ok(Self::Sha256),
            _ => Err(DigestError::Algorithm(name.to_owned())),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Sha256 => SHA256,
            Self::Sha256V2 => SHA256_V2,
            Self::HmacSha256(name) | Self::HmacSha256V2(name) => name,
        }
    }

    /// The name of the pepper, if there is one.
    fn key_id(&self) -> Option<&str> {
        match self {
            Self::Sha256 | Self::Sha256V2 => None,
            Self::HmacSha256(name) => Some(&name[HMAC_SHA256.len()..]),
            Self::HmacSha256V2(name) => Some(&name[HMAC_SHA256_V2.len()..]),
        }
    }

    /// The parts of the token that are hashed.
    fn message<'t>(&self, token: TokenRef<'t>) -> [&'t [u8]; 2] {
        match self {
            Self::Sha256 | Self::HmacSha256(_) => [&[], token.secret()],
            // The encoding is unambiguous: see `TokenRef::text`.
            Self::Sha256V2 | Self::HmacSha256V2(_) => [DOMAIN, token.text()],
        }
    }

    /// Hashes a token under the pepper that the algorithm names, if it names one.
    fn hash(&self, token: TokenRef<'_>, pepper: Option<&Pepper>) -> [u8; 32] {
        let message = self.message(token);
        match pepper {
            None => {
                let mut hash = Sha256::new();
                message.iter().for_each(|part| hash.update(part));
                hash.finalize().into()
            }
            Some(pepper) => pepper.0.tag(&message),
        }
    }
}

impl Digest {
    /// Creates the digest that a store kept as [`algorithm`](Self::algorithm) and
    /// [`bytes`](Self::bytes).
    ///
    /// # Errors
    ///
    /// Returns an error if this version does not know the algorithm, or if the digest is not 32
    /// bytes long.
    pub fn from_parts(algorithm: &str, bytes: &[u8]) -> Result<Self, DigestError> {
        let bytes = bytes.try_into().map_err(|_| DigestError::Length(bytes.len()))?;
        Ok(Self { algorithm: Algorithm::parse(algorithm)?, bytes })
    }

    /// Returns a digest that stands where no secret is. The hash of no known text has these bytes.
    pub(crate) fn unmatchable() -> Self {
        Self { bytes: [0; 32], algorithm: Algorithm::Sha256V2 }
    }

    /// Makes the digest of a token without a pepper.
    pub(crate) fn without_pepper(token: TokenRef<'_>) -> Self {
        let algorithm = Algorithm::Sha256V2;
        Self { bytes: algorithm.hash(token, None), algorithm }
    }

    /// Returns the name of the algorithm, with the key id if there is one.
    #[must_use]
    pub fn algorithm(&self) -> &str {
        self.algorithm.name()
    }

    /// Returns the 32 bytes, for a store to keep.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Compares two digests, in constant time for digests of one algorithm.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && bytes_ct_eq(&self.bytes, &other.bytes)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.algorithm())
    }
}

/// What a store kept is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DigestError {
    /// This version does not know the algorithm.
    #[error("unknown digest algorithm {0:?}: was the record written by a newer version?")]
    Algorithm(String),
    /// The digest has another length than 32 bytes.
    #[error("a digest has 32 bytes, but this one has {0}")]
    Length(usize),
    /// The text is not what [`Digest::to_text`] writes.
    #[error(
        "write a digest as its algorithm, such as `sha256-v2`, then `:` and 64 hexadecimal digits"
    )]
    Text,
    /// The key id is invalid.
    #[error(transparent)]
    KeyId(#[from] KeyIdError),
}

/// The name of a pepper: 1 to 32 of `A-Z a-z 0-9 . _ -`. It is stored beside each digest it made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(Box<str>);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is no key id. It is not repeated: it may be a key that was given in the id's place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key id is 1 to 32 letters, digits, dots, hyphens or underscores")]
pub struct KeyIdError(());

impl std::str::FromStr for KeyId {
    type Err = KeyIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(KeyIdError(()))
        }
    }
}

/// A key of the host's under which digests are made, kept outside the store. Somebody who steals
/// the store alone cannot even test a guess.
///
/// It has at least 32 bytes. It is wiped when it is dropped, and never printed.
pub struct Pepper(HmacKey);

impl Pepper {
    /// Takes the key's bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if there are fewer than 32 bytes.
    pub fn new(key: impl Into<Vec<u8>>) -> Result<Self, PepperError> {
        HmacKey::new(key).map(Self).map_err(PepperError)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

/// The pepper is too short.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a pepper needs at least 32 bytes, but this one has {0}: create one with `openssl rand -hex 32`"
)]
pub struct PepperError(usize);

/// Makes digests under the current pepper, and compares tokens with digests of every known pepper.
#[derive(Debug)]
pub(crate) struct Digester {
    /// The algorithm of new digests.
    current: Algorithm,
    peppers: Vec<(KeyId, Pepper)>,
    require_pepper: bool,
}

/// Which secret of a token was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretMatch {
    Current,
    Previous,
}

impl Digester {
    /// Makes new digests under the first pepper if `use_first`, and otherwise without a pepper.
    /// With `require_pepper`, no token matches a digest that was made without one.
    pub(crate) fn new(
        use_first: bool,
        peppers: Vec<(KeyId, Pepper)>,
        require_pepper: bool,
    ) -> Self {
        let current = match peppers.first() {
            Some((id, _)) if use_first => {
                Algorithm::HmacSha256V2(format!("{HMAC_SHA256_V2}{id}").into())
            }
            _ => Algorithm::Sha256V2,
        };
        Self { current, peppers, require_pepper }
    }

    /// Makes the digest of a token.
    pub(crate) fn digest(&self, token: TokenRef<'_>) -> Digest {
        Digest { algorithm: self.current.clone(), bytes: self.hash(token) }
    }

    /// Computes the bytes of [`digest`](Self::digest) alone: as much work as a comparison.
    pub(crate) fn hash(&self, token: TokenRef<'_>) -> [u8; 32] {
        self.current.hash(token, self.current.key_id().and_then(|key_id| self.pepper(key_id)))
    }

    /// Compares a token with the digest of its current secret and, if there is one, of its previous
    /// secret, in constant time. A digest whose pepper is not known matches nothing.
    pub(crate) fn compare(
        &self,
        token: TokenRef<'_>,
        current: &Digest,
        previous: Option<&Digest>,
    ) -> Option<SecretMatch> {
        let hash = self.hash_as(token, current);
        if bytes_ct_eq(&hash, &current.bytes) && self.accepts(current) {
            return Some(SecretMatch::Current);
        }
        let previous = previous?;
        // Nearly always, both digests have the same algorithm, and one hash does for both.
        let hash = if previous.algorithm == current.algorithm {
            hash
        } else {
            self.hash_as(token, previous)
        };
        let is_match = bytes_ct_eq(&hash, &previous.bytes) && self.accepts(previous);
        is_match.then_some(SecretMatch::Previous)
    }

    /// Returns whether digests of this algorithm and pepper may match at all.
    fn accepts(&self, stored: &Digest) -> bool {
        match stored.algorithm.key_id() {
            None => !self.require_pepper,
            Some(key_id) => self.pepper(key_id).is_some(),
        }
    }

    /// Returns whether a digest lacks the pepper that is required.
    pub(crate) fn lacks_required_pepper(&self, stored: &Digest) -> bool {
        self.require_pepper && stored.algorithm.key_id().is_none()
    }

    /// Returns whether [`digest`](Self::digest) makes digests of another algorithm or pepper today.
    pub(crate) fn is_outdated(&self, stored: &Digest) -> bool {
        stored.algorithm != self.current
    }

    /// Hashes a token as a digest was made. What [`accepts`](Self::accepts) refuses is hashed all
    /// the same, so that the time of a refusal does not depend on it.
    fn hash_as(&self, token: TokenRef<'_>, stored: &Digest) -> [u8; 32] {
        let Some(key_id) = stored.algorithm.key_id() else {
            return stored.algorithm.hash(token, None);
        };
        let pepper = self.pepper(key_id);
        if pepper.is_none() {
            tracing::error!(
                target: "hallpass",
                %key_id,
                "unknown pepper: a token's digest was made under a key that this service was not \
                 given, add it with `retired_pepper`"
            );
        }
        stored.algorithm.hash(token, pepper)
    }

    fn pepper(&self, key_id: &str) -> Option<&Pepper> {
        self.peppers.iter().find(|(id, _)| *id.0 == *key_id).map(|(_, pepper)| pepper)
    }
}

/// In constant time, eight bytes at a time.
fn bytes_ct_eq(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let words = |bytes: &[u8; 32]| {
        let (words, _) = bytes.as_chunks::<8>();
        [words[0], words[1], words[2], words[3]].map(u64::from_ne_bytes)
    };
    words(one)[..].ct_eq(&words(other)[..]).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Checksums, PlainToken, Prefix, Secret, TokenId};

    fn pepper(byte: u8) -> Pepper {
        Pepper::new([byte; 32]).unwrap()
    }

    /// The first key is the current one, the others are retired.
    fn digester(keys: &[(&str, u8)]) -> Digester {
        let keys = keys.iter().map(|(id, byte)| (id.parse().unwrap(), pepper(*byte)));
        Digester::new(true, keys.collect(), false)
    }

    fn token(prefix: &str, id: u128, secret: &Secret) -> PlainToken {
        let prefix: Prefix = prefix.parse().unwrap();
        let id = TokenId::from_uuid(uuid::Uuid::from_u128(id));
        PlainToken::assemble(&prefix, id, secret, &Checksums::UNKEYED)
    }

    fn fresh() -> PlainToken {
        token("hp", 7, &Secret::generate().unwrap())
    }

    fn version_1(digester: &Digester, token: &PlainToken) -> Digest {
        let (algorithm, pepper) = match digester.peppers.first() {
            None => (Algorithm::Sha256, None),
            Some((id, pepper)) => {
                (Algorithm::HmacSha256(format!("{HMAC_SHA256}{id}").into()), Some(pepper))
            }
        };
        Digest { bytes: algorithm.hash(token.borrow(), pepper), algorithm }
    }

    fn matches(digester: &Digester, token: &PlainToken, stored: &Digest) -> bool {
        digester.compare(token.borrow(), stored, None).is_some()
    }

    #[test]
    fn digest_covers_prefix_id_and_secret() {
        let (secret, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        let original = token("hp", 7, &secret);
        let changed = [
            token("hq", 7, &secret),
            token("hp2", 7, &secret),
            token("hp", 8, &secret),
            token("hp", 7, &other),
        ];
        for digester in [digester(&[]), digester(&[("a", 1)])] {
            let digest = digester.digest(original.borrow());
            assert!(matches(&digester, &original, &digest));
            for changed in &changed {
                assert!(!matches(&digester, changed, &digest), "{changed:?}");
            }
            let version_1 = version_1(&digester, &original);
            assert!(matches(&digester, &original, &version_1) && digester.is_outdated(&version_1));
        }
    }

    #[test]
    fn peppers_rotate_without_a_flag_day() {
        let token = fresh();
        let plain = digester(&[]).digest(token.borrow());
        let old = digester(&[("2025", 1)]).digest(token.borrow());
        let both = digester(&[("2026", 2), ("2025", 1)]);
        assert!(matches(&both, &token, &plain) && both.is_outdated(&plain));
        assert!(matches(&both, &token, &old) && both.is_outdated(&old));
        let new = both.digest(token.borrow());
        assert!(matches(&both, &token, &new) && !both.is_outdated(&new));
        assert!(!matches(&digester(&[("2025", 1)]), &token, &new), "the key is unknown");
        assert!(!matches(&digester(&[("2026", 3)]), &token, &new), "another key of that name");
    }

    #[test]
    fn required_pepper_refuses_plain_digests() {
        let token = fresh();
        let strict = Digester::new(true, vec![("a".parse().unwrap(), pepper(1))], true);
        let plain = digester(&[]);
        assert!(!matches(&strict, &token, &plain.digest(token.borrow())));
        assert!(!matches(&strict, &token, &version_1(&plain, &token)));
        assert!(matches(&strict, &token, &strict.digest(token.borrow())));
        let both = strict.compare(
            token.borrow(),
            &strict.digest(fresh().borrow()),
            Some(&plain.digest(token.borrow())),
        );
        assert_eq!(both, None, "nor does a previous secret match");
    }

    #[test]
    fn previous_secret_matches_under_another_algorithm() {
        let (old, new) = (fresh(), fresh());
        let digester = digester(&[("a", 1)]);
        let current = digester.digest(new.borrow());
        for previous in [digester.digest(old.borrow()), version_1(&digester, &old)] {
            let compare =
                |token: &PlainToken| digester.compare(token.borrow(), &current, Some(&previous));
            assert_eq!(compare(&new), Some(SecretMatch::Current));
            assert_eq!(compare(&old), Some(SecretMatch::Previous));
            assert_eq!(compare(&fresh()), None);
        }
    }

    #[test]
    fn digest_round_trips_and_unknown_ones_are_errors() {
        let digest = digester(&[("k-1", 1)]).digest(fresh().borrow());
        let kept = Digest::from_parts(digest.algorithm(), digest.bytes()).unwrap();
        assert!(kept.ct_eq(&digest));
        assert!(Digest::from_parts("md5", &[0; 32]).is_err());
        assert!(Digest::from_parts("sha256", &[0; 31]).is_err());
        for bad in ["hmac-sha256:", "hmac-sha256-v2:", "hmac-sha256-v2", "sha256-v3", "sha256-v2:k"]
        {
            assert!(Digest::from_parts(bad, &[0; 32]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_short_pepper_is_refused_and_none_is_printed() {
        assert!(Pepper::new("short").is_err());
        assert_eq!(format!("{:?}", pepper(65)), "Pepper(..)");
    }

    /// Part of the storage format: every version computes the same.
    #[test]
    fn known_digests_of_a_known_token() {
        let secret = Secret::from_bytes(b"0000000000000000000000000000000000000000000");
        let token = token("hp", 0, &secret);
        let text = |digest: Digest| digest.to_text();
        let digester = digester(&[]);
        assert_eq!(
            text(version_1(&digester, &token)),
            "sha256:b918b22a1581fedd39058065f00e6aad35bd561f20257151131a1ddcd21803de"
        );
        assert_eq!(
            text(digester.digest(token.borrow())),
            "sha256-v2:b25b810e75b0948ac94a2653fc8270ece927fda02bffd5a01e9f2884fc4816e8"
        );
    }
}
