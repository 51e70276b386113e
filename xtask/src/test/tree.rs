//! The step `tree`: checks of all files that git tracks or would add.

use std::{fs, io};

use anyhow::{Context, Result, bail};
use cargo_metadata::camino::Utf8Path;

use super::{Found, modules, prose};
use crate::workspace::Workspace;

/// The number of lines above which the step prints a remark about a library's file.
const LONG: usize = 400;

/// The maximum number of lines of a library's file.
const TOO_LONG: usize = 500;

/// The folders that contain home directories. Each is in two parts, so that this file passes its
/// own check.
const HOMES: [&str; 4] = [
    concat!("/home", "/"),
    concat!("/root", "/"),
    concat!("/Users", "/"),
    concat!(r"C:\Users", r"\"),
];

/// Marks of unfinished code.
const UNFINISHED: [&str; 4] = [
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
    concat!("dbg", "!"),
    concat!("#[", "ignore"),
];

pub(super) fn check(workspace: &Workspace) -> Result<Found> {
    let root = workspace.root();
    let untested = workspace.untested_sources();
    let (mut findings, mut long) = (0, 0);
    for path in files(workspace)? {
        let text = match fs::read(root.join(&path)) {
            Ok(bytes) => String::from_utf8(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("{path} cannot be read")),
        };
        // Only text is checked.
        let Ok(text) = text else { continue };
        let mut found = findings_in(path.as_ref(), &text, root);
        found.extend(prose::findings_in(path.as_ref(), &text));
        if untested.iter().any(|folder| root.join(&path).starts_with(folder)) {
            found.extend(forgotten_tests(&text));
        }
        for (line, finding) in found {
            println!("{path}:{line}: {finding}");
            findings += 1;
        }
        if (LONG + 1..=TOO_LONG).contains(&library_lines(path.as_ref(), &text)) {
            println!("{path}: over {LONG} lines: split it, so that each file has one topic");
            long += 1;
        }
    }
    for cycle in modules::cycles(root)? {
        println!("hallpass-core: {cycle}");
        findings += 1;
    }
    if findings > 0 {
        bail!("{findings} findings, listed above");
    }
    let note = if long == 0 { String::new() } else { format!("files over {LONG} lines: {long}") };
    Ok(Found { note, ..Found::passed() })
}

/// Returns the files that git tracks or would add, by their path from the root.
fn files(workspace: &Workspace) -> Result<Vec<String>> {
    let listed = workspace
        .command("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("`git` cannot be started")?;
    if !listed.status.success() {
        bail!("git: {}", String::from_utf8_lossy(&listed.stderr).trim());
    }
    let listed = String::from_utf8(listed.stdout).context("a path is not UTF-8")?;
    Ok(listed.split_terminator('\0').map(str::to_owned).collect())
}

/// Returns the findings in a file, each with the number of its line.
fn findings_in(path: &Utf8Path, text: &str, root: &Utf8Path) -> Vec<(usize, String)> {
    let mut findings = Vec::new();
    let rust = path.extension() == Some("rs");
    let prose = rust || path.extension() == Some("md");
    for (number, line) in (1..).zip(text.lines()) {
        let mut found = |what: String| findings.push((number, what));
        if line.contains(root.as_str()) || HOMES.iter().any(|home| line.contains(home)) {
            found("a path of one machine".into());
        }
        for unfinished in UNFINISHED.iter().filter(|word| rust && line.contains(**word)) {
            found(format!("`{unfinished}`"));
        }
        if prose && is_ignored_example(line) {
            found("an example that is not compiled".into());
        }
    }
    let lines = library_lines(path, text);
    if lines > TOO_LONG {
        findings.push((lines, format!("over {TOO_LONG} lines")));
    }
    findings
}

/// Returns the tests in a source file that cargo builds no tests of.
fn forgotten_tests(text: &str) -> impl Iterator<Item = (usize, String)> {
    let is_test =
        |line: &str| ["#[test]", "::test]", "::test("].iter().any(|test| line.contains(test));
    (1..).zip(text.lines()).filter(move |(_, line)| is_test(line)).map(|(number, _)| {
        (number, "a test that never runs: the manifest says `test = false`".to_owned())
    })
}

/// Returns whether a line of documentation opens a code block that rustdoc leaves out.
fn is_ignored_example(line: &str) -> bool {
    line.trim_start_matches([' ', '/', '!'])
        .strip_prefix("```")
        .is_some_and(|words| words.split([',', ' ']).any(|word| word.starts_with("ignore")))
}

/// Returns the number of lines of a library's source file, or 0 for any other file.
fn library_lines(path: &Utf8Path, text: &str) -> usize {
    let parts: Vec<_> = path.components().map(|part| part.as_str()).collect();
    match &*parts {
        ["crates", _, "src", .., file] if file.ends_with(".rs") => text.lines().count(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Vec<(usize, String)> {
        findings_in(path.as_ref(), text, "/srv/checkout".as_ref())
    }

    #[test]
    fn paths_of_a_machine_are_found_in_any_file() {
        for home in HOMES {
            assert_eq!(
                found("docs/start.md", &format!("fine\nsee {home}alice/notes")),
                [(2, "a path of one machine".to_owned())]
            );
        }
        assert_eq!(found("x.json", r#"{"file": "/srv/checkout/target"}"#).len(), 1);
        assert_eq!(found("docs/start.md", "GET /api/projects, /usr/local/bin, /homes"), []);
    }

    #[test]
    fn unfinished_code_is_found_in_rust_alone() {
        for word in UNFINISHED {
            let finding = (1, format!("`{word}`"));
            assert_eq!(found("crates/a/src/lib.rs", &format!("    {word}")), [finding]);
            assert_eq!(found("CONTRIBUTING.md", &format!("No `{word}`.")), []);
        }
    }

    #[test]
    fn uncompiled_example_is_found() {
        for (path, line) in [
            ("crates/a/src/lib.rs", "/// ```ignore"),
            ("crates/a/src/lib.rs", "//! ```rust,ignore"),
            ("README.md", "```rust,ignore"),
            ("README.md", "```ignore-wasm32"),
        ] {
            assert_eq!(found(path, line), [(1, "an example that is not compiled".to_owned())]);
        }
        assert_eq!(found("README.md", "```sh\ngit ignore\n```"), []);
        assert_eq!(found("README.md", "```rust,no_run"), []);
    }

    #[test]
    fn test_that_never_runs_is_found() {
        for test in ["#[test]", "    #[tokio::test]", "#[tokio::test(start_paused = true)]"] {
            let lines: Vec<_> = forgotten_tests(&format!("fn a() {{}}\n{test}")).collect();
            assert_eq!(lines.len(), 1, "{test}");
            assert_eq!(lines[0].0, 2);
        }
        assert_eq!(forgotten_tests("#[cfg(test)]").count(), 0);
    }

    #[test]
    fn only_a_long_file_of_a_library_is_too_long() {
        let lines = |count| "//\n".repeat(count);
        assert_eq!(found("crates/a/src/b/c.rs", &lines(TOO_LONG)), []);
        assert_eq!(
            found("crates/a/src/b/c.rs", &lines(TOO_LONG + 1)),
            [(TOO_LONG + 1, format!("over {TOO_LONG} lines"))]
        );
        assert_eq!(found("crates/a/tests/b.rs", &lines(TOO_LONG + 1)), []);
        assert_eq!(found("Cargo.lock", &lines(TOO_LONG + 1)), []);
    }
}
