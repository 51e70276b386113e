//! Tokens: the text that a person copies once and that a request presents.

pub(crate) mod base62;
mod checksum;
mod id;
mod inspect;
pub(crate) mod layout;
mod plain;
mod prefix;
mod presented;
mod secret;

pub(crate) use self::{checksum::Checksums, layout::read, presented::TokenRef, secret::Secret};
pub use self::{
    checksum::{ChecksumKey, ChecksumKeyError},
    id::{TokenId, TokenIdError},
    inspect::ParseTokenError,
    plain::PlainToken,
    prefix::{Prefix, PrefixError},
    presented::PresentedToken,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::Owner;
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn parse(text: &[u8], prefixes: &[Prefix]) -> Option<PresentedToken> {
        read(text, prefixes, &Checksums::UNKEYED).map(PresentedToken::new)
    }

    fn fresh(prefix: &Prefix) -> (PlainToken, TokenId) {
        let id = TokenId::generate(&Owner::new("alice").unwrap(), Timestamp::now()).unwrap();
        (PlainToken::assemble(prefix, id, &Secret::generate().unwrap(), &Checksums::UNKEYED), id)
    }

    #[test]
    fn token_is_one_word_of_fixed_length() {
        let prefix = Prefix::default();
        let (token, id) = fresh(&prefix);
        assert_eq!(token.reveal().len(), 3 + 71);
        assert!(token.reveal().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
        assert_eq!(
            parse(token.reveal().as_bytes(), std::slice::from_ref(&prefix)).unwrap().id(),
            id
        );
    }

    #[test]
    fn retired_prefix_is_accepted_and_an_unknown_one_is_not() {
        let (old, new): (Prefix, Prefix) = ("old".parse().unwrap(), "new".parse().unwrap());
        let (token, _) = fresh(&old);
        assert!(parse(token.reveal().as_bytes(), &[new.clone(), old.clone()]).is_some());
        assert!(parse(token.reveal().as_bytes(), &[new]).is_none());
    }

    #[test]
    fn any_changed_or_missing_character_is_detected() {
        let prefix = Prefix::default();
        let (token, _) = fresh(&prefix);
        let text = token.reveal().as_bytes();
        for place in 0..text.len() {
            for other in *b"0aZ_-=\x00\xFF" {
                let mut changed = text.to_vec();
                if changed[place] == other {
                    continue;
                }
                changed[place] = other;
                assert!(
                    parse(&changed, std::slice::from_ref(&prefix)).is_none(),
                    "byte {place} as {other:#x}"
                );
            }
            let mut shorter = text.to_vec();
            shorter.remove(place);
            assert!(
                parse(&shorter, std::slice::from_ref(&prefix)).is_none(),
                "without byte {place}"
            );
        }
        for tail in ["0", "=", "\n", " "] {
            let longer = [text, tail.as_bytes()].concat();
            assert!(
                parse(&longer, std::slice::from_ref(&prefix)).is_none(),
                "followed by {tail:?}"
            );
        }
    }

    #[test]
    fn published_pattern_matches_a_token() {
        assert_eq!(Prefix::default().token_pattern(), r"\bhp_[0-9A-Za-z]{71}\b");
    }

    #[test]
    fn keyed_checksum_needs_the_key() {
        let key = |byte| ChecksumKey::new([byte; 32]).unwrap();
        let prefix = Prefix::default();
        let id = fresh(&prefix).1;
        let accepts = |checksums: &Checksums, token: &PlainToken| {
            read(token.reveal().as_bytes(), std::slice::from_ref(&prefix), checksums).is_some()
        };
        let issue = |checksums: &Checksums| {
            PlainToken::assemble(&prefix, id, &Secret::generate().unwrap(), checksums)
        };
        let old = Checksums::keyed(vec![key(1)], false);
        let rotated = Checksums::keyed(vec![key(2), key(1)], false);
        let lenient = Checksums::keyed(vec![key(2)], true);
        let (of_old, of_rotated, plain) =
            (issue(&old), issue(&rotated), issue(&Checksums::UNKEYED));
        assert!(accepts(&old, &of_old) && accepts(&rotated, &of_old));
        assert!(accepts(&rotated, &of_rotated) && accepts(&lenient, &of_rotated));
        assert!(!accepts(&old, &of_rotated) && !accepts(&lenient, &of_old));
        assert!(accepts(&lenient, &plain) && !accepts(&rotated, &plain));
        assert!(!accepts(&Checksums::UNKEYED, &of_old));
    }

    proptest! {
        #[test]
        fn token_parser_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            prop_assert!(parse(&bytes, &[Prefix::default()]).is_none());
        }

        #[test]
        fn token_with_a_wrong_checksum_is_rejected(body in "[0-9A-Za-z]{71}") {
            let text = format!("hp_{body}");
            // One in 2^32 would pass by chance, and only if its id is below 2^128.
            prop_assert!(parse(text.as_bytes(), &[Prefix::default()]).is_none());
        }
    }
}
