//! `cargo xtask public-api`: lists the public items of every published library, one file for each
//! in `docs/public-api`, so that a change of the public API shows in a review.
//!
//! The lists are made from rustdoc's JSON. The format is not stable yet, so it is turned on with
//! `RUSTC_BOOTSTRAP`, and only those parts are read that have not changed for a long time.

mod item;
mod render;

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, bail};
use cargo_metadata::camino::Utf8PathBuf;
use serde_json::Value;

use self::item::Api;
use crate::process::run;
use crate::workspace::Workspace;

/// The facade, which re-exports the items of the other libraries.
const FACADE: &str = "hallpass";

/// The libraries for which the facade re-exports every type that a public function takes or
/// returns.
const NAMED: [&str; 5] =
    ["hallpass-core", "hallpass-tower", "hallpass-axum", "hallpass-cache", "hallpass-dashboard"];

/// The trait that every store and the cache implement for `Hallpass::builder`. It is internal, and
/// users name `TokenStore` and `Cached` instead.
const INTERNAL: &str = "Backend";

/// The other published libraries. The facade re-exports them in its module `stores` or not at all.
const OTHERS: [&str; 5] = [
    "hallpass-memory",
    "hallpass-sqlite",
    "hallpass-postgres",
    "hallpass-redis",
    "hallpass-testkit",
];

/// Writes the lists. This fails if rustdoc reports a warning.
pub(crate) fn write(workspace: &Workspace) -> Result<()> {
    for (file, list) in lists(workspace)? {
        fs::create_dir_all(file.parent().expect("a file is in a folder"))?;
        fs::write(&file, list).with_context(|| format!("cannot write {file}"))?;
    }
    Ok(())
}

/// Checks that rustdoc reports no warning and that the lists are up to date. Returns the number of
/// the lists.
pub(crate) fn check(workspace: &Workspace) -> Result<usize> {
    let lists = lists(workspace)?;
    let is_stale = |(file, list): &&(Utf8PathBuf, String)| {
        fs::read_to_string(file).ok().as_ref() != Some(list)
    };
    let stale: Vec<_> = lists.iter().filter(is_stale).map(|(file, _)| file.as_str()).collect();
    if !stale.is_empty() {
        bail!(
            "the public API is not what is listed in {}: run `cargo xtask public-api`, and look at the difference",
            stale.join(", ")
        );
    }
    Ok(lists.len())
}

fn lists(workspace: &Workspace) -> Result<Vec<(Utf8PathBuf, String)>> {
    document(workspace)?;
    let facade = read(workspace, FACADE)?;
    let nameable = facade.names();
    let mut lists = vec![(FACADE, facade.list())];
    for package in NAMED {
        let api = read(workspace, package)?;
        // A module that the facade re-exports brings the names in it.
        let is_unnamed = |(module, name): &(String, String)| {
            !nameable.contains(module) && !nameable.contains(name) && name != INTERNAL
        };
        let unnamed: BTreeSet<_> = api.mentioned().into_iter().filter(is_unnamed).collect();
        if !unnamed.is_empty() {
            bail!(
                "public functions of {package} take or return what `{FACADE}` has no name for: {unnamed:?}. Add it to \
                 crates/{FACADE}/src/lib.rs"
            );
        }
        lists.push((package, api.list()));
    }
    for package in OTHERS {
        lists.push((package, read(workspace, package)?.list()));
    }
    let folder = workspace.root().join("docs/public-api");
    Ok(lists.into_iter().map(|(name, list)| (folder.join(format!("{name}.txt")), list)).collect())
}

/// Runs rustdoc on all libraries and programs with all features, and writes JSON. Rustdoc reports
/// the same warnings as when it writes HTML.
///
/// The features are those of the step `clippy`, so that the dependencies are checked only once.
/// Only rustdoc sees `RUSTC_BOOTSTRAP`: build scripts watch the variable, and each step would undo
/// the builds of the others.
fn document(workspace: &Workspace) -> Result<()> {
    // Cargo enables the features that tests and examples require of a dependency only if tests or
    // examples are built: with an example the dependencies are those that clippy has checked.
    // The program `hallpass` and the library `hallpass` write the same file, so the libraries come
    // last.
    for targets in ["--bins", "--lib"] {
        let mut doc = workspace.cargo(["doc", "--no-deps", targets, "--example", "minimal"]);
        doc.args(workspace.everything());
        doc.env("RUSTDOC", workspace.root().join("xtask/unstable-rustdoc.sh"));
        // The badges of features as on docs.rs, so that they are known to compile.
        let flags = "-D warnings -Z unstable-options --output-format json --cfg docsrs";
        run(doc.env("RUSTDOCFLAGS", flags))?;
    }
    Ok(())
}

/// Reads what rustdoc wrote of a library.
fn read(workspace: &Workspace, package: &str) -> Result<Api> {
    let file = workspace.target("doc").join(format!("{}.json", package.replace('-', "_")));
    let text = fs::read_to_string(&file).with_context(|| format!("rustdoc wrote no {file}"))?;
    let document: Value = serde_json::from_str(&text)?;
    Ok(Api::new(document))
}
