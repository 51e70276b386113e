//! The scripts and style sheets, each joined into one file when the program starts.
//!
//! The scripts in `web/` are ordinary ES modules. A bundle is one module with all of their
//! declarations: the modules in order, without their `import` statements, without the word `export`
//! and without comments on lines of their own. This works because no two modules declare the same
//! name, and because no module renames what it imports. `tests/files.rs` checks both.
//!
//! The modules are the body of a function, `startPage`, whose argument `PLACE` is the location of
//! the page. `mount.js` calls it, so that a host can show the page inside its own, and remove it.

use crate::asset::{Asset, Assets};
use crate::texts::Texts;

macro_rules! sources {
    ($($name:literal),* $(,)?) => { [$(include_str!(concat!("../web/", $name))),*] };
}

/// The modules of the page. A module that is used while another one is evaluated comes before it.
const MODULES: &[&str] = &sources![
    "page.js",
    "address.js",
    "dom.js",
    "api.js",
    "dates.js",
    "fields.js",
    "owners.js",
    "scopes.js",
    "revoke.js",
    "filters.js",
    "list.js",
    "form.js",
    "detail.js",
    "activity.js",
    "app.js",
];

/// The modules around the page.
const OUTER_MODULES: &[&str] = &sources!["sign-in.js", "mount.js"];

const NOTICE: &[&str] = &sources!["sign-in.js", "notice.js"];

const STYLES: &[&str] = &sources!["theme.css", "base.css", "list.css", "views.css"];

/// Returns the name of the script with the texts of this language.
pub(crate) fn script_name(language: &str) -> String {
    format!("hallpass.{language}.js")
}

/// Builds all files for these languages.
pub(crate) fn assets(languages: &[Texts]) -> Assets {
    let mut all = vec![
        Asset::new("icon.svg", include_str!("../web/icon.svg").to_owned()),
        Asset::new("hallpass.css", STYLES.join("\n")),
        Asset::new("notice.js", join(NOTICE)),
    ];
    all.extend(languages.iter().map(|texts| {
        let script = format!(
            "const TEXTS = {};\nconst LANGUAGE = \"{}\";\nfunction startPage(PLACE) {{\n{}}}\n{}export {{ mount }};\n",
            texts.json(),
            texts.language(),
            join(MODULES),
            join(OUTER_MODULES),
        );
        Asset::new(script_name(texts.language()), script)
    }));
    Assets(all)
}

/// Joins modules into one.
fn join(modules: &[&str]) -> String {
    let mut joined = String::new();
    for module in modules {
        let (mut in_import, mut in_comment) = (false, false);
        for line in module.lines() {
            let text = line.trim_start();
            in_import |= line.starts_with("import ");
            in_comment |= text.starts_with("/*");
            if !in_import && !in_comment && !text.starts_with("//") && !text.is_empty() {
                joined.push_str(line.strip_prefix("export ").unwrap_or(line));
                joined.push('\n');
            }
            in_import &= !line.ends_with(';');
            in_comment &= !line.ends_with("*/");
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_joined_without_imports_exports_and_comments() {
        let first = "// A.\n\nimport { a } from \"./a.js\";\nimport {\n  b,\n} from \"./b.js\";\n\
                     /** Counts. */\n/**\n * One.\n * @type {number}\n */\nexport const c = 1;";
        assert_eq!(join(&[first, "run(c);"]), "const c = 1;\nrun(c);\n");
    }
}
