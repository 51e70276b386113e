use hallpass_core::store::{Sort, SortBy};
use hallpass_core::{
    Actor, Error, EventKind, ListOptions, NewToken, Owner, PermissionError, Status, TokenId,
    TokenPage,
};
use jiff::SignedDuration;

use crate::common::*;

fn names(listed: &TokenPage) -> Vec<&str> {
    listed.items.iter().map(|record| record.name.as_str()).collect()
}

async fn named(service: &Service, by: &Actor, name: &str) -> TokenId {
    let id = service.hallpass.issue(by, NewToken::named(name)).await.unwrap().record.id;
    service.clock.advance(minutes(1));
    id
}

fn sorted(by: SortBy, descending: bool) -> ListOptions {
    ListOptions::new().sort(Sort { by, descending })
}

#[tokio::test]
async fn owner_sees_their_own_tokens_newest_first() {
    let service = Service::new();
    for name in ["a", "b", "c"] {
        named(&service, &alice(), name).await;
    }
    named(&service, &bob(), "bobs").await;
    let listed = service.hallpass.list(&alice(), &ListOptions::new()).await.unwrap();
    assert_eq!(names(&listed), ["c", "b", "a"]);
    assert_eq!((listed.total, listed.next_cursor), (3, None));
}

#[tokio::test]
async fn only_admins_may_filter_by_owner() {
    let service = Service::new();
    named(&service, &alice(), "a").await;
    named(&service, &root(), "r").await;
    let of = |owner| ListOptions::new().owner(Owner::new(owner).unwrap());
    for owner in ["alice", "bob"] {
        let outcome = service.hallpass.list(&alice(), &of(owner)).await;
        assert!(matches!(error(outcome), Error::Forbidden(PermissionError::OnlyAdmins)), "{owner}");
    }
    for by in [root(), job(), job().on_behalf_of("bob")] {
        let everybody = service.hallpass.list(&by, &ListOptions::new()).await.unwrap();
        assert_eq!(names(&everybody), ["r", "a"]);
        assert_eq!(names(&service.hallpass.list(&by, &of("alice")).await.unwrap()), ["a"]);
        assert_eq!(service.hallpass.list(&by, &of("nobody")).await.unwrap().total, 0);
    }
}

#[tokio::test]
async fn filters_apply_to_the_page_and_the_total() {
    let service = Service::new();
    let issue = async |name: &str, description: &str, scope: &str, expires: &str| {
        let new = NewToken::named(name).description(description).scope(scope).expires(expires);
        service.hallpass.issue(&alice(), new).await.unwrap().record.id
    };
    issue("Nightly Größe", "", "jobs:run", "never").await;
    issue("weekly", "about 100%_done", "jobs", "12h").await;
    let revoked = issue("old", "NIGHTLY before", "jobs:run", "12h").await;
    service.hallpass.revoke(&alice(), revoked).await.unwrap();
    service.clock.advance(days(1));
    for (listing, expected) in [
        (ListOptions::new().status(Status::Active), &["Nightly Größe"][..]),
        (ListOptions::new().status(Status::Expired), &["weekly"]),
        (ListOptions::new().status(Status::Revoked), &["old"]),
        (ListOptions::new().text("nightly"), &["Nightly Größe", "old"]),
        (ListOptions::new().text("GRÖSSE"), &[]),
        (ListOptions::new().text("GRÖß"), &["Nightly Größe"]),
        (ListOptions::new().text("%"), &["weekly"]),
        (ListOptions::new().text("_"), &["weekly"]),
        (ListOptions::new().text(""), &["Nightly Größe", "old", "weekly"]),
        (ListOptions::new().scope(scope("jobs:run")), &["Nightly Größe", "old"]),
        (ListOptions::new().scope(scope("jobs")), &["weekly"]),
        (ListOptions::new().scope(scope("job")), &[]),
        (ListOptions::new().text("nightly").status(Status::Revoked), &["old"]),
    ] {
        let listing = listing.sort(Sort { by: SortBy::Name, descending: false });
        let listed = service.hallpass.list(&alice(), &listing).await.unwrap();
        assert_eq!(names(&listed), expected, "{listing:?}");
        assert_eq!(listed.total, expected.len() as u64);
    }
}

