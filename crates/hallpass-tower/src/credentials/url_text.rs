//! Removal of tokens from texts that contain a URL, such as the value of `Referer`.
//!
//! The text may be a URL, contain one, or be a part of one, and a parameter may contain another URL
//! in percent-encoded form. So the search decodes the text again and again, up to a limit. A text
//! that is still encoded after that is treated as a secret: dropping a harmless header is better
//! than passing on a token.
//!
//! A token is recognised by its format and not by the name of the parameter. So it is also found in
//! a parameter with another name.

use std::borrow::Cow;

use hallpass_core::__private::find_bodies;
use hallpass_core::Prefix;
use memchr::{memchr, memchr2};

use super::query::{decoded, is_name_in_any_case, split};

/// The number of times that a text may be percent-encoded. For example, a login page receives the
/// URL to return to as a parameter, and that URL may itself contain an encoded URL.
const MAX_ENCODINGS: usize = 6;

/// Removes secrets from a text that is or contains a URL. Removes every query parameter that
/// contains a token, also inside of an encoded URL, and every parameter with one of these names. If
/// a token is elsewhere in the text, the whole text is removed. Returns `None` if there is nothing
/// to remove.
pub(crate) fn cut_text(
    text: &[u8],
    names: &[String],
    is_token: impl Fn(&[u8]) -> bool,
) -> Option<Vec<u8>> {
    let cut = cut_query(text, names, &is_token);
    if holds_secret(cut.as_deref().unwrap_or(text), names, &is_token) {
        return Some(Vec::new());
    }
    cut
}

fn cut_query(text: &[u8], names: &[String], is_token: &impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let start = memchr(b'?', text)? + 1;
    let end = memchr(b'#', &text[start..]).map_or(text.len(), |at| start + at);
    let secret = |pair: &&[u8]| {
        let (key, value) = split(pair);
        is_one_of(key, names)
            || holds_secret(key, names, is_token)
            || value.is_some_and(|value| holds_secret(value, names, is_token))
    };
    let query = &text[start..end];
    if !query.split(|byte| *byte == b'&').any(|pair| secret(&pair)) {
        return None;
    }
    let mut rest = text[..start - 1].to_vec();
    let pairs = query.split(|byte| *byte == b'&').filter(|pair| !secret(pair));
    for (index, pair) in pairs.enumerate() {
        rest.push(if index == 0 { b'?' } else { b'&' });
        rest.extend_from_slice(pair);
    }
    rest.extend_from_slice(&text[end..]);
    Some(rest)
}

/// Returns whether a text contains a token, or a query with a parameter of one of these names,
/// however often it is percent-encoded. A text that is encoded too often counts as a secret.
fn holds_secret(text: &[u8], names: &[String], is_token: &impl Fn(&[u8]) -> bool) -> bool {
    let mut text = Cow::Borrowed(text);
    for _ in 0..MAX_ENCODINGS {
        if contains_token(&text, is_token) || has_parameter(&text, names) {
            return true;
        }
        if memchr2(b'%', b'+', &text).is_none() {
            return false;
        }
        let next: Vec<_> = decoded(&text).collect();
        if *next == *text {
            return false;
        }
        text = Cow::Owned(next);
    }
    true
}

/// Returns whether a token is anywhere in a text. Every token has a `_` between a prefix of 1 to 16
/// bytes and its body.
///
/// The body is examined first. Its digits include no `_`, so a text that consists of `_` costs
/// little: anyone can send a long one.
fn contains_token(text: &[u8], is_token: &impl Fn(&[u8]) -> bool) -> bool {
    find_bodies(text).any(|body| {
        let at = body.start - 1;
        (at.saturating_sub(Prefix::MAX_LEN)..at).any(|start| is_token(&text[start..body.end]))
    })
}

fn has_parameter(text: &[u8], names: &[String]) -> bool {
    // The part before the first separator is not in a query.
    text.split(|byte| matches!(byte, b'?' | b'&'))
        .skip(1)
        .any(|pair| is_one_of(split(pair).0, names))
}

fn is_one_of(key: &[u8], names: &[String]) -> bool {
    names.iter().any(|name| is_name_in_any_case(key, name))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use hallpass_core::__private::TOKEN_BODY_LEN;

    use super::*;

    /// Returns the remaining text. `T` stands for a token in both texts.
    fn cut(text: &str) -> Option<String> {
        let token = format!("hp_{}", "0".repeat(TOKEN_BODY_LEN));
        let rest =
            cut_text(text.replace('T', &token).as_bytes(), &["session".to_owned()], |text| {
                text == token.as_bytes()
            });
        rest.map(|rest| String::from_utf8(rest).unwrap().replace(&token, "T"))
    }

    #[test]
    fn tokens_are_removed_from_texts_with_a_url() {
        for (text, rest) in [
            ("https://a.example/b?session=x&c=1#d", Some("https://a.example/b?c=1#d")),
            ("/b?Session=x", Some("/b")),
            ("/b?other=T&c", Some("/b?c")),
            ("/b?T&c", Some("/b?c")),
            ("/b?c=1#session=x", None),
            ("/b?c=my+session%3Dx", None),
            ("/b", None),
            ("/a_b/%zz", None),
        ] {
            assert_eq!(cut(text).as_deref(), rest, "{text}");
        }
    }

    #[test]
    fn tokens_inside_of_an_encoded_url_are_removed() {
        for (text, rest) in [
            ("/b?next=%2Fapi%3Fsession%3DT&c=1", Some("/b?c=1")),
            ("/b?next=%2Fapi%3Fother%3DT", Some("/b")),
            ("/b?next=%2Fapi%3Fa%26session%3Dold", Some("/b")),
            ("/b?next=%252Fapi%253Fnext%253D%25252Fapi%25253Fother%25253DT&c", Some("/b?c")),
            ("/b?next=a;session=T", Some("/b")),
            ("/b?next=/api?session=old", Some("/b")),
        ] {
            assert_eq!(cut(text).as_deref(), rest, "{text}");
        }
    }

    #[test]
    fn text_with_a_token_outside_of_the_query_is_removed() {
        for text in ["/b/T", "/b/xT0", "/b%3Fother%3DT", "/b%3Fsession%3Dold", "/b?c#T"] {
            assert_eq!(cut(text).as_deref(), Some(""), "{text}");
        }
    }

    #[test]
    fn text_that_is_encoded_too_often_is_removed() {
        let encoded = |times: usize| format!("/b?c&d=%25{}41", "25".repeat(times));
        assert_eq!(cut(&encoded(3)), None);
        assert_eq!(cut(&encoded(20)).as_deref(), Some("/b?c"));
    }

    #[test]
    fn search_for_a_token_examines_few_places() {
        let text = format!("/b?c={}%2525252541", "hp_".repeat(100_000));
        let examined = Cell::new(0);
        let rest = cut_text(text.as_bytes(), &["session".to_owned()], |_| {
            examined.set(examined.get() + 1);
            false
        });
        assert_eq!((rest, examined.get()), (None, 0));
    }
}
