//! Placeholders in inputs, for values that differ in each process or that do not fit in a line.

/// The texts of the placeholders, by name.
#[derive(Default)]
pub(crate) struct Words(Vec<(Vec<u8>, Vec<u8>)>);

impl Words {
    pub(crate) fn with(mut self, name: &str, text: impl Into<Vec<u8>>) -> Self {
        self.0.push((format!("{{{name}}}").into_bytes(), text.into()));
        self
    }

    /// Replaces each `{NAME}` in the input. Unknown names stay as they are.
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
