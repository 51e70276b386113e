//! What is in the page's files, and what must not be.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Name and text of each, as it is embedded.
fn files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| {
            let path = entry.expect("a file").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            (name.to_owned(), fs::read_to_string(&path).expect("text"))
        })
        .collect();
    files.sort();
    files
}

/// What a script names with `import`: at once, and later on.
fn imports(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let named = |opening: &str| {
        let rest = text.split(opening).skip(1);
        rest.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
    };
    (named("from \"./"), named("import(\"./"))
}

#[test]
fn no_script_makes_html_of_text_or_keeps_anything() {
    for (name, text) in files().iter().filter(|(name, _)| name.ends_with(".js")) {
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
            let allowed = matches!((name.as_str(), forbidden), ("icons.js", "http://"));
            assert!(allowed || !text.contains(forbidden), "{forbidden} in {name}");
        }
    }
}

#[test]
fn every_file_is_small_and_says_first_what_it_is() {
    for (name, text) in files() {
        assert!(text.lines().count() <= 300, "{name} is long");
        let comment = match name.rsplit_once('.') {
            Some((_, "js")) => "// ",
            Some((_, "css")) => "/* ",
            _ => continue,
        };
        assert!(text.starts_with(comment), "{name} does not say what it is");
    }
}

#[test]
fn the_first_view_has_all_that_it_imports_and_is_light() {
    let files = files();
    let text = |name: &str| {
        let found = files.iter().find(|(file, _)| file == name);
        found.map(|(_, text)| text).unwrap_or_else(|| panic!("there is no {name}"))
    };
    let mut first = BTreeSet::new();
    let mut later = BTreeSet::new();
    let mut open = vec!["main.js".to_owned()];
    while let Some(name) = open.pop() {
        let (now, then) = imports(text(&name));
        later.extend(then);
        if first.insert(name) {
            open.extend(now);
        }
    }
    let listed = include_str!("../src/asset.rs");
    let (head, tail) = listed.split_once("Later:").expect("two lists");
    let head = head.split_once("First:").expect("two lists").1;
    let in_list = |list: &str| -> BTreeSet<String> {
        let names = list.split(';').next().unwrap_or_default().split('"').skip(1).step_by(2);
        names.filter(|name| name.ends_with(".js")).map(str::to_owned).collect()
    };
    assert_eq!(in_list(head), first, "what is loaded at once");
    // The rest: from what is imported later on, all that is not there already.
    let mut rest = BTreeSet::new();
    let mut open: Vec<_> = later.into_iter().collect();
    while let Some(name) = open.pop() {
        if !first.contains(&name) && rest.insert(name.clone()) {
            open.extend(imports(text(&name)).0);
        }
    }
    assert_eq!(in_list(tail), rest, "what is loaded later");

    let always = ["page.html", "icon.svg", "theme.css", "base.css", "views.css"];
    let bytes: usize =
        first.iter().map(String::as_str).chain(always).map(|name| text(name).len()).sum();
    assert!(bytes < 90_000, "{bytes} bytes, and the headers and the list come on top");
}
