//! Tests of `update`, `copy` and `regenerate`.

use serde_json::json;

use crate::harness::Place;

#[test]
fn update_changes_only_the_given_fields() {
    let place = Place::new();
    let id = place.issue(&["--scope", "a", "--scope", "b"]).id;
    let update = |arguments: &[&str]| place.json(&[&["update", id.as_str()], arguments].concat());
    assert_eq!(update(&["--name", "cd"])["name"], "cd");
    assert_eq!(update(&["--description", "x"])["description"], "x");
    assert_eq!(update(&["--description", ""])["description"], "");
    assert_eq!(
        update(&["--add-scope", "c", "--add-scope", "d"])["scopes"],
        json!(["a", "b", "c", "d"])
    );
    assert_eq!(
        update(&["--remove-scope", "a", "--add-scope", "e"])["scopes"],
        json!(["b", "c", "d", "e"])
    );
    assert_eq!(update(&["--scope", "z"])["scopes"], json!(["z"]));
    assert_eq!(update(&["--no-scopes"])["scopes"], json!([]));
    assert_eq!(update(&["--expires", "never"])["expires_at"], json!(null));
    let shown = place.json(&["show", &id]);
    assert_eq!((&shown["name"], &shown["revision"]), (&json!("cd"), &json!(9)));
    assert_eq!(update(&["--name", "cd"])["revision"], 9, "an equal value must keep the revision");
    assert!(place.run(&["update", &id, "--name", "ef"]).done().stdout.contains("ef"));
}

#[test]
fn rejected_update_changes_nothing() {
    let place = Place::new();
    let id = place.issue(&["--scope", "a"]).id;
    let before = place.json(&["show", &id]);
    let update = |arguments: &[&str]| place.run(&[&["update", id.as_str()], arguments].concat());
    assert_eq!(update(&[]).code, 2);
    assert_eq!(update(&["--scope", "b", "--add-scope", "c"]).code, 2);
    assert_eq!(update(&["--no-scopes", "--scope", "c"]).code, 2);
    assert!(update(&["--name", ""]).failed(2).contains("name:"));
    assert!(update(&["--expires", "yesterday"]).failed(2).contains("expires:"));
    assert!(update(&["--remove-scope", "b"]).failed(3).contains("does not hold"));
    assert!(update(&["--name", "x", "--revision", "7"]).failed(4).contains("revision 1"));
    assert!(update(&["--add-scope", "b", "--revision", "7"]).failed(4).contains("revision 1"));
    assert_eq!(place.json(&["show", &id]), before);
    place.run(&["revoke", &id]).done();
    assert!(update(&["--expires", "30d"]).failed(4).contains("regenerate it"));
    update(&["--name", "x", "--revision", "2"]).done();
}

#[test]
fn copy_issues_a_separate_token() {
    let place = Place::new();
    let original = place.issue(&["--scope", "a", "--description", "x", "--expires", "never"]);
    let copy = place.json(&["copy", &original.id]);
    assert_ne!(copy["id"], json!(original.id));
    assert_eq!(copy["scopes"], json!(["a"]));
    assert_eq!((&copy["description"], &copy["expires_at"]), (&json!("x"), &json!(null)));
    assert_eq!(copy["owner"], "alice");
    let other = [
        "copy",
        &original.id,
        "--name",
        "cd",
        "--description",
        "",
        "--scope",
        "b",
        "--expires",
        "1d",
    ];
    let ended = place.run(&other).done();
    assert!(place.works(ended.stdout.trim()) && place.works(&original.token));
    assert!(ended.stderr.contains("cd"));
    assert_eq!(
        place.run(&["copy", "018f3c1e-7a2b-8c4d-9e5f-0123456789ab"]).failed(3),
        "no such token"
    );
}

#[test]
fn regenerate_ends_the_old_secret_at_once_or_after_the_grace_period() {
    let place = Place::new();
    let issued = place.issue(&[]);
    let ended = place.run(&["regenerate", &issued.id]).done();
    let second = ended.stdout.trim().to_owned();
    assert!(place.works(&second) && !place.works(&issued.token));
    let third = place.json(&["regenerate", &issued.id, "--grace-period", "1h", "--expires", "60d"]);
    assert!(place.works(&second), "the old secret must work until the new one is used");
    assert!(place.works(third["token"].as_str().expect("a token")));
    assert_eq!(third["revision"], 3);
    let regenerate =
        |arguments: &[&str]| place.run(&[&["regenerate", issued.id.as_str()], arguments].concat());
    assert!(regenerate(&["--revision", "1"]).failed(4).contains("revision 3"));
    assert!(regenerate(&["--grace-period", "31d"]).failed(2).contains("grace_period"));
    place.run(&["revoke", &issued.id]).done();
    let back = regenerate(&[]).done();
    assert!(place.works(back.stdout.trim()));
}
