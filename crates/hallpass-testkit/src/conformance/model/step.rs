//! The steps of a random history.

use hallpass_core::store::{AuditQuery, ChangeKind, ChangeSeq, ListQuery, Secrets, Sort, SortBy};
use hallpass_core::{EventKind, Metadata, ScopeSet, Status, TokenRecord};
use jiff::Timestamp;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::state::{OWNERS, TOKENS, owner_of};
use crate::conformance::samples::at;

use super::texts::{SCOPES, description, instant, name, needle, scopes, secrets};

/// One call. Tokens and owners are identified by a number.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Insert { token: usize, draft: Draft, secrets: Secrets, limit: Option<u32> },
    Update { token: usize, at: Aim, draft: Draft, secrets: Option<Secrets>, kind: ChangeKind },
    ReplaceDigest { token: usize, at: Aim, secrets: Secrets },
    Delete { token: usize, at: Option<Aim> },
    DeleteMany { owner: Option<usize>, tokens: Vec<usize> },
    DeleteOwner(usize),
    RevokeOwner { owner: usize, issued_before: Option<Timestamp>, at: Timestamp },
    RevokeEveryone { issued_before: Option<Timestamp>, at: Timestamp, limit: u32 },
    LogOwnerChange(usize),
    RecordUses(Vec<(usize, Aim, Timestamp)>),
    Prune { ended_before: Timestamp, limit: u32 },
    PruneLog { written_before: Timestamp, limit: u32 },
    List(Box<ListQuery>),
    Follow { from: usize, limit: u32 },
    Audit(Box<AuditQuery>),
}

/// The revision or digest that a caller expects: the current one, an old one, or a future one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aim {
    Now,
    Before,
    After,
}

/// The fields of a record that a step chooses.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    name: String,
    description: String,
    scopes: ScopeSet,
    metadata: Metadata,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    regenerated_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
}

impl Draft {
    /// Fills in a new record.
    pub(crate) fn fill(&self, record: &mut TokenRecord) {
        record.created_at = self.created_at;
        self.edit(record);
    }

    /// Sets the fields that a change may set.
    pub(crate) fn edit(&self, record: &mut TokenRecord) {
        record.name.clone_from(&self.name);
        record.description.clone_from(&self.description);
        record.scopes.clone_from(&self.scopes);
        record.metadata.clone_from(&self.metadata);
        record.expires_at = self.expires_at;
        record.revoked_at = self.revoked_at;
        record.regenerated_at = self.regenerated_at;
        record.last_used_at = self.last_used_at;
    }
}

fn draft() -> impl Strategy<Value = Draft> {
    let when = || option::weighted(0.4, instant());
    let texts = (name(), description(), scopes(), option::of(name()));
    (texts, instant(), when(), when(), when(), when()).prop_map(
        |(texts, created_at, expires_at, revoked_at, regenerated_at, last_used_at)| {
            let (name, description, scopes, team) = texts;
            let metadata = Metadata::new(team.map(|team| ("team", team))).expect("metadata");
            Draft {
                name,
                description,
                scopes,
                metadata,
                created_at,
                expires_at,
                revoked_at,
                regenerated_at,
                last_used_at,
            }
        },
    )
}

fn aim() -> impl Strategy<Value = Aim> {
    prop_oneof![4 => Just(Aim::Now), 1 => Just(Aim::Before), 1 => Just(Aim::After)]
}

fn kind() -> impl Strategy<Value = ChangeKind> {
    prop::sample::select(&[ChangeKind::Updated, ChangeKind::Regenerated, ChangeKind::Revoked][..])
}

