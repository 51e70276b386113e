//! The texts of the page, by language.

use std::collections::BTreeMap;

use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::{HeaderMap, HeaderValue};

const ENGLISH: &str = include_str!("../web/en.json");
const GERMAN: &str = include_str!("../web/de.json");

/// The texts of one language, by their keys.
#[derive(Clone, Debug)]
pub(crate) struct Texts {
    language: String,
    texts: BTreeMap<String, String>,
}

impl Texts {
    /// Returns the languages that the page has by default, with English first.
    pub(crate) fn shipped() -> Vec<Self> {
        [("en", ENGLISH), ("de", GERMAN)].map(|(name, json)| Self::read(name, json)).into()
    }

    #[track_caller]
    fn read(language: &str, json: &str) -> Self {
        match serde_json::from_str(json) {
            Ok(texts) => Self { language: language.to_owned(), texts },
            Err(error) => {
                panic!("the texts in {language:?} are not a JSON object of strings: {error}")
            }
        }
    }

    pub(crate) fn language(&self) -> &str {
        &self.language
    }

    /// Returns the text with this key.
    ///
    /// # Panics
    ///
    /// Panics if there is no such key.
    pub(crate) fn get(&self, key: &str) -> &str {
        self.texts.get(key).unwrap_or_else(|| panic!("the page has no text {key:?}"))
    }

    /// Returns all texts as a JSON object.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(&self.texts).expect("strings are always JSON")
    }
}

/// Adds the host's own texts to the languages. Missing texts are taken from the page's texts in the
/// same language if there are any, and otherwise from English.
///
/// # Panics
///
/// Panics if the JSON is not an object of strings, if it has an unknown key, or if the language is
/// not a language tag such as `fr` or `pt-BR`.
#[track_caller]
pub(crate) fn add(languages: &mut Vec<Texts>, language: &str, json: &str) {
    let is_tag = !language.is_empty()
        && language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    assert!(is_tag, "invalid language tag {language:?}: write it like `fr` or `pt-BR`");
    let own = Texts::read(language, json);
    let at = languages.iter().position(|texts| texts.language == language).unwrap_or_else(|| {
        let english = Texts { language: language.to_owned(), ..Texts::read("en", ENGLISH) };
        languages.push(english);
        languages.len() - 1
    });
    for (key, text) in own.texts {
        let known = languages[at].texts.insert(key.clone(), text);
        assert!(
            known.is_some(),
            "the page has no text {key:?}: `web/en.json` of hallpass-dashboard lists the keys"
        );
    }
    let format = languages[at].get("date.format");
    assert!(
        ["yyyy", "mm", "dd"].into_iter().all(|part| format.matches(part).count() == 1),
        "invalid date format {format:?}: write it like `dd-mm-yyyy`"
    );
}

/// Chooses the language that the browser prefers, or the first one if it prefers none of them.
pub(crate) fn choose<'t>(languages: &'t [Texts], headers: &HeaderMap) -> &'t Texts {
    let accepted = headers.get(ACCEPT_LANGUAGE).map(HeaderValue::to_str);
    let accepted = accepted.and_then(Result::ok).unwrap_or_default();
    let mut accepted_tags: Vec<(f32, &str)> = accepted
        .split(',')
        .map(|one| one.split_once(';').unwrap_or((one, "")))
        .map(|(tag, weight)| (weight.trim().trim_start_matches("q=").parse().unwrap_or(1.0), tag))
        .filter(|(weight, _)| *weight > 0.0)
        .collect();
    // The sort is stable: equal weights stay in the browser's order.
    accepted_tags.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let texts = accepted_tags.iter().find_map(|(_, tag)| {
        let tag = tag.trim();
        let base = tag.split('-').next().unwrap_or_default();
        let by = |name: &str| languages.iter().find(|t| t.language.eq_ignore_ascii_case(name));
        by(tag).or_else(|| by(base))
    });
    texts.unwrap_or(&languages[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    fn chosen(accepted: &'static str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static(accepted));
        choose(&Texts::shipped(), &headers).language().to_owned()
    }

    #[test]
    fn preferred_language_is_chosen() {
        for (accepted, language) in [
            ("de", "de"),
            ("de-AT,de;q=0.9,en;q=0.8", "de"),
            ("en;q=0.3, de;q=0.7", "de"),
            ("fr,de;q=0", "en"),
            ("fr, DE;q=0.1", "de"),
            ("", "en"),
            (";;,q=,", "en"),
        ] {
            assert_eq!(chosen(accepted), language, "{accepted:?}");
        }
        assert_eq!(choose(&Texts::shipped(), &HeaderMap::new()).language(), "en");
    }

    #[test]
    fn all_languages_have_the_same_texts() {
        let [english, german] = &Texts::shipped()[..] else {
            panic!("there must be two languages")
        };
        let keys = |texts: &Texts| texts.texts.keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(english), keys(german));
        let places = |text: &str| {
            let mut names: Vec<_> = text
                .split('{')
                .skip(1)
                .map(|rest| rest.split('}').next().unwrap_or_default().to_owned())
                .collect();
            names.sort();
            names
        };
        for (key, text) in &english.texts {
            // The singular may spell the number out.
            if !key.ends_with(".one") {
                assert_eq!(places(text), places(german.get(key)), "{key}");
            }
        }
    }

    #[test]
    fn host_can_replace_texts_and_add_languages() {
        let mut languages = Texts::shipped();
        add(&mut languages, "de", r#"{"list.title": "Schlüssel"}"#);
        add(&mut languages, "fr", r#"{"list.title": "Jetons"}"#);
        let text = |at: usize, key| languages[at].get(key).to_owned();
        assert_eq!(
            (text(1, "list.title"), text(2, "list.title")),
            ("Schlüssel".into(), "Jetons".into())
        );
        assert_eq!(text(2, "cancel"), text(0, "cancel"));
        for (language, json) in [
            ("fr", r#"{"no.such.key": "x"}"#),
            ("fr", "[]"),
            ("fr", r#"{"cancel": 1}"#),
            ("fr", r#"{"date.format": "d/m/y"}"#),
            ("f r", "{}"),
        ] {
            assert!(catch_unwind(|| add(&mut Texts::shipped(), language, json)).is_err(), "{json}");
        }
    }
}
