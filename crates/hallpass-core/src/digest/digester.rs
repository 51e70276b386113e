//! Computes the digests of tokens, and compares tokens with stored digests.

use super::{Algorithm, Digest, HMAC_SHA256, bytes_ct_eq, hash};
use crate::pepper::{KeyId, Pepper};
use crate::throttle::Throttle;
use crate::token::TokenRef;

/// Computes digests under the current pepper, and compares tokens with digests of all known
/// peppers.
#[derive(Debug)]
pub(crate) struct Digester {
    /// The algorithm of new digests.
    current: Algorithm,
    peppers: Vec<(KeyId, Pepper)>,
    require_pepper: bool,
}

/// The secret of a token that was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecretMatch {
    /// The current secret.
    Current,
    /// The secret before the current one, within its grace period.
    Previous,
}

impl Digester {
    /// Creates a digester that uses the first pepper for new digests if `use_first` is set, and no
    /// pepper otherwise. With `require_pepper`, no token matches a digest without a pepper.
    pub(crate) fn new(
        use_first: bool,
        peppers: Vec<(KeyId, Pepper)>,
        require_pepper: bool,
    ) -> Self {
        let current = match peppers.first() {
            Some((id, _)) if use_first => {
                Algorithm::HmacSha256(format!("{HMAC_SHA256}{id}").into())
            }
            _ => Algorithm::Sha256,
        };
        Self { current, peppers, require_pepper }
    }

    /// Computes the digest of a token with the current algorithm and pepper.
    pub(crate) fn digest(&self, token: TokenRef<'_>) -> Digest {
        Digest { algorithm: self.current.clone(), bytes: self.hash(token) }
    }

    /// Computes only the bytes of [`digest`](Self::digest), which takes as long as a comparison.
    pub(crate) fn hash(&self, token: TokenRef<'_>) -> [u8; 32] {
        hash(token, self.current.key_id().and_then(|key_id| self.pepper(key_id)))
    }

