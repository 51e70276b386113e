//! Checks of comments, messages and Markdown, for the step `tree`.
//!
//! The lists are short on purpose. Each entry has a plain counterpart and no good use, so a finding
//! is never a matter of taste.

use cargo_metadata::camino::Utf8Path;

/// The maximum width of a comment and of a line of Markdown, in characters. The front page is an
/// exception, because it must not have more than 120 lines.
const WIDTH: usize = 100;

/// Phrases in lower case, each with its replacement.
const PHRASES: [(&str, &str); 13] = [
    (concat!("answers", " whether"), "returns whether"),
    (concat!("answers", " it if"), "returns it if"),
    (concat!("an", "ew"), "again"),
    (concat!("cannot", " be had"), "is not available"),
    (concat!("could not", " be had"), "was not available"),
    (concat!("costs", " what one does"), "does not depend on the number"),
    (concat!("host's", " word"), "the host's answer"),
    (concat!("for", " ever"), "forever"),
    (concat!("let somebody", " in"), "accept the request"),
    (concat!("nobody", " is let in"), "the request is rejected"),
    (concat!("refused", " yet"), "may still be rejected"),
    (concat!("rests", " on nothing"), "only reduces latency"),
    (concat!("service", " inside"), "inner service"),
];

/// Words with which the first sentence of documentation must not start. It would have no subject
/// and verb. Describe the item or its effect instead.
const HEADLESS: [&str; 8] = ["As [`", "How ", "That ", "What ", "Which ", "Who ", "Whose ", "Why "];

/// Names that were replaced by those of the field, each with its successor.
const OLD_NAMES: [(&str, &str); 16] = [
    (concat!("At", "Hand"), "Lookup"),
    (concat!("Cache", "Note"), "CacheMeta"),
    (concat!("Foot", "ing"), "StripePair"),
    (concat!("Into", "Caller"), "IntoActor"),
    (concat!("Into", "Confirmed"), "IntoStepUp"),
    (concat!("keep", "_house"), "run_maintenance"),
    (concat!("Load", "Pool"), "Interner"),
    (concat!("Loaded", "Token"), "CachedToken"),
    (concat!("MAX", "_OVERLAP"), "MAX_GRACE_PERIOD"),
    (concat!("NotA", "Token"), "ParseTokenError"),
    (concat!("on", "_refusal"), "on_rejection"),
    (concat!("or", "_form_field"), "with_form_field"),
    (concat!("poll", "_only"), "disable_listen"),
    (concat!("Refused", "Because"), "RejectReason"),
    (concat!("Refusal", "Kind"), "RejectionKind"),
    (concat!("to", "_its_end"), "detached"),
];

/// Returns the findings in a file, each with the number of its line.
pub(super) fn findings_in(path: &Utf8Path, text: &str) -> Vec<(usize, String)> {
    let is_rust = path.extension() == Some("rs");
    // The changelog may contain old names.
    let is_prose = path.extension() == Some("md") && path != "CHANGELOG.md";
    if !(is_rust || is_prose) {
        return Vec::new();
    }
    let is_library = is_rust && path.starts_with("crates/");
    let mut findings = Vec::new();
    let mut lines = Lines::default();
    let mut is_in_code = false;
    for (number, line) in (1..).zip(text.lines()) {
        let kind = lines.next(line);
        let mut found = |what: String| findings.push((number, what));
        let lower = line.to_lowercase();
        for (phrase, instead) in PHRASES.iter().filter(|(phrase, _)| has_word(&lower, phrase)) {
            found(format!("`{phrase}`: write `{instead}`"));
        }
        for (name, instead) in OLD_NAMES.iter().filter(|(name, _)| has_word(line, name)) {
            found(format!("`{name}` is now `{instead}`"));
        }
        if let Kind::FirstOfDocs(sentence) = kind
            && is_library
            && let Some(start) = HEADLESS.iter().find(|start| sentence.starts_with(**start))
        {
            found(format!("documentation that starts with `{}`", start.trim_end()));
        }
        if is_rust && kind != Kind::Other && line.chars().count() > WIDTH && can_be_wrapped(line) {
            found(format!("a comment wider than {WIDTH} characters"));
        }
        is_in_code ^= line.trim_start().starts_with("```");
        if is_prose && path != "README.md" && !is_in_code && has_break(line) {
            found(format!("a line of text wider than {WIDTH} characters"));
        }
    }
    findings
}

/// The kind of a line of Rust.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind<'l> {
    /// Text that starts the documentation of an item or a module.
    FirstOfDocs(&'l str),
    /// Text of a comment.
    Comment,
    /// Code, or code inside documentation.
    Other,
}

/// The state between the lines of a file.
#[derive(Default)]
struct Lines {
    is_in_docs: bool,
    is_in_example: bool,
}

