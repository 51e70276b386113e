//! Texts that people type: names, descriptions and searches.

/// The maximum length of a name, in characters.
pub const NAME_MAX: usize = 100;

/// The maximum length of a description, in characters.
pub const DESCRIPTION_MAX: usize = 1000;

/// Returns a name without surrounding white space, or a message that describes the mistake.
pub(crate) fn name(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("give the token a name: 1 to 100 characters");
    }
    if text.chars().count() > NAME_MAX {
        return Err("use at most 100 characters");
    }
    if text.chars().any(|c| breaks_line(c) || is_bidi_format(c)) {
        return Err(
            "remove line breaks, control characters and characters that change the direction of writing",
        );
    }
    if text.chars().all(is_invisible) {
        return Err("use at least one visible character");
    }
    Ok(text.to_owned())
}

/// Returns a description unchanged, or a message that describes the mistake.
pub(crate) fn description(text: &str) -> Result<String, &'static str> {
    if text.chars().count() > DESCRIPTION_MAX {
        return Err("use at most 1000 characters");
    }
    if text
        .chars()
        .any(|c| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || is_bidi_format(c))
    {
        return Err(
            "remove control characters (line breaks and tabs are allowed) and characters that change \
             the direction of writing",
        );
    }
    Ok(text.to_owned())
}

/// Returns whether a character is a control character or one of Unicode's line and paragraph
/// separators.
pub(crate) fn breaks_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

/// Returns whether a character shows nothing by itself.
///
/// These are white space, the characters that Unicode lists as `Default_Ignorable_Code_Point` (such
/// as the zero-width space and the variation selectors), and the blank Braille pattern.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}' | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Returns whether a character is one of Unicode's bidirectional formatting characters. They can
/// make a name look like another one.
pub(crate) fn is_bidi_format(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Returns the folded form of a text. Stores search in folded texts and sort by folded names, so
/// that all of them find and order the same, whatever the collation of a database is.
///
/// It is Unicode's simple case folding, character by character. A final sigma becomes an ordinary
/// sigma, and no character becomes two. So if a text contains a search text, its folded form
/// contains the folded search text. Searches rely on this. [`str::to_lowercase`] does not have that
/// property.
///
/// ```
/// use hallpass_core::fold;
///
/// assert!(fold("ΛΟΓΟΣΤΑΤΗΣ nightly").contains(&fold("ΛΟΓΟΣ")));
/// ```
#[must_use]
pub fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

/// Returns the lower case of the character's upper case, if both are single characters.
///
/// This equals Unicode's simple case folding, but needs no table, and a web page can compute the
/// same. A test compares the result with the tables.
fn fold_char(c: char) -> char {
    match c {
        // The upper case of the dotless i is `I`, but simple case folding keeps it.
        'ı' => return c,
        // The upper case of these has several characters. They fold to a character that looks
        // alike.
        '\u{1FD3}' => return '\u{0390}',
        '\u{1FE3}' => return '\u{03B0}',
        '\u{FB05}' => return '\u{FB06}',
        _ => {}
    }
    let upper = only(c.to_uppercase()).unwrap_or(c);
    only(upper.to_lowercase()).unwrap_or(c)
}

/// Returns the only character, or `None` if there are several.
fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next();
    if chars.next().is_none() { first } else { None }
}

/// Returns the folded form of a text if it differs from the text with A to Z in lower case.
///
/// Every database can turn A to Z into lower case by itself. So a store that lets its database
/// search and sort keeps a second column with this form, which is empty for most texts:
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
    use proptest::prelude::*;

    #[test]
    fn names_are_trimmed_counted_in_characters_and_one_line() {
        assert_eq!(name("  ci  ").unwrap(), "ci");
        assert_eq!(name(&"ü".repeat(100)).unwrap().chars().count(), 100);
        for bad in [
            "",
            "   ",
            "\u{200b}",
            "\u{feff}\u{2060}",
            "\u{2800}",
            "\u{ad}",
            "a\nb",
            "a\0b",
            "a\u{202e}b",
            "\u{200f}",
            "a\u{1b}[31m",
            "a\u{2028}b",
        ] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert!(name(&"ü".repeat(101)).is_err());
    }

    #[test]
    fn name_with_visible_and_invisible_characters_is_accepted() {
        for good in ["👩\u{200d}💻", "نام\u{200c}ها", "a\u{200b}", "❤\u{fe0f}"] {
            assert!(name(good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn folding_is_simple_case_folding() {
        use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};
        for c in char::MIN..=char::MAX {
            let mut orbit = ClassUnicode::new([ClassUnicodeRange::new(c, c)]);
            orbit.case_fold_simple();
            let same = orbit.ranges().iter().flat_map(|range| range.start()..=range.end());
            for other in same {
                assert_eq!(fold_char(c), fold_char(other), "{c:?} and {other:?}");
            }
            let folded = fold_char(c);
            let is_known =
                orbit.ranges().iter().any(|range| (range.start()..=range.end()).contains(&folded));
            // The tables may be older than those of the standard library.
            let is_lower_case = only(c.to_lowercase()) == Some(folded);
            assert!(is_known || is_lower_case, "{c:?} and {folded:?}");
        }
    }

    #[test]
    fn sigma_and_long_s_are_found_by_their_other_forms() {
        assert!(fold("ΛΟΓΟΣΤΑΤΗΣ nightly").contains(&fold("ΛΟΓΟΣ")));
        assert_eq!(fold("λόγος"), fold("ΛΌΓΟΣ"));
        assert_eq!(fold("İstanbul"), "İstanbul");
        assert_eq!(fold("ſ K Å"), "s k å");
    }

    proptest! {
        #[test]
        fn folding_preserves_containment(before: String, text: String, after: String) {
            let whole = format!("{before}{text}{after}");
            prop_assert!(fold(&whole).contains(&fold(&text)));
            prop_assert_eq!(fold(&fold(&whole)), fold(&whole));
        }

        #[test]
        fn text_without_a_folded_form_is_folded_by_ascii_alone(text: String) {
            let folded = fold_beyond_ascii(&text).unwrap_or_else(|| text.to_ascii_lowercase());
            prop_assert_eq!(folded, fold(&text));
        }
    }

    #[test]
    fn descriptions_may_contain_line_breaks() {
        assert_eq!(description("a\r\n\tb").unwrap(), "a\r\n\tb");
        assert_eq!(description("").unwrap(), "");
        assert!(description("\u{7}").is_err());
        assert!(description(&"x".repeat(1001)).is_err());
    }
}
