//! Clients that close their connection while a change is being committed.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, stream};
use hallpass_core::{Actor, EventKind, ListOptions, NewToken, TokenId, TokenRecord};
use hallpass_tests::management::{ADMIN, Request, Server};
use hallpass_tests::nodes::{owner, until};

use crate::stores::{Database, on_stores};

/// The number of changes of each kind.
const CHANGES: usize = 200;

/// The number of concurrent requests.
const AT_ONCE: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Update,
    Issue,
    Regenerate,
    Revoke,
    Delete,
    DeleteMany,
    RevokeOwner,
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Update,
        Self::Issue,
        Self::Regenerate,
        Self::Revoke,
        Self::Delete,
        Self::DeleteMany,
        Self::RevokeOwner,
    ];

    fn event(self) -> EventKind {
        match self {
            Self::Update => EventKind::Updated,
            Self::Issue => EventKind::Issued,
            Self::Regenerate => EventKind::Regenerated,
            Self::Revoke | Self::RevokeOwner => EventKind::Revoked,
            Self::Delete | Self::DeleteMany => EventKind::Deleted,
        }
    }

    fn request(self, person: &str, id: TokenId) -> Request<'static> {
        match self {
            Self::Update => {
                let body = r#"{"scopes": ["projects"]}"#;
                Request::by(person, "PATCH", format!("/tokens/{id}"), body)
            }
            Self::Issue => {
                Request::by(person, "POST", "/tokens".to_owned(), r#"{"name": "second"}"#)
            }
            Self::Regenerate => Request::by(person, "POST", format!("/tokens/{id}/regenerate"), ""),
            Self::Revoke => Request::by(person, "POST", format!("/tokens/{id}/revoke"), ""),
            Self::Delete => Request::by(person, "DELETE", format!("/tokens/{id}"), ""),
            Self::DeleteMany => {
                let body = format!(r#"{{"ids": ["{id}"]}}"#);
                Request::by(person, "POST", "/tokens/delete".to_owned(), &body)
            }
            Self::RevokeOwner => {
                let body = format!(r#"{{"owner": "{person}"}}"#);
                Request::by(ADMIN, "POST", "/tokens/revoke".to_owned(), &body)
            }
        }
    }

    /// Returns whether the change was committed, derived from the tokens that the owner has now.
    fn is_committed(self, id: TokenId, tokens: &[TokenRecord]) -> bool {
        let token = tokens.iter().find(|record| record.id == id);
        match self {
            Self::Update => token
                .expect("the token exists")
                .scopes
                .iter()
                .any(|scope| scope.as_str() == "projects"),
            Self::Issue => tokens.len() == 2,
            Self::Regenerate => token.expect("the token exists").regenerated_at.is_some(),
            Self::Revoke | Self::RevokeOwner => {
                token.expect("the token exists").revoked_at.is_some()
            }
            Self::Delete | Self::DeleteMany => token.is_none(),
        }
    }
}

/// Waits until a change of each kind has its event, in addition to the first events, and until no
/// more events arrive.
async fn quiet(server: &Server, first: usize) {
    for kind in Kind::ALL {
        let prefix = format!("{kind:?}-");
        until(&format!("a {kind:?} is committed"), async || {
            let mut owners =
                server.events().into_iter().skip(first).filter_map(|event| event.owner);
            owners.any(|owner| owner.as_str().starts_with(&prefix))
        })
        .await;
    }
    let (mut seen, mut since) = (server.events().len(), Instant::now());
    // A commit may wait for a busy disk, so this waits much longer than a commit usually takes.
    while since.elapsed() < Duration::from_secs(2) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = server.events().len();
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
    }
}

/// Checks that each change is either committed with its audit entry and its event, or has no effect
/// at all.
async fn every_committed_change_is_audited_and_reported_once<D: Database>() {
    let database = D::create();
    let server = Server::start(database.open().await).await;
    let mut cases = Vec::new();
    for kind in Kind::ALL {
        for number in 0..CHANGES {
            let person = format!("{kind:?}-{number}");
            let new = NewToken::named("first").scope("projects:read");
            let issued = server.hallpass.issue(&Actor::owner(&person), new).await.unwrap();
            cases.push((kind, number, person, issued.record.id));
        }
    }
    let issued = server.events().len();

    stream::iter(&cases)
        .for_each_concurrent(AT_ONCE, async |(kind, number, person, id)| {
            let life = Duration::from_millis(*number as u64 % 13);
            server.send_and_close(&kind.request(person, *id), life).await;
        })
        .await;
    quiet(&server, issued).await;

    let trail = server.trail().await;
    for (entry, number) in trail.iter().zip(1..) {
        assert_eq!(entry.seq.get(), number, "the trail has a gap");
    }
    until("every entry has its event", async || server.events().len() >= trail.len()).await;
    let events = server.events();
    assert_eq!(
        events.len(),
        trail.len(),
        "the number of events differs from the number of entries"
    );
    // Concurrent tasks may call the sink in another order than they commit. The changes of one
    // owner are sequential, so their events must be in order.
    let mut by_person = HashMap::<_, Vec<_>>::new();
    for event in &events {
        by_person.entry(event.owner.clone()).or_default().push(event.clone());
    }
    let mut audited = HashMap::<_, Vec<_>>::new();
    for entry in &trail {
        audited.entry(entry.event.owner.clone()).or_default().push(entry.event.clone());
    }
    assert_eq!(by_person, audited, "the events of the sink differ from the trail");

    let mut committed = HashMap::<_, usize>::new();
    for (kind, _, person, id) in &cases {
        let by = Actor::owner(person);
        let tokens = server.hallpass.list(&by, &ListOptions::new()).await.unwrap().items;
        let entries = &audited[&Some(owner(person))][1..];
        let expected = usize::from(kind.is_committed(*id, &tokens));
        assert_eq!(entries.len(), expected, "{person}: {entries:?}");
        assert!(entries.iter().all(|event| event.kind == kind.event()), "{person}: {entries:?}");
        *committed.entry(format!("{kind:?}")).or_default() += expected;
    }
    assert!(trail.len() > issued, "no change was committed");
    for kind in Kind::ALL {
        assert!(committed[&format!("{kind:?}")] > 0, "no {kind:?} was committed: {committed:?}");
    }
}

on_stores!(every_committed_change_is_audited_and_reported_once:
    sqlite SqliteFile, postgres PostgresDatabase, redis RedisNamespace);
