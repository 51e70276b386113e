//! Tests of `ensure`.

use serde_json::json;

use crate::harness::{Ended, Place};

/// A token that was issued without a shared store, with the id and digest for a manifest.
struct Made {
    token: String,
    id: String,
    digest: String,
}

fn made(place: &Place) -> Made {
    let issue = ["--store", "memory:", "issue", "--owner", "deploy", "--name", "x"];
    let token = place.run(&issue).done().stdout.trim().to_owned();
    let report = place.run_with(&["inspect", "--json"], &token).done().json();
    let text = |member: &str| report[member].as_str().expect(member).to_owned();
    Made { token, id: text("id"), digest: text("digest") }
}

fn ensure(place: &Place, id: &str, digest: &str, arguments: &[&str]) -> Ended {
    let start = ["ensure", "--id", id, "--digest", digest, "--expires", "1y"];
    let default = ["--owner", "deploy", "--name", "deploy", "--scope", "projects"];
    let arguments = if arguments.is_empty() { &default } else { arguments };
    place.run(&[&start, arguments, &["--json"]].concat())
}

#[test]
fn ensure_creates_a_token_once_and_updates_it_afterwards() {
    let place = Place::new();
    let Made { token, id, digest } = made(&place);
    assert!(!place.works(&token));
    let created = ensure(&place, &id, &digest, &[]).done().json();
    assert_eq!((&created["outcome"], &created["id"]), (&json!("created"), &json!(id)));
    assert_eq!(created["scopes"], json!(["projects"]));
    assert!(created.get("token").is_none() && created.get("digest").is_none());
    assert!(place.works(&token));
    let again = ensure(&place, &id, &digest, &[]).done().json();
    assert_eq!(again["outcome"], "unchanged");
    assert_eq!(again["expires_at"], created["expires_at"], "the expiry must not change");
    let other = ["--owner", "deploy", "--name", "other", "--description", "x"];
    let updated = ensure(&place, &id, &digest, &other).done().json();
    assert_eq!((&updated["outcome"], &updated["scopes"]), (&json!("updated"), &json!([])));
    assert!(place.works(&token));
    let table = place.run(&[
        "ensure",
        "--id",
        &id,
        "--digest",
        &digest,
        "--owner",
        "deploy",
        "--name",
        "other",
        "--expires",
        "1y",
    ]);
    assert!(table.done().stderr.contains("The token exists: updated."));
}

#[test]
fn ensure_rejects_conflicts_ended_tokens_and_invalid_digests() {
    let place = Place::new();
    let (first, second) = (made(&place), made(&place));
    ensure(&place, &first.id, &first.digest, &[]).done();
    let error_of = |ended: Ended, code| ended.failed(code).to_owned();
    assert!(error_of(ensure(&place, &first.id, &second.digest, &[]), 4).contains("another secret"));
    let bobs = ["--owner", "bob", "--name", "x"];
    assert!(error_of(ensure(&place, &second.id, &second.digest, &bobs), 2).contains("id:"));
    for digest in ["sha256-v1:00", "hunter2", &second.digest[7..]] {
        let message = error_of(ensure(&place, &second.id, digest, &[]), 2);
        assert!(message.contains("--digest") && !message.contains(digest), "{message}");
    }
    place.run(&["revoke", &first.id]).done();
    assert!(
        error_of(ensure(&place, &first.id, &first.digest, &[]), 4).contains("expired or revoked")
    );
    assert!(!place.works(&first.token));
    let unset = [
        "ensure",
        "--owner",
        "deploy",
        "--name",
        "x",
        "--id",
        &second.id,
        "--digest",
        &second.digest,
    ];
    let ended = place.run(&unset);
    assert!(
        ended.code == 2 && ended.stderr.contains("--expires"),
        "the expiry must be required: {ended:?}"
    );
}
