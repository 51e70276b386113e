//! Part of the step `tree`: the modules of hallpass-core form no cycle of more than two.
//!
//! No compiler checks this. A small text search is enough, because the crate names every other
//! module by its full path, `crate::module::Item`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use cargo_metadata::camino::{Utf8Path, Utf8PathBuf};

/// The source files of the crate whose modules are checked.
const SOURCE: &str = "crates/hallpass-core/src";

/// The modules that each module uses.
type Graph = BTreeMap<String, BTreeSet<String>>;

/// Returns each cycle of more than two top-level modules, as a sentence.
pub(super) fn cycles(root: &Utf8Path) -> Result<Vec<String>> {
    let source = root.join(SOURCE);
    let mut graph = Graph::new();
    for file in rust_files(&source)? {
        let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
        let path = file.strip_prefix(&source)?;
        let module = path.iter().next().unwrap_or_default().trim_end_matches(".rs");
        // `lib.rs` re-exports everything, so it is part of no cycle.
        if module != "lib" {
            graph.entry(module.to_owned()).or_default().extend(used_modules(&text));
        }
    }
    Ok(large_cycles(&graph))
}

fn rust_files(folder: &Utf8Path) -> Result<Vec<Utf8PathBuf>> {
    let mut files = Vec::new();
    for entry in folder.read_dir_utf8().with_context(|| format!("cannot read {folder}"))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(rust_files(entry.path())?);
        } else if entry.path().extension() == Some("rs") {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

/// Returns the first segment of each `crate::` path outside comments and unit tests.
fn used_modules(text: &str) -> impl Iterator<Item = String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split("crate::").skip(1))
        .map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
}

/// Returns each group of more than two modules that all use each other, directly or not.
fn large_cycles(graph: &Graph) -> Vec<String> {
    let reachable: BTreeMap<_, _> =
        graph.keys().map(|module| (module, reachable(graph, module))).collect();
    let groups: BTreeSet<Vec<&String>> = graph
        .keys()
        .map(|a| {
            graph
                .keys()
                .filter(|b| reachable[a].contains(*b) && reachable[*b].contains(a))
                .collect()
        })
        .collect();
    groups
        .into_iter()
        .filter(|group| group.len() > 2)
        .map(|group| {
            let names: Vec<_> = group.iter().map(|name| name.as_str()).collect();
            format!("these modules use each other in a cycle: {}", names.join(", "))
        })
        .collect()
}

fn reachable(graph: &Graph, from: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = vec![from.to_owned()];
    while let Some(module) = open.pop() {
        for next in graph.get(&module).into_iter().flatten() {
            if found.insert(next.clone()) {
                open.push(next.clone());
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &[&str])]) -> Graph {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        edges.iter().map(|(from, to)| ((*from).to_owned(), set(to))).collect()
    }

    #[test]
    fn cycle_of_three_modules_is_found() {
        let graph = graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["a"]), ("d", &["a"])]);
        assert_eq!(large_cycles(&graph), ["these modules use each other in a cycle: a, b, c"]);
    }

    #[test]
    fn cycle_of_two_modules_is_allowed() {
        assert!(large_cycles(&graph(&[("a", &["b"]), ("b", &["a", "c"]), ("c", &[])])).is_empty());
    }

    #[test]
    fn comments_and_unit_tests_are_not_searched() {
        let text = "use crate::a::X;\n// crate::b\nfn f(x: crate::c::Y) {}\n\
                    #[cfg(test)]\nmod tests {\n    use crate::d::Z;\n}\n";
        assert_eq!(used_modules(text).collect::<Vec<_>>(), ["a", "c"]);
    }
}
