//! Tests of `inspect`.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::harness::Place;

#[test]
fn inspect_describes_a_token_without_a_store() {
    let place = Place::new();
    let issued = place.issue(&["--prefix", "acme"]);
    let file = place.write("token", &format!("{}\n", issued.token));
    // This folder contains no store.
    let elsewhere = Place::empty();
    let mut command = elsewhere.command(&["inspect", &file, "--json"]);
    let output = command.env_remove("HALLPASS_STORE").output().expect("cannot start the command");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["id"], issued.id.as_str());
    assert_eq!((&report["prefix"], &report["checksum"]), (&"acme".into(), &"right".into()));
    let digest = report["digest"].as_str().expect("a digest");
    assert!(digest.starts_with("sha256-v1:") && digest.len() == 10 + 64, "{digest}");
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let created = time(&place.json(&["show", &issued.id])["created_at"]).expect("a time");
    let generated = time(&report["generated_at"]).expect("a time");
    assert!(generated.duration_since(created).abs() < SignedDuration::from_secs(10));

    for input in [format!("{}\n", issued.token), format!(" \r\n{}", issued.token)] {
        for arguments in [&["inspect"][..], &["inspect", "-"]] {
            let ended = place.run_with(arguments, &input).done();
            assert!(ended.stdout.contains(&issued.id) && ended.stdout.contains(digest));
            assert!(!ended.stdout.contains(&issued.token) && ended.stderr.is_empty());
        }
    }
}

#[test]
fn inspect_explains_an_invalid_token_without_repeating_it() {
    let place = Place::new();
    let token = place.issue(&[]).token;
    let mut typo = token.clone();
    typo.replace_range(10..11, if &token[10..11] == "a" { "b" } else { "a" });
    for (text, why) in [
        ("", "prefix"),
        ("wonderland", "prefix"),
        (&token[..40], "71 characters"),
        (&*typo, "checksum"),
        (&*format!("{token} {token}"), "71 characters"),
        (&*format!("{}-", &token[..73]), "letters and digits"),
        (&*"x".repeat(100_000), "prefix"),
    ] {
        let ended = place.run_with(&["inspect"], text);
        let message = ended.failed(6);
        assert!(message.contains(why), "{why}: {message}");
        assert!(text.len() < 5 || !message.contains(&text[..text.len().min(40)]), "{message}");
    }
    assert!(place.run(&["inspect", "missing"]).failed(1).contains("could not read missing"));
    assert!(place.run(&["inspect", "."]).failed(1).contains("could not read"));
}
