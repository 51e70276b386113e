//! The feature `serde`: serialized values are deserialized again, and values that the parser
//! rejects are not accepted.

use hallpass_core::store::{AuditEntry, ChangeSeq};
use hallpass_core::{
    Actor, AuditOptions, AuditTrail, DeletedTokens, Event, EventKind, Hallpass, ListOptions,
    Metadata, NewToken, Owner, Prefix, RejectReason, RevokedTokens, Role, Scope, ScopeSet, Status,
    TokenId, TokenPage, TokenRecord,
};
use hallpass_memory::MemoryStore;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_str, json, to_string, to_value};

/// Serializes a value and deserializes it.
fn round_trip<T: Serialize + DeserializeOwned>(value: &T) -> T {
    from_str(&to_string(value).unwrap()).unwrap()
}

#[tokio::test]
async fn values_of_the_handle_survive_serialization() {
    let hallpass = Hallpass::builder(MemoryStore::new()).build();
    let alice = Actor::owner("alice");
    let new = NewToken::named("ci")
        .scopes(["projects:read:42", "jobs:*"])
        .metadata(Metadata::new([("team", "build")]).unwrap())
        .expires("30d");
    let record = hallpass.issue(&alice, new).await.unwrap().record;
    assert_eq!(round_trip::<TokenRecord>(&record), record);
    let written = to_value(&record).unwrap();
    assert_eq!(written["id"], record.id.to_string());
    assert_eq!(written["owner"], "alice");
    assert_eq!(written["scopes"], json!(["jobs:*", "projects:read:42"]));
    assert_eq!(written["metadata"], json!({ "team": "build" }));
    assert_eq!(written["created_at"], record.created_at.to_string());
    assert_eq!((&written["revoked_at"], &written["revision"]), (&Value::Null, &json!(1)));

    let revoked = hallpass.revoke_many(&alice, &[record.id], None).await.unwrap();
    assert_eq!(round_trip::<RevokedTokens>(&revoked), revoked);
    let page = hallpass.list(&alice, &ListOptions::new()).await.unwrap();
    assert_eq!(round_trip::<TokenPage>(&page), page);
    let trail = hallpass.audit(&alice, &AuditOptions::new()).await.unwrap();
    assert_eq!(trail.items.len(), 2);
    assert_eq!(round_trip::<AuditTrail>(&trail), trail);
    let deleted = hallpass.delete_many(&alice, &[record.id]).await.unwrap();
    assert_eq!(round_trip::<DeletedTokens>(&deleted), deleted);
}

#[test]
fn names_are_those_of_logs_and_of_the_api() {
    for kind in EventKind::RECORDED {
        assert_eq!(to_value(kind).unwrap(), kind.as_str());
    }
    for reason in RejectReason::ALL {
        let kind = EventKind::Rejected(reason);
        assert_eq!(to_value(kind).unwrap(), json!({ "rejected": reason.as_str() }));
        assert_eq!(round_trip(&kind), kind);
    }
    for status in [Status::Active, Status::Expired, Status::Revoked] {
        assert_eq!(to_value(status).unwrap(), status.as_str());
    }
    for role in [Role::Owner, Role::Admin, Role::System] {
        assert_eq!(to_value(role).unwrap(), role.as_str());
    }
    let event = Event::new(EventKind::Issued, "2027-03-31T00:00:00Z".parse().unwrap());
    let entry = AuditEntry::new(ChangeSeq::new(7), event);
    assert_eq!(to_value(&entry).unwrap()["seq"], 7);
    assert_eq!(to_value(Metadata::default()).unwrap(), json!({}));
}

#[test]
fn text_that_the_parser_rejects_is_not_read() {
    fn is_read<T: DeserializeOwned>(text: &str) -> bool {
        serde_json::from_value::<T>(text.into()).is_ok()
    }
    assert!(is_read::<Scope>("projects:*") && !is_read::<Scope>("projects::read"));
    assert!(is_read::<Owner>("alice") && !is_read::<Owner>("a\nb") && !is_read::<Owner>(""));
    assert!(is_read::<Prefix>("acme") && !is_read::<Prefix>("a b"));
    let id = "018f3c1e-7a2b-8c4d-9e5f-0123456789ab";
    assert!(is_read::<TokenId>(id) && !is_read::<TokenId>(&id[1..]));
    let scopes = |count: usize| json!((0..count).map(|n| format!("s{n}")).collect::<Vec<_>>());
    assert!(serde_json::from_value::<ScopeSet>(scopes(100)).is_ok());
    let error = serde_json::from_value::<ScopeSet>(scopes(101)).unwrap_err().to_string();
    assert!(error.contains("a list of at most 100 scopes"), "{error}");
    assert!(serde_json::from_value::<Metadata>(json!({ "a": [1] })).is_err());
}
