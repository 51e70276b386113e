//! What people type: names, descriptions and searches.

/// The longest name, in characters.
pub const NAME_MAX: usize = 100;

/// The longest description, in characters.
pub const DESCRIPTION_MAX: usize = 1000;

/// The name without the white space around it, or what is wrong with it.
pub(crate) fn name(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("give the token a name: 1 to 100 characters");
    }
    if text.chars().count() > NAME_MAX {
        return Err("at most 100 characters");
    }
    if text
        .chars()
        .any(|c| c.is_control() || is_bidi_format(c) || matches!(c, '\u{2028}' | '\u{2029}'))
    {
        return Err(
            "no line breaks, control characters or characters that change the direction of writing",
        );
    }
    Ok(text.to_owned())
}

/// The description as it is, or what is wrong with it.
pub(crate) fn description(text: &str) -> Result<String, &'static str> {
    if text.chars().count() > DESCRIPTION_MAX {
        return Err("at most 1000 characters");
    }
    if text
        .chars()
        .any(|c| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || is_bidi_format(c))
    {
        return Err(
            "no control characters but line breaks and tabs, and none that change the direction of writing",
        );
    }
    Ok(text.to_owned())
}

/// Unicode's bidirectional formatting characters: with them a name can look like another one.
fn is_bidi_format(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The form in which texts are searched and names sorted: lower case, so that every store finds
/// and orders the same, whatever its collation.
#[must_use]
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// What [`fold`] makes of a text, if that is more than to lower the letters A to Z, which every database can do by itself;
/// `None` if it is not.
///
/// A store that lets its database search and sort keeps this beside a text, and so nothing beside nearly all of them:
///
/// ```
/// use hallpass_core::{fold, fold_beyond_ascii};
///
/// assert_eq!(fold_beyond_ascii("Deploy key"), None);
/// assert_eq!(fold_beyond_ascii("Clé Été"), Some(fold("Clé Été")));
/// ```
#[must_use]
pub fn fold_beyond_ascii(text: &str) -> Option<String> {
    let folded = (!text.is_ascii()).then(|| fold(text))?;
    (folded != text.to_ascii_lowercase()).then_some(folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_counted_in_characters_and_one_line() {
        assert_eq!(name("  ci  ").unwrap(), "ci");
        assert_eq!(name(&"ü".repeat(100)).unwrap().chars().count(), 100);
        for bad in
            ["", "   ", "a\nb", "a\0b", "a\u{202e}b", "\u{200f}", "a\u{1b}[31m", "a\u{2028}b"]
        {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert!(name(&"ü".repeat(101)).is_err());
    }

    #[test]
    fn descriptions_may_have_lines() {
        assert_eq!(description("a\r\n\tb").unwrap(), "a\r\n\tb");
        assert_eq!(description("").unwrap(), "");
        assert!(description("\u{7}").is_err());
        assert!(description(&"x".repeat(1001)).is_err());
    }
}
