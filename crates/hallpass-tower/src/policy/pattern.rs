//! The pattern of a route, in axum's syntax: `/projects/{id}`, `/files/{*path}`.

use std::str::Utf8Error;

use hallpass_core::PathParameters;
use percent_encoding::percent_decode;

/// A pattern that can read its parameters from a path.
#[derive(Clone)]
pub(crate) struct Pattern {
    text: String,
    names: Vec<String>,
    matcher: matchit::Router<()>,
}

/// The parameters of a path, decoded.
pub(crate) enum Parameters<'p> {
    /// There is nothing to decode in the path.
    AsWritten(matchit::Params<'p, 'p>),
    Decoded(Vec<(String, String)>),
}

impl Parameters<'_> {
    /// The parameters of a rule whose requirement uses none.
    pub(crate) const NONE: Self = Self::Decoded(Vec::new());
}

impl PathParameters for Parameters<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        match self {
            Self::AsWritten(parameters) => parameters.get(name),
            Self::Decoded(parameters) => PathParameters::get(&parameters[..], name),
        }
    }
}

impl Pattern {
    /// Parses the pattern, or returns a message that describes the mistake.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Err(format!("the pattern {text:?} must start with `/`"));
        }
        if text.split('/').any(|segment| segment.starts_with(':') || segment.starts_with('*')) {
            return Err(format!(
                "{text:?} is not in axum's syntax: write `{{id}}` for `:id`, `{{*path}}` for `*path`"
            ));
        }
        let mut matcher = matchit::Router::new();
        matcher.insert(text, ()).map_err(|error| format!("invalid pattern {text:?}: {error}"))?;
        let names = names(text);
        if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name))
        {
            let name = twice.1;
            return Err(format!(
                "the pattern {text:?} has two parameters {{{name}}}: use different names"
            ));
        }
        Ok(Self { text: text.to_owned(), names, matcher })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn has_parameter(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Returns the parameters of a path that this pattern matches, or `None` if it does not match.
    /// Returns `Some(Err)` if a parameter is not UTF-8 after decoding: no handler could read it
    /// either.
    pub(crate) fn read<'p>(&'p self, path: &'p str) -> Option<Result<Parameters<'p>, Utf8Error>> {
        let matched = self.matcher.at(path).ok()?;
        if !path.contains('%') {
            return Some(Ok(Parameters::AsWritten(matched.params)));
        }
        let decode = |(name, value): (&str, &str)| {
            percent_decode(value.as_bytes())
                .decode_utf8()
                .map(|value| (name.to_owned(), value.into_owned()))
        };
        let decoded: Result<_, _> = matched.params.iter().map(decode).collect();
        Some(decoded.map(Parameters::Decoded))
    }
}

/// Returns the names between braces, without the `*` of a wildcard. Doubled braces are text.
fn names(pattern: &str) -> Vec<String> {
    pattern
        .replace("{{", "")
        .replace("}}", "")
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name.trim_start_matches('*').to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str, path: &str) -> Option<String> {
        let pattern = Pattern::new(pattern).unwrap();
        pattern.read(path)?.ok()?.get("id").map(str::to_owned)
    }

    #[test]
    fn parameters_are_decoded_once() {
        let one = |value: &str| Some(value.to_owned());
        assert_eq!(read("/p/{id}", "/p/42"), one("42"));
        assert_eq!(read("/p/{id}", "/p/%34%32"), one("42"));
        assert_eq!(read("/p/{id}", "/p/%2534"), one("%34"));
        assert_eq!(read("/p/{id}", "/p/a+b"), one("a+b"));
        assert_eq!(read("/p/{*id}", "/p/../a"), one("../a"));
        assert_eq!(read("/p/{id}", "/p/"), None);
        assert_eq!(read("/p/{id}", "/p/a/b"), None);
        assert!(Pattern::new("/p/{id}").unwrap().read("/p/%ff").unwrap().is_err());
    }

    #[test]
    fn only_the_pattern_syntax_of_axum_is_accepted() {
        for bad in ["p", "", "/:id", "/*rest", "/{id", "/{}", "/{*a}/b"] {
            assert!(Pattern::new(bad).is_err(), "{bad:?}");
        }
    }
}