impl Lines {
    /// Returns the kind of the next line.
    fn next<'l>(&mut self, line: &'l str) -> Kind<'l> {
        let line = line.trim_start();
        let docs = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        let is_first = docs.is_some() && !self.is_in_docs;
        self.is_in_docs = docs.is_some();
        self.is_in_example &= docs.is_some();
        let Some(docs) = docs else {
            return if line.starts_with("//") { Kind::Comment } else { Kind::Other };
        };
        let docs = docs.trim_start();
        if docs.starts_with("```") {
            self.is_in_example = !self.is_in_example;
            return Kind::Other;
        }
        match (self.is_in_example, is_first) {
            (true, _) => Kind::Other,
            (false, true) => Kind::FirstOfDocs(docs),
            (false, false) => Kind::Comment,
        }
    }
}

/// Returns whether a comment could be broken at a space. Rows of tables and addresses could not.
fn can_be_wrapped(line: &str) -> bool {
    let text = line.trim_start_matches([' ', '/', '!']);
    !text.starts_with('|') && !text.contains("://")
}

/// Returns whether a line of Markdown is too wide and could be broken at a space. Tables, headings,
/// HTML and images could not, and a space inside of code is not a place to break at.
fn has_break(line: &str) -> bool {
    let text = line.trim_start().trim_start_matches("- ");
    if line.chars().count() <= WIDTH || text.starts_with(['|', '#', '<', '!']) {
        return false;
    }
    let start = line.len() - text.len();
    let end = line.char_indices().nth(WIDTH + 1).map_or(line.len(), |(at, _)| at);
    line[start..end].split('`').step_by(2).any(|outside| outside.contains(' '))
}

/// Returns whether a text contains a phrase that no letter, digit or underscore extends.
fn has_word(text: &str, phrase: &str) -> bool {
    let extends = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(phrase).any(|(at, _)| {
        !extends(text[..at].chars().next_back())
            && !extends(text[at + phrase.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<usize> {
        findings_in(path.as_ref(), text).into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn banned_phrases_are_found_in_rust_and_markdown() {
        for (phrase, _) in PHRASES {
            let text = format!("fine\n// It {phrase}.\nlet x = \"{}\";", phrase.to_uppercase());
            assert_eq!(found("tests/a.rs", &text), [2, 3], "{phrase}");
            assert_eq!(found("docs/a.md", &text), [2, 3], "{phrase}");
            assert_eq!(found("docs/a.svg", &text), [0; 0]);
        }
        assert_eq!(found("tests/a.rs", "// a newer one, renewed"), [0; 0]);
    }

    #[test]
    fn old_names_are_found_as_whole_words() {
        for (name, instead) in OLD_NAMES {
            assert_eq!(found("crates/a/src/b.rs", &format!("use x::{name};")), [1], "{name}");
            assert_eq!(
                found("crates/a/src/b.rs", &format!("use x::{name}s, x::{instead};")),
                [0; 0]
            );
            assert_eq!(found("CHANGELOG.md", name), [0; 0]);
        }
    }

    #[test]
    fn documentation_of_a_library_starts_with_a_sentence() {
        for start in HEADLESS {
            let text = format!("/// {start}it is.\n/// {start}it was.\nfn f() {{}}");
            assert_eq!(found("crates/a/src/b.rs", &text), [1], "{start}");
            assert_eq!(found("tests/b.rs", &text), [0; 0]);
            assert_eq!(found("crates/a/src/b.rs", &format!("// {start}it is.")), [0; 0]);
        }
        assert_eq!(found("crates/a/src/b.rs", "/// Returns what it is.\n///\n/// How?"), [0; 0]);
    }

    #[test]
    fn wide_comments_are_found_except_tables_addresses_and_code() {
        let wide = "word ".repeat(25);
        for comment in ["//", "///", "    //!"] {
            assert_eq!(found("xtask/src/a.rs", &format!("{comment} {wide}")), [1], "{comment}");
        }
        let example = format!("/// ```\n/// {wide}\n/// ```\n/// {wide}");
        assert_eq!(found("xtask/src/a.rs", &example), [4]);
        for fine in [format!("/// | {wide}|"), format!("// https://a {wide}"), wide] {
            assert_eq!(found("xtask/src/a.rs", &fine), [0; 0], "{fine}");
        }
    }

    #[test]
    fn wide_lines_of_markdown_are_found_except_tables_code_and_the_front_page() {
        let wide = "word ".repeat(25);
        assert_eq!(found("docs/a.md", &format!("fine\n{wide}\n\n- {wide}")), [2, 4]);
        for fine in [
            format!("| {wide}|"),
            format!("# {wide}"),
            format!("```sh\n{wide}\n```"),
            format!("- `{wide}`"),
        ] {
            assert_eq!(found("docs/a.md", &fine), [0; 0], "{fine}");
        }
        assert_eq!(found("README.md", &wide), [0; 0]);
    }
}
