//! The contents of the page's files, and what they must not contain.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Returns name and text of each file as it is embedded.
fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("cannot read the folder")
        .map(|entry| {
            let path = entry.expect("a file").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            (name.to_owned(), fs::read_to_string(&path).expect("text"))
        })
        .collect();
    files.sort();
    files
}

fn scripts() -> Vec<(String, String)> {
    files().into_iter().filter(|(name, _)| name.ends_with(".js")).collect()
}

/// Returns the names that a module declares at its top level.
fn declarations(text: &str) -> Vec<&str> {
    text.lines().filter_map(declared).collect()
}

fn declared(line: &str) -> Option<&str> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let line = line.strip_prefix("async ").unwrap_or(line);
    let words = ["const ", "let ", "class ", "function "];
    let rest = words.into_iter().find_map(|word| line.strip_prefix(word))?;
    rest.split(|char: char| !char.is_alphanumeric() && char != '_').next()
}

/// Returns what a module imports: names, and the module that exports them.
fn imports(text: &str) -> Vec<(Vec<&str>, &str)> {
    text.split("import {").skip(1).map(imported).collect()
}

fn imported(rest: &str) -> (Vec<&str>, &str) {
    let (names, rest) = rest.split_once("} from \"./").expect("the import must have a name");
    let from = rest.split('"').next().expect("a file");
    (names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect(), from)
}

#[test]
fn no_script_makes_html_of_text_or_stores_anything() {
    for (name, text) in scripts() {
        for forbidden in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "DOMParser",
            "eval(",
            "new Function",
            "localStorage",
            "sessionStorage",
            "indexedDB",
            "document.cookie",
            "console.",
            ".style.",
            "http://",
            "https://",
        ] {
            // The name of the SVG namespace is no address.
            let allowed = matches!((name.as_str(), forbidden), ("dom.js", "http://"));
            assert!(allowed || !text.contains(forbidden), "{forbidden} in {name}");
        }
    }
}

#[test]
fn every_file_is_small_and_starts_with_a_comment() {
    for (name, text) in files() {
        let comment = match name.rsplit_once('.') {
            Some((_, "js")) => "// ",
            Some((_, "css")) => "/* ",
            _ => continue,
        };
        assert!(text.lines().count() <= 400, "{name} is too long");
        assert!(text.starts_with(comment), "{name} does not start with a comment");
    }
}

/// The bundle has one scope for all modules: see `src/bundle.rs`.
#[test]
fn modules_can_be_joined_into_one() {
    let scripts = scripts();
    let mut declared = BTreeMap::new();
    for (name, text) in &scripts {
        for declaration in declarations(text) {
            assert!(
                !declaration.is_empty(),
                "{name} destructures several names in one declaration"
            );
            let other = declared.insert(declaration, name);
            assert!(other.is_none(), "{declaration} is declared in {name} and in {other:?}");
        }
        assert!(!text.contains("export default") && !text.contains("export {"), "{name}");
    }
    for (name, text) in &scripts {
        assert_eq!(
            text.matches("\nimport ").count(),
            imports(text).len(),
            "{name}: named imports only"
        );
        for (names, from) in imports(text) {
            for imported in names {
                assert!(!imported.contains(" as "), "{name} renames {imported}");
                let home =
                    declared.get(imported).unwrap_or_else(|| panic!("no file declares {imported}"));
                assert_eq!(home.as_str(), from, "{name} imports {imported}");
                let text = &scripts.iter().find(|(name, _)| name == from).expect("a module").1;
                let exported = ["const", "function", "class", "async function"];
                let is_exported = |word| text.contains(&format!("export {word} {imported}"));
                assert!(exported.into_iter().any(is_exported), "{from} does not export {imported}");
            }
        }
    }
}

#[test]
fn every_module_and_style_sheet_is_in_the_bundle() {
    let bundle = include_str!("../src/bundle.rs");
    for (name, _) in files() {
        if name.ends_with(".js") || name.ends_with(".css") {
            assert!(bundle.contains(&format!("\"{name}\"")), "{name} is not in the bundle");
        }
    }
}

/// Returns what follows each call of a function that takes a key, up to the quote that ends it.
fn keys(text: &str) -> Vec<String> {
    let calls = ["t(", "plural(", "rich("];
    let mut found = Vec::new();
    for call in calls {
        for (at, _) in text.match_indices(call) {
            if !text[..at].ends_with(|char: char| char.is_alphanumeric() || char == '.') {
                // A call may choose between two keys: all strings of its first line count.
                let rest = text[at + call.len()..].lines().next().unwrap_or_default();
                found.push(rest.to_owned());
            }
        }
    }
    found
}

#[test]
fn every_text_is_used_and_every_text_that_is_used_exists() {
    let english: BTreeMap<String, String> =
        serde_json::from_str(include_str!("../web/en.json")).expect("texts");
    let mut sources: String = scripts().into_iter().map(|(_, text)| text).collect();
    sources.push_str(include_str!("../src/page.rs"));
    sources.push_str(include_str!("../web/page.html"));
    for line in keys(&sources) {
        let Some(key) = line.strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
            continue;
        };
        let exists = english.contains_key(key) || english.contains_key(&format!("{key}.other"));
        assert!(exists, "there is no text {key:?}");
    }
    // Some keys are put together: their first part is then in a template, `empty.${status}`.
    for key in english.keys() {
        let whole = key.strip_suffix(".one").or_else(|| key.strip_suffix(".other")).unwrap_or(key);
        let literal = sources.contains(&format!("\"{whole}\""))
            || sources.contains(&format!("text {whole}}}"));
        let parts = whole.match_indices(['.', '_']).map(|(at, _)| &whole[..=at]);
        let composed = parts.into_iter().any(|part| {
            sources.contains(&format!("`{part}${{")) || sources.contains(&format!("\"{part}{{"))
        });
        let tail = whole.rsplit_once(['.', '_']).map_or("", |(_, tail)| tail);
        let by_caller = whole.rsplit_once(['.', '_']).is_some_and(|(head, _)| {
            sources.contains(&format!("\"{head}\""))
                && (sources.contains(&format!("}}.{tail}`"))
                    || sources.contains(&format!("}}_{tail}`")))
        });
        let verb = ["delete.", "revoke."].iter().any(|verb| whole.starts_with(verb))
            && sources.contains("`${verb}.");
        let notice = whole.starts_with("notice.") && sources.contains("notice.{key}.{part}");
        assert!(literal || composed || by_caller || verb || notice, "the text {key:?} is not used");
    }
}
