//! One route's pattern, in axum's syntax: `/projects/{id}`, `/files/{*path}`.

use percent_encoding::percent_decode;

/// A pattern that can read its own parameters out of a path.
#[derive(Clone)]
pub(crate) struct Pattern {
    text: String,
    names: Vec<String>,
    matcher: matchit::Router<()>,
}

/// The parameters of a path, decoded.
pub(crate) type Parameters = Vec<(String, String)>;

impl Pattern {
    /// Reads the pattern, or says what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Err(format!("a route's pattern starts with `/`; {text:?} does not"));
        }
        if text.split('/').any(|segment| segment.starts_with(':') || segment.starts_with('*')) {
            return Err(format!(
                "{text:?} is not in axum's syntax: write `{{id}}` for `:id`, `{{*path}}` for `*path`"
            ));
        }
        let mut matcher = matchit::Router::new();
        matcher
            .insert(text, ())
            .map_err(|error| format!("{text:?} is no route's pattern: {error}"))?;
        let names = names(text);
        if let Some(twice) = names.iter().enumerate().find(|(at, name)| names[..*at].contains(name))
        {
            let name = twice.1;
            return Err(format!(
                "{text:?} names two parameters {{{name}}}: give each a name of its own"
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

    /// The parameters of a path that this pattern matches; `None` if it does not match.
    /// `Some(Err)` if a parameter is no UTF-8 once decoded: no handler could read it either.
    pub(crate) fn read(&self, path: &str) -> Option<Result<Parameters, std::str::Utf8Error>> {
        let matched = self.matcher.at(path).ok()?;
        let decode = |(name, value): (&str, &str)| {
            percent_decode(value.as_bytes())
                .decode_utf8()
                .map(|value| (name.to_owned(), value.into_owned()))
        };
        Some(matched.params.iter().map(decode).collect())
    }
}

/// The names between braces, without the `*` of a rest. Doubled braces are text.
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

    fn read(pattern: &str, path: &str) -> Option<Parameters> {
        Pattern::new(pattern).unwrap().read(path)?.ok()
    }

    #[test]
    fn parameters_are_decoded_once() {
        let one = |value: &str| Some(vec![("id".to_owned(), value.to_owned())]);
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
    fn only_axums_syntax() {
        for bad in ["p", "", "/:id", "/*rest", "/{id", "/{}", "/{*a}/b"] {
            assert!(Pattern::new(bad).is_err(), "{bad:?}");
        }
    }
}
