//! Words: what an input cannot spell, because each process makes its own, or cannot show in a line.

/// Texts by the names that stand for them in braces.
#[derive(Default)]
pub(crate) struct Words(Vec<(Vec<u8>, Vec<u8>)>);

impl Words {
    pub(crate) fn with(mut self, name: &str, text: impl Into<Vec<u8>>) -> Self {
        self.0.push((format!("{{{name}}}").into_bytes(), text.into()));
        self
    }

    /// The input with each `{NAME}` replaced; what is no word of ours stays.
    pub(crate) fn fill(&self, input: &[u8]) -> Vec<u8> {
        let mut filled = Vec::with_capacity(input.len());
        let mut rest = input;
        while let Some(&first) = rest.first() {
            let word = self.0.iter().find(|(name, _)| first == b'{' && rest.starts_with(name));
            let (text, taken) = word.map_or((&rest[..1], 1), |(name, text)| (text, name.len()));
            filled.extend_from_slice(text);
            rest = &rest[taken..];
        }
        filled
    }
}
