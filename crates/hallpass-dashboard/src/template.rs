//! HTML with named placeholders.

/// A text with placeholders `{{name}}`, which is split only once.
#[derive(Debug)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug)]
enum Part {
    Text(&'static str),
    Place(&'static str),
}

impl Template {
    pub(crate) fn new(text: &'static str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, opened)) = rest.split_once("{{") {
            let Some((name, after)) = opened.split_once("}}") else { break };
            parts.extend([Part::Text(before), Part::Place(name)]);
            rest = after;
        }
        parts.push(Part::Text(rest));
        Self(parts)
    }

    /// Returns the text with each placeholder replaced. Placeholders inside of the inserted values
    /// are not replaced.
    pub(crate) fn fill(&self, mut place: impl FnMut(&str) -> String) -> String {
        self.0.iter().fold(String::new(), |mut filled, part| {
            match part {
                Part::Text(text) => filled.push_str(text),
                Part::Place(name) => filled.push_str(&place(name)),
            }
            filled
        })
    }
}

/// Escapes a text for HTML, for use in an element or in a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut escaped, char| {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            char => escaped.push(char),
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inserted_values_are_not_searched_for_placeholders() {
        let template = Template::new("<p {{a}}>{{b}}</p>");
        assert_eq!(template.fill(|name| format!("{name}={{{{b}}}}")), "<p a={{b}}>b={{b}}</p>");
        assert_eq!(Template::new("{{a").fill(|_| "x".to_owned()), "{{a");
        assert_eq!(Template::new("").fill(|_| "x".to_owned()), "");
    }

    #[test]
    fn nothing_escapes_from_an_attribute_or_an_element() {
        assert_eq!(
            escape(r#"</p>"><img src=x onerror='a&b'>"#),
            "&lt;/p&gt;&quot;&gt;&lt;img src=x onerror=&#39;a&amp;b&#39;&gt;"
        );
    }
}
