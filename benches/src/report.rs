//! Reports results as a table for people and as a JSON file for programs.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::harness::Measured;

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.cases.iter().map(|case| &case.name);
        let names = names.chain(self.ratios.iter().chain(&self.figures).map(|(name, _)| name));
        let width = names.map(String::len).max().unwrap_or_default();
        if !self.cases.is_empty() {
            writeln!(f, "{:<width$} {:>9} {:>8} {:>12}", "case", "ns", "spread", "allocations")?;
        }
        for case in &self.cases {
            let name = &case.name;
            let spread = format!("±{:.1}%", case.spread * 100.0);
            let allocations = case.allocations.map(|count| format!("{count:.1}"));
            let allocations = allocations.as_deref().unwrap_or("-");
            writeln!(f, "{name:<width$} {:>9.1} {spread:>8} {allocations:>12}", case.ns)?;
        }
        if !self.ratios.is_empty() {
            writeln!(f, "\n{:<width$} {:>9}", "ratio", "median")?;
        }
        for (name, ratio) in &self.ratios {
            writeln!(f, "{name:<width$} {ratio:>9.3}")?;
        }
        if !self.figures.is_empty() {
            writeln!(f, "\n{:<width$} {:>9}", "figure", "value")?;
        }
        for (name, value) in &self.figures {
            writeln!(f, "{name:<width$} {value:>9.3}")?;
        }
        Ok(())
    }
}

impl Measured {
    /// Writes the JSON object `{"cases": {case: {"ns", "allocations"}}, "ratios": {name: ratio},
    /// "figures": {name: value}}`. `allocations` is `null` if they are not counted.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = format!("{:#}\n", self.json());
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    fn json(&self) -> Value {
        let cases = self.cases.iter().map(|case| {
            (case.name.clone(), json!({ "ns": case.ns, "allocations": case.allocations }))
        });
        json!({
            "cases": cases.collect::<Map<_, _>>(),
            "ratios": object(&self.ratios),
            "figures": object(&self.figures),
        })
    }
}

fn object(values: &[(String, f64)]) -> Map<String, Value> {
    values.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::MeasuredCase;

    #[test]
    fn file_and_table_contain_the_same_results() {
        let bearer = MeasuredCase {
            name: "bearer".to_owned(),
            ns: 812.25,
            spread: 0.0125,
            allocations: Some(1.0),
        };
        let two =
            MeasuredCase { name: "two".to_owned(), ns: 400.0, spread: 0.02, allocations: None };
        let measured = Measured {
            cases: vec![bearer, two],
            ratios: vec![("bearer_over_open".to_owned(), 2.5)],
            figures: vec![("store_reads".to_owned(), 1.0)],
            broken: Vec::new(),
        };
        assert_eq!(
            measured.json(),
            json!({
                "cases": {
                    "bearer": { "ns": 812.25, "allocations": 1.0 },
                    "two": { "ns": 400.0, "allocations": null },
                },
                "ratios": { "bearer_over_open": 2.5 },
                "figures": { "store_reads": 1.0 },
            })
        );
        assert_eq!(
            measured.to_string(),
            "\
case                    ns   spread  allocations
bearer               812.2    ±1.2%          1.0
two                  400.0    ±2.0%            -

ratio               median
bearer_over_open     2.500

figure               value
store_reads          1.000
"
        );
    }
}
