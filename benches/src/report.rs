//! A table for people, and a file for programs.

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use crate::harness::Measured;

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.cases.iter().map(|case| case.name);
        let names = names.chain(self.ratios.iter().map(|(name, _)| *name));
        let width = names.map(str::len).max().unwrap_or_default();
        writeln!(f, "{:<width$} {:>9} {:>8} {:>12}", "case", "ns", "spread", "allocations")?;
        for case in &self.cases {
            let name = case.name;
            let spread = format!("±{:.1}%", case.spread * 100.0);
            writeln!(f, "{name:<width$} {:>9.1} {spread:>8} {:>12.1}", case.ns, case.allocations)?;
        }
        writeln!(f, "\n{:<width$} {:>9}", "ratio", "median")?;
        for (name, ratio) in &self.ratios {
            writeln!(f, "{name:<width$} {ratio:>9.3}")?;
        }
        Ok(())
    }
}

impl Measured {
    /// Writes `{"cases": {case: {"ns", "allocations"}}, "ratios": {name: ratio}}`.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = format!("{:#}\n", self.json());
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, text).with_context(|| format!("{} cannot be written", path.display()))
    }

    fn json(&self) -> Value {
        let cases = self.cases.iter().map(|case| {
            (case.name.to_owned(), json!({ "ns": case.ns, "allocations": case.allocations }))
        });
        let ratios = self.ratios.iter().map(|(name, ratio)| ((*name).to_owned(), json!(ratio)));
        json!({ "cases": cases.collect::<Map<_, _>>(), "ratios": ratios.collect::<Map<_, _>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::MeasuredCase;

    #[test]
    fn the_file_and_the_table_say_the_same() {
        let case = MeasuredCase { name: "bearer", ns: 812.25, spread: 0.0125, allocations: 1.0 };
        let measured = Measured { cases: vec![case], ratios: vec![("bearer_over_open", 2.5)] };
        assert_eq!(
            measured.json(),
            json!({
                "cases": { "bearer": { "ns": 812.25, "allocations": 1.0 } },
                "ratios": { "bearer_over_open": 2.5 },
            })
        );
        assert_eq!(
            measured.to_string(),
            "\
case                    ns   spread  allocations
bearer               812.2    ±1.2%          1.0

ratio               median
bearer_over_open     2.500
"
        );
    }
}
