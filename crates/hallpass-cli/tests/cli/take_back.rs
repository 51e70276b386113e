//! Tests of `revoke`.

use serde_json::json;

use crate::harness::Place;

const UNKNOWN: &str = "018f3c1e-7a2b-8c4d-9e5f-0123456789ab";

#[test]
fn revoke_takes_one_or_several_ids_without_a_prompt() {
    let place = Place::new();
    let issued = [place.issue(&[]), place.issue(&[]), place.issue(&[])];
    place.run(&["revoke", &issued[0].id]).done();
    assert_eq!(issued.each_ref().map(|issued| place.works(&issued.token)), [false, true, true]);
    let both = place.json(&["revoke", &issued[1].id, &issued[2].id]);
    assert_eq!(both, json!({ "revoked": 2, "not_found": [] }));
    assert_eq!(issued.each_ref().map(|issued| place.works(&issued.token)), [false; 3]);
    place.run(&["revoke", &issued[0].id]).done();
}

#[test]
fn revoke_reports_unknown_tokens_and_revokes_the_others() {
    let place = Place::new();
    let issued = place.issue(&[]);
    let ended = place.run(&["revoke", UNKNOWN, &issued.id]);
    assert_eq!(ended.code, 3);
    assert!(ended.complaint().contains(UNKNOWN), "{ended:?}");
    assert!(!place.works(&issued.token));
    let other = place.issue(&[]);
    assert!(place.run(&["revoke", &other.id, "42"]).failed(2).contains("UUID"));
    assert!(place.works(&other.token), "an invalid id must reject the whole command");
}

#[test]
fn revoke_takes_all_tokens_of_an_owner() {
    let place = Place::new();
    let (first, second) = (place.issue(&[]), place.issue(&[]));
    let bobs = place.run(&["issue", "--owner", "bob", "--name", "ci"]).done().stdout;
    let revoked = place.json(&["revoke", "--owner", "alice"]);
    assert_eq!(revoked["revoked"], 2);
    assert!(!place.works(&first.token) && !place.works(&second.token));
    assert!(place.works(bobs.trim()));
    assert_eq!(place.run(&["revoke"]).code, 2);
    assert_eq!(place.run(&["revoke", "--owner", "alice", &first.id]).code, 2);
}