#[tokio::test]
async fn filters_compare_times_exactly() {
    let service = Service::new();
    let new = NewToken::named("ci").expires("30d");
    let record = service.hallpass.issue(&alice(), new).await.unwrap().record;
    let total = async |options| service.hallpass.list(&alice(), &options).await.unwrap().total;
    let end = record.expires_at.unwrap();
    for (nanos, expected) in [(-1, 0), (0, 0), (1, 1)] {
        let nanos = SignedDuration::from_nanos(nanos);
        assert_eq!(total(ListOptions::new().expires_before(end + nanos)).await, expected);
        let unused = ListOptions::new().unused_since(record.created_at + nanos);
        assert_eq!(total(unused).await, expected);
    }
}

#[tokio::test]
async fn absent_times_sort_last_in_both_directions() {
    let service = Service::new();
    for (name, expires) in [("never", "never"), ("soon", "12h"), ("late", "30d")] {
        let new = NewToken::named(name).expires(expires);
        let token = service.hallpass.issue(&alice(), new).await.unwrap().token;
        service.clock.advance(minutes(1));
        if name != "late" {
            assert!(service.accepts(token.reveal()).await);
        }
    }
    for (by, descending, expected) in [
        (SortBy::ExpiresAt, false, ["soon", "late", "never"]),
        (SortBy::ExpiresAt, true, ["late", "soon", "never"]),
        (SortBy::LastUsedAt, false, ["never", "soon", "late"]),
        (SortBy::LastUsedAt, true, ["soon", "never", "late"]),
        (SortBy::CreatedAt, false, ["never", "soon", "late"]),
        (SortBy::Name, true, ["soon", "never", "late"]),
    ] {
        let listed = service.hallpass.list(&alice(), &sorted(by, descending)).await.unwrap();
        assert_eq!(names(&listed), expected, "{by:?} {descending}");
    }
}

#[tokio::test]
async fn pages_contain_each_token_once_in_every_order() {
    let service = Service::new();
    for n in 0..23 {
        // Names and times are equal, so the id decides the order.
        let new = NewToken::named(format!("n{}", n % 3)).expires(["never", "12h", "30d"][n % 3]);
        let token = service.hallpass.issue(&alice(), new).await.unwrap().token;
        if n % 2 == 0 {
            assert!(service.accepts(token.reveal()).await);
        }
    }
    for by in [SortBy::CreatedAt, SortBy::Name, SortBy::ExpiresAt, SortBy::LastUsedAt] {
        for descending in [false, true] {
            let whole =
                service.hallpass.list(&alice(), &sorted(by, descending).limit(100)).await.unwrap();
            let (mut seen, mut cursor) = (Vec::new(), None::<String>);
            loop {
                let mut listing = sorted(by, descending).limit(5);
                if let Some(cursor) = cursor.take() {
                    listing = listing.cursor(cursor);
                }
                let page = service.hallpass.list(&alice(), &listing).await.unwrap();
                assert_eq!(page.total, 23);
                seen.extend(page.items);
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, whole.items, "{by:?} {descending}");
        }
    }
}

#[tokio::test]
async fn cursor_marks_a_position_not_a_page_number() {
    let service = Service::new();
    for name in ["a", "b", "c", "d"] {
        named(&service, &alice(), name).await;
    }
    let by_name = || sorted(SortBy::Name, false).limit(2);
    let first = service.hallpass.list(&alice(), &by_name()).await.unwrap();
    service.hallpass.delete(&alice(), first.items[1].id, None).await.unwrap();
    named(&service, &alice(), "aa").await;
    let cursor = first.next_cursor.unwrap();
    let second = service.hallpass.list(&alice(), &by_name().cursor(cursor)).await.unwrap();
    assert_eq!(names(&second), ["c", "d"], "tokens must be neither skipped nor repeated");
    assert_eq!((second.total, second.next_cursor), (4, None));
}