    /// Compares a token, in constant time, with the digests of the current and the previous secret.
    /// A digest whose pepper is unknown matches no token.
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
        // Both digests nearly always have the same algorithm, so one hash serves for both.
        let hash = if previous.algorithm == current.algorithm {
            hash
        } else {
            self.hash_as(token, previous)
        };
        let is_match = bytes_ct_eq(&hash, &previous.bytes) && self.accepts(previous);
        is_match.then_some(SecretMatch::Previous)
    }

    /// Returns whether a digest of this algorithm and pepper may match any token.
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

    /// Returns whether [`digest`](Self::digest) now uses another algorithm or pepper.
    pub(crate) fn is_outdated(&self, stored: &Digest) -> bool {
        stored.algorithm != self.current
    }

    /// Hashes a token with the algorithm and pepper of a stored digest.
    ///
    /// This hashes even if [`accepts`](Self::accepts) rejects the stored digest. Otherwise the time
    /// until a rejection would reveal the difference.
    fn hash_as(&self, token: TokenRef<'_>, stored: &Digest) -> [u8; 32] {
        let Some(key_id) = stored.algorithm.key_id() else {
            return hash(token, None);
        };
        let pepper = self.pepper(key_id);
        if pepper.is_none() {
            // A client can cause this with the id of a token alone.
            static THROTTLE: Throttle = Throttle::new();
            if let Some(count) = THROTTLE.count(1) {
                tracing::error!(
                    target: "hallpass",
                    %key_id,
                    count,
                    "unknown pepper, a token's digest was computed with a key that this service \
                     does not have: add the key with `retired_pepper`, or issue new tokens if the \
                     key was removed on purpose"
                );
            }
        }
        hash(token, pepper)
    }

    fn pepper(&self, key_id: &str) -> Option<&Pepper> {
        self.peppers.iter().find(|(id, _)| id.as_str() == key_id).map(|(_, pepper)| pepper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{Checksums, PlainToken, Prefix, Secret, TokenId};

    fn pepper(byte: u8) -> Pepper {
        Pepper::new([byte; 32]).unwrap()
    }

    /// Creates a digester. The first key is the current one, the others are retired.
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
        }
    }

    #[test]
    fn rotated_pepper_keeps_old_digests_working() {
        let token = fresh();
        let plain = digester(&[]).digest(token.borrow());
        let old = digester(&[("2025", 1)]).digest(token.borrow());
        let both = digester(&[("2026", 2), ("2025", 1)]);
        assert!(matches(&both, &token, &plain) && both.is_outdated(&plain));
        assert!(matches(&both, &token, &old) && both.is_outdated(&old));
        let new = both.digest(token.borrow());
        assert!(matches(&both, &token, &new) && !both.is_outdated(&new));
        assert!(!matches(&digester(&[("2025", 1)]), &token, &new), "the key is unknown");
        assert!(!matches(&digester(&[("2026", 3)]), &token, &new), "another key has that name");
    }

    #[test]
    fn required_pepper_rejects_plain_digests() {
        let token = fresh();
        let strict = Digester::new(true, vec![("a".parse().unwrap(), pepper(1))], true);
        let plain = digester(&[]);
        assert!(!matches(&strict, &token, &plain.digest(token.borrow())));
        assert!(matches(&strict, &token, &strict.digest(token.borrow())));
        let both = strict.compare(
            token.borrow(),
            &strict.digest(fresh().borrow()),
            Some(&plain.digest(token.borrow())),
        );
        assert_eq!(both, None, "a previous secret must not match either");
    }

    #[test]
    fn previous_secret_matches_under_another_algorithm() {
        let (old, new) = (fresh(), fresh());
        let both = digester(&[("2026", 2), ("2025", 1)]);
        let current = both.digest(new.borrow());
        for maker in [&both, &digester(&[("2025", 1)]), &digester(&[])] {
            let previous = maker.digest(old.borrow());
            let compare =
                |token: &PlainToken| both.compare(token.borrow(), &current, Some(&previous));
            assert_eq!(compare(&new), Some(SecretMatch::Current));
            assert_eq!(compare(&old), Some(SecretMatch::Previous));
            assert_eq!(compare(&fresh()), None);
        }
    }

    #[test]
    fn digest_round_trips_and_unknown_algorithms_are_errors() {
        let digest = digester(&[("k-1", 1)]).digest(fresh().borrow());
        let restored = Digest::from_parts(digest.algorithm(), digest.bytes()).unwrap();
        assert!(restored.ct_eq(&digest));
        assert!(Digest::from_parts("md5", &[0; 32]).is_err());
        assert!(Digest::from_parts("sha256-v1", &[0; 31]).is_err());
        for bad in [
            "sha256",
            "sha256-v2",
            "sha256-v1:k",
            "hmac-sha256:k",
            "hmac-sha256-v1",
            "hmac-sha256-v1:",
        ] {
            assert!(Digest::from_parts(bad, &[0; 32]).is_err(), "{bad}");
        }
    }

    #[test]
    fn short_pepper_is_rejected_and_peppers_are_not_printed() {
        assert!(Pepper::new("short").is_err());
        assert_eq!(format!("{:?}", pepper(65)), "Pepper(..)");
    }

    /// These digests are part of the storage format, so every version must compute the same ones.
    #[test]
    fn digests_of_a_known_token_never_change() {
        let secret = Secret::from_bytes(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg");
        let id = 0x018f3c1e_7a2b_8c4d_9e5f_0123456789ab;
        let text = |digest: Digest| digest.to_text();
        let (plain, peppered) = (digester(&[]), digester(&[("a", 1)]));
        let token = |prefix| token(prefix, id, &secret);
        assert_eq!(
            text(plain.digest(token("hp").borrow())),
            "sha256-v1:91a9f812176a1156f5665421d6eeed8a217fd9fabee09303c0e6ab143ebb67ee"
        );
        assert_eq!(
            text(plain.digest(token("abcdefghijklmnop").borrow())),
            "sha256-v1:5a891a0b9d7fb7e13dcc9280475030227db5dae9625b807acf031e1e9ad4672c"
        );
        assert_eq!(
            text(peppered.digest(token("hp").borrow())),
            "hmac-sha256-v1:a:3f6311fa1aaf3b1c879b13b7bb105275920ee9aa3a299c03dd3106820adb9a3a"
        );
    }
}
