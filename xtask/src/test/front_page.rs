//! Tests that the texts at the root agree with the manifests.

use std::collections::BTreeSet;
use std::fs;

use cargo_metadata::DependencyKind;

use crate::workspace::Workspace;

fn read(workspace: &Workspace, name: &str) -> String {
    fs::read_to_string(workspace.root().join(name)).expect(name)
}

#[test]
fn contributing_has_a_reason_for_each_dependency_and_for_no_other() {
    let workspace = Workspace::load().unwrap();
    let text = read(&workspace, "CONTRIBUTING.md");
    let (_, table) = text.split_once("|---|---|---|\n").expect("the table");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let first_cells = rows.map(|row| row.split('|').nth(1).expect("a cell"));
    let named: BTreeSet<_> =
        first_cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let needed: BTreeSet<_> = workspace
        .published_packages()
        .flat_map(|package| &package.dependencies)
        .filter(|needed| needed.kind != DependencyKind::Development && needed.path.is_none())
        .map(|needed| needed.name.as_str())
        .collect();
    assert_eq!(named, needed);
}

#[test]
fn versions_page_names_the_versions_of_the_lock_file() {
    let workspace = Workspace::load().unwrap();
    let (page, lock) = (read(&workspace, "docs/versions.md"), read(&workspace, "Cargo.lock"));
    let lock: toml::Table = lock.parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    for name in [
        "axum",
        "tower",
        "hyper",
        "tonic",
        "tower-http",
        "utoipa",
        "utoipa-axum",
        "axum-login",
        "tower-sessions",
        "sqlx",
        "redis",
    ] {
        let newest = packages.iter().rfind(|package| package["name"].as_str() == Some(name));
        let newest = newest.and_then(|package| package["version"].as_str()).expect(name);
        let row = |line: &&str| line.starts_with('|') && line.contains(newest);
        assert!(
            page.lines().filter(row).any(|line| line.contains(name)),
            "docs/versions.md does not name {name} {newest}"
        );
    }
}