#[tokio::test]
async fn list_cursor_works_only_for_its_actor_filters_and_order() {
    let service = Service::new();
    for name in ["a", "b", "c"] {
        named(&service, &alice(), name).await;
        named(&service, &bob(), name).await;
    }
    let page = ListOptions::new().limit(2);
    let cursor = service.hallpass.list(&alice(), &page).await.unwrap().next_cursor.unwrap();
    let with = async |listing: ListOptions, by: Actor| {
        service.hallpass.list(&by, &listing.cursor(cursor.clone())).await
    };
    assert!(with(page.clone(), alice()).await.is_ok());
    // The page size is not part of the list's identity, so it may change.
    assert!(with(ListOptions::new().limit(50), alice()).await.is_ok());
    for (listing, by) in [
        (page.clone(), bob()),
        (page.clone(), root()),
        (page.clone(), Actor::admin("alice")),
        (page.clone().status(Status::Active), alice()),
        (page.clone().text("a"), alice()),
        (page.clone().scope(scope("a")), alice()),
        (page.clone().sort(Sort { by: SortBy::CreatedAt, descending: false }), alice()),
        (page.clone().sort(Sort { by: SortBy::Name, descending: true }), alice()),
    ] {
        assert_eq!(fields(with(listing.clone(), by).await), ["cursor"], "{listing:?}");
    }
    for bad in ["", "x", &cursor[1..], &format!("0{cursor}"), &"é".repeat(40)] {
        let outcome = service.hallpass.list(&alice(), &page.clone().cursor(bad)).await;
        assert_eq!(fields(outcome), ["cursor"], "{bad:?}");
    }
}

#[tokio::test]
async fn page_has_1_to_100_tokens() {
    let service = Service::new();
    for bad in [0, 101, u32::MAX] {
        let outcome = service.hallpass.list(&alice(), &ListOptions::new().limit(bad)).await;
        assert_eq!(fields(outcome), ["limit"], "{bad}");
    }
    for good in [1, 100] {
        service.hallpass.list(&alice(), &ListOptions::new().limit(good)).await.unwrap();
    }
}

#[tokio::test]
async fn token_of_another_owner_looks_nonexistent() {
    let service = Service::new();
    let alices = service.issue(&[]).await.record.id;
    let theirs = error(service.hallpass.get(&bob(), alices).await);
    let nobodys = error(service.hallpass.get(&bob(), nobodys()).await);
    assert!(matches!((&theirs, &nobodys), (Error::NotFound, Error::NotFound)));
    assert_eq!(theirs.to_string(), nobodys.to_string());
    for by in [alice(), root(), job(), job().on_behalf_of("bob")] {
        assert_eq!(service.hallpass.get(&by, alices).await.unwrap().id, alices);
    }
}

#[tokio::test]
async fn admin_view_of_another_owners_token_emits_an_event() {
    let service = Service::new();
    let alices = named(&service, &alice(), "a").await;
    let own = named(&service, &root(), "r").await;
    service.happened.take();
    service.hallpass.get(&root(), own).await.unwrap();
    service.hallpass.get(&alice(), alices).await.unwrap();
    service.hallpass.get(&job(), alices).await.unwrap();
    service.hallpass.list(&alice(), &ListOptions::new()).await.unwrap();
    assert!(service.happened.take().is_empty());

    service.hallpass.get(&root(), alices).await.unwrap();
    let event = service.happened.only();
    assert_eq!(event.kind, EventKind::ViewedAcrossOwners);
    assert_eq!(event.actor.unwrap().as_str(), "root");
    assert_eq!((event.owner.unwrap().as_str(), event.token_id), ("alice", Some(alices)));

    service.hallpass.list(&root(), &ListOptions::new()).await.unwrap();
    assert_eq!(service.happened.kinds(), [EventKind::ViewedAcrossOwners]);
}

#[tokio::test]
async fn admin_page_emits_one_event_per_other_owner() {
    let service = Service::new();
    for (by, name) in [(alice(), "a"), (bob(), "b"), (alice(), "c"), (root(), "r")] {
        named(&service, &by, name).await;
    }
    service.happened.take();
    service.hallpass.list(&root(), &ListOptions::new()).await.unwrap();
    let events = service.happened.take();
    assert!(events.iter().all(|event| event.kind == EventKind::ViewedAcrossOwners));
    let owners: Vec<_> =
        events.iter().map(|event| event.owner.as_ref().unwrap().as_str()).collect();
    assert_eq!(owners, ["alice", "bob"]);
}