fn query() -> impl Strategy<Value = Box<ListQuery>> {
    let by = [SortBy::CreatedAt, SortBy::Name, SortBy::ExpiresAt, SortBy::LastUsedAt];
    let sort = (prop::sample::select(by.to_vec()), any::<bool>())
        .prop_map(|(by, descending)| Sort { by, descending });
    let statuses = vec![Status::Active, Status::Expired, Status::Revoked];
    let filters = (
        option::of(0..OWNERS),
        option::of(prop::sample::select(statuses)),
        option::weighted(0.3, needle()),
        option::weighted(0.3, prop::sample::select(&SCOPES[..])),
        (
            option::weighted(0.2, instant()),
            prop::bool::weighted(0.2),
            option::weighted(0.2, instant()),
            prop::bool::weighted(0.2),
        ),
    );
    let limit = prop_oneof![4 => 1..5_u32, 1 => Just(0), 2 => Just(100)];
    (filters, sort, limit, instant()).prop_map(
        |((owner, status, text, scope, uses), sort, limit, now)| {
            let (expires_before, never_used, unused_since, previous_secret) = uses;
            Box::new(ListQuery {
                expires_before,
                never_used,
                unused_since,
                previous_secret,
                owner: owner.map(owner_of),
                status,
                text: text.as_deref().map(hallpass_core::fold),
                scope: scope.map(|scope| scope.parse().expect("a scope")),
                sort,
                ..ListQuery::everything(now, limit)
            })
        },
    )
}

fn audit_query() -> impl Strategy<Value = Box<AuditQuery>> {
    let time = || option::weighted(0.3, (0..60_i64).prop_map(at));
    let kinds = vec![EventKind::Issued, EventKind::Updated, EventKind::Deleted];
    (
        option::weighted(0.4, 0..OWNERS),
        option::weighted(0.3, prop::sample::select(kinds)),
        (time(), time()),
        option::of((0..60_u64).prop_map(ChangeSeq::new)),
        any::<bool>(),
        1..9_u32,
    )
        .prop_map(|(owner, kind, (since, until), after, ascending, limit)| {
            let owner = owner.map(owner_of);
            let token_id = None;
            Box::new(AuditQuery { owner, token_id, kind, since, until, after, ascending, limit })
        })
}

/// Returns any step. Steps that create and change tokens are more frequent than those that end
/// them.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    let token = || 0..TOKENS;
    let owner = || 0..OWNERS;
    let uses = vec((token(), aim(), instant()), 0..5);
    prop_oneof![
        10 => (token(), draft(), secrets(), option::of(0..4_u32))
            .prop_map(|(token, draft, secrets, limit)| Step::Insert { token, draft, secrets, limit }),
        8 => (token(), aim(), draft(), option::of(secrets()), kind())
            .prop_map(|(token, at, draft, secrets, kind)| Step::Update { token, at, draft, secrets, kind }),
        4 => (token(), aim(), secrets()).prop_map(|(token, at, secrets)| Step::ReplaceDigest { token, at, secrets }),
        3 => (token(), option::of(aim())).prop_map(|(token, at)| Step::Delete { token, at }),
        2 => (option::of(owner()), vec(token(), 0..5))
            .prop_map(|(owner, tokens)| Step::DeleteMany { owner, tokens }),
        1 => owner().prop_map(Step::DeleteOwner),
        2 => (owner(), option::of(instant()), instant())
            .prop_map(|(owner, issued_before, at)| Step::RevokeOwner { owner, issued_before, at }),
        1 => (option::of(instant()), instant(), 0..4_u32).prop_map(|(issued_before, at, limit)| {
            Step::RevokeEveryone { issued_before, at, limit }
        }),
        1 => owner().prop_map(Step::LogOwnerChange),
        5 => uses.prop_map(Step::RecordUses),
        3 => (instant(), 0..3_u32).prop_map(|(ended_before, limit)| Step::Prune { ended_before, limit }),
        1 => (0..60_i64, 0..4_u32)
            .prop_map(|(time, limit)| Step::PruneLog { written_before: at(time), limit }),
        3 => audit_query().prop_map(Step::Audit),
        6 => query().prop_map(Step::List),
        3 => (0..40_usize, 0..9_u32).prop_map(|(from, limit)| Step::Follow { from, limit }),
    ]
}
